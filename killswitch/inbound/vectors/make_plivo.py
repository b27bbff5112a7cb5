"""Plivo: the second scheme (address and nonce) and the third (fields too), held against Plivo's own library (`pip install plivo`)."""

import base64
import hashlib
import hmac
from urllib.parse import parse_qs, parse_qsl, urlencode

from plivo.utils import validate_signature
from plivo.utils.signature_v3 import validate_v3_signature
from vector_file import NOW, text, write

TOKEN, NEXT_TOKEN = "MDc1Yjg1MzE5N2Y1MTJhYzY1N2E5", "YjI0ZWI4ZjQ5OTBjMWI2ZTkwYWFh"
SECRET, NEXT_SECRET = "0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"
URL = "https://kill.example.net/v1/inbound/plivo"
NONCE = "12345678901234567890"
ID = "5b40a428-bfc7-4daf-9d06-726c558bf3b8"


def mac(token, content):
    return base64.b64encode(hmac.new(token.encode(), content.encode(), hashlib.sha256).digest()).decode()


def form(fields=None):
    base = {"From": "4915112345678", "To": "15550100123", "Type": "sms", "Text": "KILL 12345678", "MessageUUID": ID}
    return urlencode({k: v for k, v in (base | (fields or {})).items() if v is not None})


def third_signature(url, query, body, token, nonce):
    """By the definition, then by the library: address, sorted query, sorted fields, nonce."""
    asked = "&".join(f"{k}={v}" for k, v in sorted(parse_qsl(query or "", keep_blank_values=True)))
    said = "".join(k + v for k, v in sorted(parse_qsl(body, keep_blank_values=True)))
    base = url + ("?" if asked or said else "") + asked + ("." if asked and said else "") + said
    made = mac(token, f"{base}.{nonce}")
    fields = {k: v if len(v) > 1 else v[0] for k, v in parse_qs(body, keep_blank_values=True).items()}
    assert validate_v3_signature("POST", url + (f"?{query}" if query else ""), nonce, token, made, fields)
    return made


def case(name, expect, headers, body, query, secrets, settings, url=URL, **scheme):
    return {"name": name, "public_url": url, "secrets": list(secrets), "settings": settings, "now": NOW, "query": query,
            "headers": headers, "body": body, "expect": expect, **scheme}


def third(name, expect, fields=None, body=None, url=URL, query=None, token=TOKEN, secrets=(TOKEN,), nonce=NONCE, settings=None,
          header="X-Plivo-Signature-V3", signed_query=None, signature="{}", **scheme):
    body = form(fields) if body is None else body
    made = third_signature(url.split("?")[0], query if signed_query is None else signed_query, body, token, nonce)
    headers = {header: signature.format(made), "X-Plivo-Signature-V3-Nonce": nonce}
    return case(name, expect, headers, body, query, secrets, settings or {}, url, **scheme)


V2 = {"accept_v2": "yes", "url_secret_file": SECRET + "\n"}


def second(name, expect, fields=None, body=None, query=f"k={SECRET}", token=TOKEN, secrets=(TOKEN,), nonce=NONCE, settings=V2,
           header="X-Plivo-Signature-V2", signature="{}", signed=URL, **scheme):
    made = mac(token, signed + nonce)
    assert validate_signature(f"{signed}?{query}", nonce, made, token)
    headers = {header: signature.format(made), "X-Plivo-Signature-V2-Nonce": nonce}
    return case(name, expect, headers, form(fields) if body is None else body, query, secrets, settings, not_signed=["body"], **scheme)


def said(words="KILL 12345678", sender="4915112345678", id=ID):
    return text(words, sender, id)


def heard(words="KILL 12345678", sender="4915112345678", id=NONCE):
    """Where the text is not signed, the nonce is the id."""
    return text(words, sender, id)


write("plivo", [
    third("third scheme", said()),
    third("third scheme, unicode", said("KILL １２３４５６７８ <&> ü\n"), {"Text": "KILL １２３４５６７８ <&> ü\n"}),
    third("third scheme, fields added later", said(), {"Zukunft": "x", "aLower": "", "Units": "1"}),
    third("third scheme, same field twice", said("a", None, "u1"), body="MessageUUID=u1&Text=a&Media=b&Media=a&Media=b"),
    third("third scheme by the main account", said(), header="X-Plivo-Signature-Ma-V3"),
    third("third scheme with a query of our own", said(), url=URL + "?b=2&a=1%202", query="b=2&a=1%202"),
    third("third scheme with a secret in the query", said(), query=f"k={SECRET}", settings={"url_secret_file": SECRET}),
    third("third scheme where the second counts too", said(), query=f"k={SECRET}", settings=V2),
    third("third scheme, several signatures", said(), signature="AAAA,{}", one_of=True),
    third("third scheme, next token during rotation", said(), token=NEXT_TOKEN, secrets=(TOKEN, NEXT_TOKEN)),
    second("second scheme", heard()),
    second("second scheme by the main account", heard(), header="X-Plivo-Signature-Ma-V2"),
    second("second scheme, next token during rotation", heard(), token=NEXT_TOKEN, secrets=(TOKEN, NEXT_TOKEN)),
    second("second scheme, next secret during rotation", heard(), query=f"k={NEXT_SECRET}", settings=V2 | {"next_url_secret_file": NEXT_SECRET}),
    second("second scheme, several signatures", heard(), signature="AAAA,{}", one_of=True),
    second("second scheme, another text with the same nonce is the same message", heard("KILL 87654321", None),
           body="Text=KILL+87654321&MessageUUID=other"),
    second("second scheme where it is not accepted", "header", query=None, settings={}),
    second("second scheme without the secret", "address", query=None),
    second("second scheme with another secret", "address", query=f"k={NEXT_SECRET}"),
    second("second scheme with more in the query", "address", query=f"k={SECRET}&a=b"),
    second("second scheme, signed for another path", "signature", signed=URL + "x"),
    second("second scheme, token of someone else", "signature", token=NEXT_TOKEN),
    second("second scheme, short nonce", "header", nonce="1234567"),
    second("second scheme, no nonce", "header", nonce=""),
    second("second scheme passed off as the third", "signature")
    | {"headers": {"X-Plivo-Signature-V3": mac(TOKEN, URL + NONCE), "X-Plivo-Signature-V3-Nonce": NONCE}},
    second("third scheme's nonce keeps the second away", "header")
    | {"headers": {"X-Plivo-Signature-V2": mac(TOKEN, URL + NONCE), "X-Plivo-Signature-V2-Nonce": NONCE, "X-Plivo-Signature-V3-Nonce": NONCE}},
    third("third scheme, token of someone else", "signature", token=NEXT_TOKEN),
    third("third scheme, query not configured", "address", query="a=1"),
    third("third scheme, query not signed", "signature", query=f"k={SECRET}", signed_query="", settings={"url_secret_file": SECRET}),
    third("text twice", "content", body="MessageUUID=u1&Text=a&Text=b"),
    third("no id", "content", {"MessageUUID": None}),
    third("no text", "content", {"Text": None}),
])
