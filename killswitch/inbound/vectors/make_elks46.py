"""46elks: a form nobody signs; a secret in the address shows who calls, by the definition in its documents
(<https://46elks.se/docs/receive-sms>)."""

import base64
from urllib.parse import urlencode

from vector_file import NOW, text, write

SECRET, NEXT_SECRET = "0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"
ID = "sf8425555e5d8db61dda7a7b3f1b91bdb"


def elks(name, expect, fields=None, query=f"k={SECRET}", secrets=(SECRET,), body=None):
    form = {"direction": "incoming", "id": ID, "from": "+4915112345678", "to": "+46706860000",
            "created": "2026-11-21T08:02:07.741000", "message": "KILL 12345678"} | (fields or {})
    body = urlencode({k: v for k, v in form.items() if v is not None}) if body is None else body
    return {"name": name, "secrets": list(secrets), "now": NOW, "query": query, "body": body, "expect": expect}


def basic(name, expect, user="portcullis", secret=SECRET, header="Basic {}", **more):
    case = elks(name, expect, query=None, **more)
    given = base64.b64encode(f"{user}:{secret}".encode()).decode()
    return case | {"settings": {"user": "portcullis"}, "headers": {"Authorization": header.format(given)}}


def said(words="KILL 12345678", sender="+4915112345678"):
    return text(words, sender, ID)


write("46elks", not_signed=["body"], vectors=[
    elks("secret in the query", said()),
    elks("unicode and line ends", said("KILL １２３４\n5678 ü"), {"message": "KILL １２３４\n5678 ü"}),
    elks("next secret during rotation", said(), query=f"k={NEXT_SECRET}", secrets=(SECRET, NEXT_SECRET)),
    elks("no sender", said(sender=None), {"from": None}),
    elks("fields added later", said(), {"zukunft": "x"}),
    basic("name and password", said()),
    basic("next password during rotation", said(), secret=NEXT_SECRET, secrets=(SECRET, NEXT_SECRET)),
    elks("a text that went out", "nothing", {"direction": "outgoing"}),
    elks("no secret", "signature", query=None),
    elks("empty secret", "signature", query="k="),
    elks("secret of someone else", "signature", query=f"k={NEXT_SECRET}"),
    elks("secret twice", "signature", query=f"k={SECRET}&k={SECRET}"),
    elks("more in the query", "signature", query=f"k={SECRET}&a=b"),
    basic("another name", "signature", user="root"),
    basic("another password", "signature", secret=NEXT_SECRET),
    basic("another scheme", "header", header="Bearer {}"),
    basic("secret in the query where a password is expected", "header") | {"query": f"k={SECRET}", "headers": {}},
    elks("text twice", "content", body=f"direction=incoming&id={ID}&message=a&message=b"),
    elks("no id", "content", {"id": None}),
    elks("empty id", "content", {"id": ""}),
    elks("no text", "content", {"message": None}),
    elks("no direction", "content", {"direction": None}),
])
