"""Vonage, SMS API: HMAC over the sorted fields, held against Vonage's own library (`pip install vonage`)."""

import hashlib
import hmac
import json
from urllib.parse import urlencode

from vector_file import NOW, text, write
from vonage import Auth

SECRET, NEXT_SECRET = "my_signature_secret_0123456789", "my_next_signature_secret_01234"
ID = "0A0000000123ABCD1"


def signature(fields, secret, algorithm):
    """Fields as (name, value): names with separators in them cannot stand in what the library takes for distinct."""
    signed = "".join(f"&{name}={str(value).replace('&', '_').replace('=', '_')}" for name, value in sorted(fields.items()))
    made = hmac.new(secret.encode(), signed.encode(), algorithm).hexdigest()
    if fields.get("timestamp"):
        auth = Auth(api_key="abcd1234", api_secret="none", signature_secret=secret, signature_method=algorithm)
        assert auth.check_signature(dict(fields, sig=made)), fields
    return made


def vonage(name, expect, fields=None, at=NOW, secret=SECRET, secrets=(SECRET,), algorithm="sha256", form="form", asked=None, sig=None, also=None, upper=False, **changed):
    """`also` is added after signing; `asked` is the algorithm of the configuration."""
    sent = {
        "msisdn": "447700900001", "to": "447700900000", "messageId": ID, "text": "KILL 12345678", "type": "text", "keyword": "KILL",
        "api-key": "abcd1234", "message-timestamp": "2026-11-21 07:22:07", "timestamp": str(at), "nonce": "aaaaaaaa-bbbb-cccc-dddd-0123456789ab",
    }
    sent.update(fields or {})
    sent = {key: value for key, value in sent.items() if value is not ...}
    sent["sig"] = signature(sent, secret, algorithm) if sig is None else sig
    sent["sig"] = sent["sig"].upper() if upper else sent["sig"]
    sent.update(also or {})
    body = json.dumps(sent, ensure_ascii=False) if form == "json" else urlencode(sent)
    query = None
    if form == "query":
        query, body = body, ""
    method = {"method": "GET"} if form == "query" else {}
    return {"name": name, "secrets": list(secrets), "settings": {"algorithm": asked or algorithm}, "now": NOW, **method,
            "query": query, "body": body, "expect": expect} | changed


def said(words="KILL 12345678", sender="447700900001"):
    return text(words, sender, ID)


long = {"concat": "true", "concat-ref": "108", "concat-total": "2", "concat-part": "1"}

write("vonage-sms", [
    vonage("form", said()),
    vonage("query", said(), form="query"),
    vonage("json", said(), form="json"),
    vonage("form by SHA-512", said(), algorithm="sha512"),
    vonage("query by SHA-512", said(), algorithm="sha512", form="query"),
    vonage("unicode", said("KILL １２３４５６７８ <> ü\n"), {"text": "KILL １２３４５６７８ <> ü\n", "type": "unicode"}),
    vonage("unicode in json", said("KILL １２３４５６７８ <> ü\n"), {"text": "KILL １２３４５６７８ <> ü\n", "type": "unicode"}, form="json"),
    vonage("separators in the text", said("KILL&12345678=now"), {"text": "KILL&12345678=now"}),
    vonage("first part of a long text", said("KILL 12345678 and"), {"text": "KILL 12345678 and", **long}),
    vonage("digest in upper case", said(), upper=True),
    vonage("no sender", said(sender=None), {"msisdn": ...}),
    vonage("fields added later", said(), {"Zukunft": "x", "aLower": "", "country": "DE"}),
    vonage("five minutes old", said(), at=NOW - 300),
    vonage("five minutes ahead", said(), at=NOW + 300),
    vonage("next secret during rotation", said(), secret=NEXT_SECRET, secrets=(SECRET, NEXT_SECRET)),
    vonage("delivery report", "nothing", {"text": ..., "type": ..., "keyword": ..., "status": "delivered", "err-code": "0"}),
    vonage("binary message", "nothing", {"text": ..., "type": "binary", "data": "abc123", "udh": "0500"}),
    vonage("too old", "stale", at=NOW - 301),
    vonage("too far ahead", "stale", at=NOW + 301),
    vonage("secret of someone else", "signature", secret=NEXT_SECRET),
    vonage("SHA-1 where SHA-256 is agreed", "signature", algorithm="sha1", asked="sha256"),
    vonage("MD5 where SHA-256 is agreed", "signature", algorithm="md5", asked="sha256"),
    vonage("SHA-256 where SHA-512 is agreed", "signature", asked="sha512"),
    vonage("plain MD5 over the fields and the secret", "signature", sig=hashlib.md5(b"&text=KILL" + SECRET.encode()).hexdigest()),
    vonage("not signed", "header", also={}) | {"body": urlencode({"msisdn": "1", "messageId": ID, "text": "KILL 12345678", "timestamp": NOW, "nonce": "a"})},
    vonage("no time", "header", {"timestamp": ...}),
    vonage("empty time", "header", {"timestamp": ""}),
    vonage("time with a fraction", "header", at=f"{NOW}.5"),
    vonage("no nonce", "header", {"nonce": ...}),
    vonage("empty nonce", "header", {"nonce": ""}),
    vonage("a field added after signing", "signature", also={"extra": "1"}),
    vonage("a list in json", "signature", also={"extra": ["1"]}, form="json"),
    vonage("two fields run into the name of one", "content", {"keyword": ..., "keyword=KILL&message-timestamp": "2026"}),
    vonage("text twice", "content") | {"body": vonage("", "")["body"] + "&text=KILL+12345678"},
    vonage("no id", "content", {"messageId": ...}),
    vonage("no text", "content", {"text": ...}),
    vonage("query with a body", "content", form="query") | {"body": "text=KILL"},
    vonage("not an object", "content") | {"body": "{\"text\":"},
], fresh=300)
