"""Telnyx: Ed25519 over `timestamp|body`; what is accepted, Telnyx' own library accepts too (`pip install telnyx PyNaCl`)."""

import base64
import json
import time
from unittest import mock

from nacl.signing import SigningKey
from telnyx import Telnyx
from vector_file import NOW, text, write

KEY, NEXT_KEY = SigningKey(bytes(range(32))), SigningKey(bytes(range(32, 64)))
ID = "84cca175-9755-4859-b7f9-4730d7f58aa3"


def public(key):
    return base64.b64encode(bytes(key.verify_key)).decode()


def event(said="KILL 12345678", kind="message.received", **changed):
    payload = {
        "direction": "inbound", "encoding": "GSM-7", "from": {"carrier": "T-Mobile", "line_type": "long_code", "phone_number": "+4915112345678"},
        "id": ID, "media": [], "parts": 1, "received_at": "2026-11-21T07:22:07.000+00:00", "record_type": "message", "text": said,
        "to": [{"phone_number": "+4915187654321", "status": "webhook_delivered"}], "type": "SMS",
    }
    payload.update(changed)
    payload = {key: value for key, value in payload.items() if value is not ...}
    data = {"event_type": kind, "id": "b301ed3f-1490-491f-995f-6e64e69674d4", "occurred_at": "2026-11-21T07:22:07.000+00:00",
            "payload": payload, "record_type": "event"}
    return json.dumps({"data": data, "meta": {"attempt": 1, "delivered_to": "https://kill.example.net/"}}, ensure_ascii=False)


def telnyx(name, expect, body=None, at=NOW, key=KEY, keys=(KEY,), signed=None, **changed):
    body = event() if body is None else body
    stamp = str(at)
    signature = base64.b64encode(key.sign((signed or f"{stamp}|{body}").encode()).signature).decode()
    headers = {"telnyx-signature-ed25519": signature, "telnyx-timestamp": stamp}
    if isinstance(expect, dict) or expect == "nothing":
        client = Telnyx(api_key="none", public_key=public(key))
        with mock.patch.object(time, "time", lambda: NOW):
            client.webhooks.unwrap(body, headers=headers)
    return {"name": name, "secrets": [public(key) for key in keys], "now": NOW, "headers": headers, "body": body, "expect": expect} | changed


def said(words="KILL 12345678", sender="+4915112345678"):
    return text(words, sender, ID)


plain = telnyx("plain", said())
flat = plain["headers"]["telnyx-signature-ed25519"]
# The neutral point as key and as part of a signature: such a pair holds for any message with lax checks.
neutral = bytes([1]) + bytes(31)

write("telnyx", [
    plain,
    telnyx("unicode", said("KILL １２３４５６７８ <&> ü\n"), event("KILL １２３４５６７８ <&> ü\n")),
    telnyx("several parts", said("KILL " * 60 + "12345678"), event("KILL " * 60 + "12345678", parts=2)),
    telnyx("no sender", said(sender=None), event(**{"from": ...})),
    telnyx("five minutes old", said(), at=NOW - 300),
    telnyx("five minutes ahead", said(), at=NOW + 300),
    telnyx("next key during rotation", said(), key=NEXT_KEY, keys=(KEY, NEXT_KEY)),
    telnyx("delivery report", "nothing", event(kind="message.finalized")),
    telnyx("event of another product", "nothing", '{"data":{"event_type":"call.initiated","id":"x","payload":{"call_leg_id":"y"},"record_type":"event"}}'),
    telnyx("picture without words", "nothing", event(None, type="MMS")),
    telnyx("too old", "stale", at=NOW - 301),
    telnyx("too far ahead", "stale", at=NOW + 301),
    telnyx("key of someone else", "signature", key=NEXT_KEY),
    telnyx("signed without the time", "signature", signed=event()),
    telnyx("signed with a full stop for the bar", "signature", signed=f"{NOW}.{event()}"),
    telnyx("time with a fraction", "header", at=f"{NOW}.5"),
    telnyx("time with a sign", "header", at=f"+{NOW}"),
    telnyx("signature in hexadecimal", "header") | {"headers": plain["headers"] | {"telnyx-signature-ed25519": base64.b64decode(flat).hex()}},
    telnyx("signature cut short", "header") | {"headers": plain["headers"] | {"telnyx-signature-ed25519": base64.b64encode(base64.b64decode(flat)[:63]).decode()}},
    telnyx("signature of the neutral point", "signature")
    | {"headers": plain["headers"] | {"telnyx-signature-ed25519": base64.b64encode(neutral + bytes(32)).decode()}},
    telnyx("no id", "content", event(id=...)),
    telnyx("empty id", "content", event(id="")),
    telnyx("text is a number", "content", event(12345678)),
    telnyx("not json", "content", "KILL 12345678"),
    telnyx("two events", "content", event() + event()),
], fresh=300)
