"""SMS Gateway for Android: hexadecimal HMAC-SHA256 over the body and then the time, by the definition in its documents
(<https://docs.sms-gate.app/features/webhooks/>); it has no library that signs."""

import hashlib
import hmac
import json

from vector_file import NOW, text, write

KEY, NEXT_KEY = "Zk3_x-91mQpLr7TwB2uYd", "fedcba9876543210fedcba98"
EVENT = "evt_Ey6ECgOkVVFjz3CL48B8C"


def body(said="KILL 12345678", event="sms:received", id=EVENT, payload=None, **more):
    payload = payload or {
        "message": said, "sender": "+4915112345678", "recipient": "+4915187654321", "phoneNumber": "+4915112345678",
        "simNumber": 1, "receivedAt": "2026-11-21T10:02:07.000+01:00", "messageId": "a80532bb",
    }
    return json.dumps({"deviceId": "ffffffffceb0b1db0000018e937c815b", "event": event, "id": id, "payload": payload,
                       "webhookId": "LreFUt-Z3sSq0JufY9uWB", **more}, ensure_ascii=False)


def made(content, stamp, key=KEY):
    return hmac.new(key.encode(), (content + stamp).encode(), hashlib.sha256).hexdigest()


def sms(name, expect, content=None, at=NOW, stamp=None, key=KEY, secrets=(KEY,), signature="{}"):
    content = body() if content is None else content
    stamp = str(at) if stamp is None else stamp
    return {
        "name": name, "secrets": list(secrets), "now": NOW, "body": content, "expect": expect,
        "headers": {"X-Signature": signature.format(made(content, stamp, key)), "X-Timestamp": stamp},
    }


def said(words="KILL 12345678", sender="+4915112345678"):
    return text(words, sender, EVENT)


old = {"message": "KILL 12345678", "phoneNumber": "6505551212", "receivedAt": "2026-06-22T15:46:11.000+07:00", "messageId": "a8"}
write("sms-gate", fresh=300, vectors=[
    sms("plain", said()),
    sms("unicode", said("KILL １２３４５６７８ ü\n\"x\""), body("KILL １２３４５６７８ ü\n\"x\"")),
    sms("app from before 2026", said(sender="6505551212"), body(payload=old)),
    sms("no sender", said(sender=None), body(payload={"message": "KILL 12345678", "sender": None})),
    sms("fields added later", said(), body(zukunft={"a": [1]})),
    sms("five minutes old", said(), at=NOW - 300),
    sms("next key during rotation", said(), key=NEXT_KEY, secrets=(KEY, NEXT_KEY)),
    sms("a text was sent", "nothing", body(event="sms:sent")),
    sms("too old", "stale", at=NOW - 301),
    sms("too far ahead", "stale", at=NOW + 301),
    sms("key of someone else", "signature", key=NEXT_KEY),
    sms("signature in capitals", "signature") | {"headers": {"X-Signature": made(body(), str(NOW)).upper(), "X-Timestamp": str(NOW)}},
    sms("signature of nothing", "signature", signature=""),
    sms("time with a sign", "header", stamp=f"+{NOW}"),
    sms("time before the body", "signature")
    | {"headers": {"X-Signature": made(str(NOW), body()), "X-Timestamp": str(NOW)}},
    sms("no id", "content", json.dumps({"event": "sms:received", "payload": old})),
    sms("empty id", "content", body(id="")),
    sms("no text", "content", body(payload={"sender": "+1"})),
    sms("not json", "content", "KILL 12345678"),
    sms("event twice", "content", '{"id":"1","event":"sms:sent","event":"sms:received","payload":{"message":"a"}}'),
])
