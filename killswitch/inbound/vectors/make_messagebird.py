"""MessageBird: a JWT of a minute's life with the hashes of address and body; what is accepted, MessageBird's own library accepts
too (`pip install messagebird`)."""

import json
from urllib.parse import urlencode

from messagebird.request_validator import RequestValidator
from signed_tokens import DIGESTS, library_clock, sha256, token
from vector_file import HOST, NOW, text, write

SECRET, NEXT_SECRET = "PlLrKaqvZNRR5zAjm42ZT6q1SQxgbbGd_0123456789", "abcdefghijklmnopqrstuvwxyzABCDEF_0123456789"
URL = HOST + "/v1/inbound/messagebird"
ID = "e8077d803532c0b5937c639b60216938"


def message(said="KILL 12345678", form="form", **changed):
    fields = {"id": ID, "recipient": "31612345678", "originator": "31687654321", "body": said, "createdDatetime": "2026-11-21T07:22:07+00:00"}
    fields.update(changed)
    fields = {key: value for key, value in fields.items() if value is not ...}
    return json.dumps(fields, ensure_ascii=False) if form == "json" else urlencode(fields)


def bird(name, expect, body=None, at=NOW, life=60, query=None, url=URL, signed=None, secret=SECRET, secrets=(SECRET,), asked=None, claims=None,
         settings=None, **made):
    """`url` is the configured address, `signed` the one that is signed where it is another."""
    method = {"method": "GET"} if query is not None and body is None else {}
    body = "" if method else message() if body is None else body
    signed = signed or url.split("?")[0] + ("" if query is None else "?" + query)
    all_claims = {"iss": "MessageBird", "nbf": at, "exp": at + life, "jti": "a6acb5ab-bb82-4bbb-9d49-4c9e7b3ee6e4", "url_hash": sha256(signed)}
    if body:
        all_claims["payload_hash"] = sha256(body)
    all_claims.update(claims or {})
    all_claims = {key: value for key, value in all_claims.items() if value is not ...}
    jwt = token(all_claims, secret, **made)
    if isinstance(expect, dict):
        with library_clock(NOW):
            RequestValidator(secret).validate_signature(jwt, signed, body.encode())
    settings = {"settings": {"algorithm": asked}} if asked else {}
    return {"name": name, "public_url": url, "secrets": list(secrets), **settings, "now": NOW, **method, "query": query,
            "headers": {"MessageBird-Signature-JWT": jwt}, "body": body, "expect": expect}


def said(words="KILL 12345678", sender="31687654321"):
    return text(words, sender, ID)


write("messagebird", [
    bird("form", said()),
    bird("json", said(), message(form="json")),
    bird("json with more in it", said(), message(form="json", incomingMessage={"id": ID})),
    bird("query", said(), query=message()),
    bird("flow builder", said(), message(said=..., payload="KILL 12345678", form="json")),
    bird("unicode", said("KILL １２３４５６７８ <&> ü\n"), message("KILL １２３４５６７８ <&> ü\n")),
    bird("a flow without the id", text("KILL 12345678", "31687654321", "jti:a6acb5ab-bb82-4bbb-9d49-4c9e7b3ee6e4"), message(id=...)),
    bird("no sender", said(sender=None), message(originator=...)),
    bird("HS384 where it is agreed", said(), algorithm="HS384", asked="HS384"),
    bird("HS512 where it is agreed", said(), algorithm="HS512", asked="HS512"),
    bird("address with a query", said(), body=message(), url=URL + "?via=1", query="via=1"),
    bird("query added to that of the address", said(), url=URL + "?via=1", query="via=1&" + message()),
    bird("the configured query missing", "address", query=message(), url=URL + "?via=1"),
    bird("at the end of its life", said(), at=NOW - 60),
    bird("a second ahead", said(), at=NOW + 1),
    bird("next secret during rotation", said(), secret=NEXT_SECRET, secrets=(SECRET, NEXT_SECRET)),
    bird("status report", "nothing", query="id=1&reference=2&recipient=31612345678&status=delivered"),
    bird("past its life", "stale", at=NOW - 61),
    bird("two seconds ahead", "stale", at=NOW + 2),
    bird("a life of an hour", "stale", life=3600),
    bird("secret of someone else", "signature", secret=NEXT_SECRET),
    bird("HS512 where HS256 is agreed", "signature", algorithm="HS512"),
    bird("HS256 where HS512 is agreed", "signature", asked="HS512"),
    bird("RS256 with the secret as key", "signature", algorithm="RS256", digest=DIGESTS["HS256"]),
    bird("no algorithm", "signature", algorithm="none"),
    bird("another issuer", "signature", claims={"iss": "Bird"}),
    bird("hash of another body", "signature", claims={"payload_hash": sha256("KILL")}),
    bird("a body without its hash", "signature", claims={"payload_hash": ...}),
    bird("a hash without its body", "signature", query=message(), claims={"payload_hash": sha256("")}),
    bird("signed for another address", "address", signed=URL + "x"),
    bird("signed for plain http", "address", signed=URL.replace("https", "http")),
    bird("a query that is not signed", "address", body=message(), query="via=1", signed=URL),
    bird("the query in another order", "address", query="b=1&a=2", signed=URL + "?a=2&b=1"),
    bird("no issuer", "header", claims={"iss": ...}),
    bird("no beginning", "header", claims={"nbf": ...}),
    bird("no end", "header", claims={"exp": ...}),
    bird("no jti", "header", claims={"jti": ...}),
    bird("empty jti", "header", claims={"jti": ""}),
    bird("no hash of the address", "header", claims={"url_hash": ...}),
    bird("jti longer than any id that is kept", "header", claims={"jti": "j" * 65}),
    bird("no text", "content", message(said=...)),
    bird("text twice", "content", message() + "&body=KILL"),
], fresh=61)
