"""Standard Webhooks, held against the project's own library (`pip install standardwebhooks`)."""

import base64
import hashlib
import hmac
from datetime import datetime, timezone

from vector_file import NOW, text, write
from standardwebhooks.webhooks import Webhook

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NEXT_SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()


def standard(name, expect, body='{"text":"KILL 12345678","from":"local"}', at=NOW, secret=SECRET, secrets=(SECRET,),
             id="msg_p5jXN8AQM9LWM0D4loKWxJek", stamp=None, signature=None, **scheme):
    stamp = str(at) if stamp is None else stamp
    key = base64.b64decode(secret.removeprefix("whsec_"))
    mac = hmac.new(key, f"{id}.{stamp}.{body}".encode(), hashlib.sha256).digest()
    made = "v1," + base64.b64encode(mac).decode()
    if stamp == str(at):
        assert made == Webhook(secret).sign(id, datetime.fromtimestamp(at, tz=timezone.utc), body)
    return {
        "name": name, "secrets": list(secrets), "now": NOW,
        "headers": {"webhook-id": id, "webhook-timestamp": stamp,
                    "webhook-signature": (signature or "{}").format(made)},
        "body": body, "expect": expect, **scheme,
    }


def local(said="KILL 12345678", sender="local"):
    return text(said, sender, "msg_p5jXN8AQM9LWM0D4loKWxJek")


write("standard-webhooks", [
    standard("plain", local()),
    standard("no sender", local(sender=None), body='{"text":"KILL 12345678"}'),
    standard("blanks and unicode", local("KILL ١٢٣٤٥٦٧٨\n"), body='{ "text" : "KILL ١٢٣٤٥٦٧٨\\n", "from": "local" }\n'),
    standard("five minutes old", local(), at=NOW - 300),
    standard("five minutes ahead", local(), at=NOW + 300),
    standard("several signatures", local(), signature="v1a,AAAA v1,AAAA {}", one_of=True),
    standard("next secret during rotation", local(), secret=NEXT_SECRET, secrets=(SECRET, NEXT_SECRET)),
    standard("too old", "stale", at=NOW - 301),
    standard("too far ahead", "stale", at=NOW + 301),
    standard("secret of someone else", "signature", secret=NEXT_SECRET),
    standard("other version of signature", "signature", signature="v2{}"),
    standard("time with a fraction", "header", stamp=f"{NOW}.5"),
    standard("time with a sign", "header", stamp=f"+{NOW}"),
    standard("empty id", "header", id=""),
    standard("not json", "content", body="KILL 12345678"),
    standard("no text", "content", body='{"from":"local"}'),
    standard("unknown field", "content", body='{"text":"KILL 12345678","verb":"RESTORE"}'),
    standard("text twice", "content", body='{"text":"a","text":"b"}'),
    standard("text is a number", "content", body='{"text":12345678}'),
    standard("two documents", "content", body='{"text":"a"}{"text":"b"}'),
], fresh=300)
