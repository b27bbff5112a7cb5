"""Sinch: HMAC-SHA256 over `body.nonce.timestamp`, held against Sinch's own library (`pip install sinch`)."""

import base64
import hashlib
import hmac
import json

from sinch.domains.authentication.sinch_events.v1.authentication_validation import validate_sinch_event_signature_with_nonce
from vector_file import NOW, text, write

SECRET, NEXT_SECRET = "foo_secret1234567890", "bar_secret1234567890"
NONCE = "01FJA8B4A7BM43YGWSG9GBV067"
ID = "01XXXXX21XXXXX119Z8P1XXXXX"
HEADER = "x-sinch-webhook-signature"


def message(said="KILL 12345678", sender="15555551234", **changed):
    fields = {
        "body": said, "from": sender, "id": ID, "operator_id": "35000", "received_at": "2026-11-21T07:22:07.741Z",
        "sent_at": "2026-11-21T07:22:05Z", "to": "12345", "type": "mo_text",
    }
    fields.update(changed)
    return json.dumps({key: value for key, value in fields.items() if value is not ...}, ensure_ascii=False)


def sinch(name, expect, body=None, at=NOW, nonce=NONCE, secret=SECRET, secrets=(SECRET,), algorithm="HmacSHA256", **headers):
    body = message() if body is None else body
    made = base64.b64encode(hmac.new(secret.encode(), f"{body}.{nonce}.{at}".encode(), hashlib.sha256).digest()).decode()
    all_headers = {HEADER: made, f"{HEADER}-nonce": nonce, f"{HEADER}-timestamp": str(at), f"{HEADER}-algorithm": algorithm}
    assert validate_sinch_event_signature_with_nonce(secret, all_headers, body)
    return {"name": name, "secrets": list(secrets), "now": NOW, "headers": all_headers | headers, "body": body, "expect": expect}


def said(words="KILL 12345678", sender="15555551234"):
    return text(words, sender, ID)


write("sinch", [
    sinch("plain", said()),
    sinch("unicode and full stops", said("KILL. １２３４５６７８ <&> ü\n"), message("KILL. １２３４５６７８ <&> ü\n")),
    sinch("no sender", said(sender=None), message(sender=...)),
    sinch("five minutes old", said(), at=NOW - 300),
    sinch("five minutes ahead", said(), at=NOW + 300),
    sinch("next secret during rotation", said(), secret=NEXT_SECRET, secrets=(SECRET, NEXT_SECRET)),
    sinch("delivery report", "nothing", '{"type":"delivery_report_sms","batch_id":"01","status":"Delivered"}'),
    sinch("binary message", "nothing", message(type="mo_binary", udh="00")),
    sinch("too old", "stale", at=NOW - 301),
    sinch("too far ahead", "stale", at=NOW + 301),
    sinch("secret of someone else", "signature", secret=NEXT_SECRET),
    sinch("another algorithm", "header", algorithm="HmacSHA1"),
    sinch("no algorithm", "header", algorithm="none"),
    sinch("a full stop in the nonce", "header", nonce="01.02"),
    sinch("empty nonce", "header", nonce=""),
    sinch("time with a fraction", "header", at=f"{NOW}.5"),
    sinch("time in milliseconds", "header", at=NOW * 1000),
    sinch("no id", "content", message(id=...)),
    sinch("no text", "content", message(said=...)),
    sinch("text is a number", "content", message(12345678)),
    sinch("no type", "content", message(type=...)),
    sinch("not json", "content", "KILL 12345678"),
], fresh=300)
