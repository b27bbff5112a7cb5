"""Vonage, Messages API: a JWT by HS256 with the body's hash; what is accepted, Vonage's own library accepts too
(`pip install vonage-jwt`)."""

import json

from signed_tokens import DIGESTS, library_clock, sha256, token
from vector_file import NOW, text, write
from vonage_jwt.verify_jwt import verify_signature

SECRET, NEXT_SECRET = "my_signature_secret_0123456789_0123456789", "my_next_signature_secret_0123456789_01234"
ID = "aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab"


def message(said="KILL 12345678", **changed):
    fields = {
        "channel": "sms", "message_uuid": ID, "to": "447700900000", "from": "447700900001", "timestamp": "2026-11-21T07:22:07Z",
        "message_type": "text", "text": said, "sms": {"num_messages": "1", "keyword": "KILL"}, "usage": {"currency": "EUR", "price": "0.0333"},
    }
    fields.update(changed)
    return json.dumps({key: value for key, value in fields.items() if value is not ...}, ensure_ascii=False)


def vonage(name, expect, body=None, at=NOW, secret=SECRET, secrets=(SECRET,), scheme="Bearer ", claims=None, **made):
    body = message() if body is None else body
    all_claims = {
        "iat": at, "jti": "c5ba8f24-1a14-4c10-bfdf-3fbe8ce511b5", "iss": "Vonage", "payload_hash": sha256(body),
        "api_key": "a1b2c3d", "application_id": "bbbbbbbb-bbbb-4ccc-8ddd-0123456789ab",
    }
    all_claims.update(claims or {})
    all_claims = {key: value for key, value in all_claims.items() if value is not ...}
    jwt = token(all_claims, secret, **made)
    if isinstance(expect, dict) and at <= NOW:
        with library_clock(NOW):
            assert verify_signature(jwt, secret)
    return {"name": name, "secrets": list(secrets), "now": NOW, "headers": {"Authorization": scheme + jwt}, "body": body, "expect": expect}


def said(words="KILL 12345678", sender="447700900001"):
    return text(words, sender, ID)


sha256_digest = DIGESTS["HS256"]

write("vonage-messages", [
    vonage("plain", said()),
    vonage("unicode", said("KILL １２３４５６７８ <&> ü\n"), message("KILL １２３４５６７８ <&> ü\n")),
    vonage("no sender", said(sender=None), message(**{"from": ...})),
    vonage("five minutes old", said(), at=NOW - 300),
    vonage("five minutes ahead", said(), at=NOW + 300),
    vonage("with an end", said(), claims={"exp": NOW + 1}),
    vonage("next secret during rotation", said(), secret=NEXT_SECRET, secrets=(SECRET, NEXT_SECRET)),
    vonage("status report", "nothing", '{"message_uuid":"' + ID + '","status":"delivered","channel":"sms","to":"1","from":"2"}'),
    vonage("picture", "nothing", message(said=..., message_type="image", image={"url": "https://example.com/i.png"})),
    vonage("too old", "stale", at=NOW - 301),
    vonage("too far ahead", "stale", at=NOW + 301),
    vonage("past its end", "stale", claims={"exp": NOW}),
    vonage("secret of someone else", "signature", secret=NEXT_SECRET),
    vonage("HS384", "signature", algorithm="HS384"),
    vonage("HS512", "signature", algorithm="HS512"),
    vonage("RS256 with the secret as key", "signature", algorithm="RS256", digest=sha256_digest),
    vonage("no algorithm", "signature", algorithm="none"),
    vonage("no algorithm in capitals", "signature", algorithm="NONE"),
    vonage("no algorithm, yet signed", "signature", algorithm="none", digest=sha256_digest),
    vonage("HS256 in small letters", "signature", algorithm="hs256", digest=sha256_digest),
    vonage("HS384 under the name of HS256", "signature", digest=DIGESTS["HS384"]),
    vonage("an extension that must be understood", "signature", header={"crit": ["b64"], "b64": False}),
    vonage("hash of another body", "signature", claims={"payload_hash": sha256("KILL")}),
    vonage("hash in upper case", "signature", claims={"payload_hash": sha256(message()).upper()}),
    vonage("no hash", "header", claims={"payload_hash": ...}),
    vonage("no time", "header", claims={"iat": ...}),
    vonage("time as text", "header", claims={"iat": str(NOW)}),
    vonage("no jti", "header", claims={"jti": ...}),
    vonage("empty jti", "header", claims={"jti": ""}),
    vonage("basic authorization", "header", scheme="Basic "),
    vonage("four parts", "header") | {"headers": {"Authorization": "Bearer a.b.c.d"}},
    vonage("two parts", "header") | {"headers": {"Authorization": "Bearer eyJhbGciOiJIUzI1NiJ9.e30"}},
    vonage("no id", "content", message(message_uuid=...)),
    vonage("no text", "content", message(said=...)),
    vonage("not json", "content", "KILL 12345678"),
], fresh=300)
