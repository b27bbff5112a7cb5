"""Makes the vectors beside it, by the definition of each scheme, and holds them against the vendors'
own libraries: `pip install twilio standardwebhooks`, then `python make.py`."""

import base64
import hashlib
import hmac
import json
from datetime import datetime, timezone
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

from standardwebhooks.webhooks import Webhook
from twilio.request_validator import RequestValidator

HERE = Path(__file__).parent
NOW = 1_795_248_127
TOKEN, NEXT_TOKEN = "12345678901234567890123456789012", "abcdefabcdefabcdefabcdefabcdefab"
URL = "https://kill.example.net/v1/inbound/twilio"


def write(name, cases):
    lines = ",\n".join("  " + json.dumps(case, ensure_ascii=False) for case in cases)
    (HERE / name).write_text(f"[\n{lines}\n]\n")


def twilio_signature(url, body, token):
    pairs = sorted(set(parse_qsl(body, keep_blank_values=True)))
    text = url + "".join(name + value for name, value in pairs)
    made = base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()
    fields = {}
    for name, value in parse_qsl(body, keep_blank_values=True):
        fields.setdefault(name, []).append(value)

    class Multi(dict):
        def getall(self, name):
            return self[name]

    assert made == RequestValidator(token).compute_signature(url, Multi(fields))
    return made


def twilio(name, expect, fields=None, url=URL, signed_url=None, token=TOKEN, secrets=(TOKEN,), query=None, body=None):
    base = {
        "MessageSid": "SM0123456789abcdef0123456789abcdef",
        "AccountSid": "AC0123456789abcdef0123456789abcdef",
        "From": "+4915112345678", "To": "+4915187654321", "Body": "KILL 12345678",
        "NumMedia": "0", "NumSegments": "1", "FromCity": "", "SmsStatus": "received",
    }
    base.update(fields or {})
    body = urlencode({k: v for k, v in base.items() if v is not None}) if body is None else body
    signature = twilio_signature(signed_url or url.split("#")[0], body, token)
    return {
        "name": name, "public_url": url, "secrets": list(secrets), "now": NOW, "query": query,
        "headers": {"X-Twilio-Signature": signature}, "body": body, "expect": expect,
    }


def text(said="KILL 12345678", sender="+4915112345678", id="SM0123456789abcdef0123456789abcdef"):
    return {"id": id, "sender": sender, "text": said}


write("twilio.json", [
    twilio("plain", text()),
    twilio("leading and trailing blanks are signed", text("  KILL 12345678 "), {"Body": "  KILL 12345678 "}),
    twilio("unicode and markup", text("KILL １２３４５６７８ <&> ü\n"), {"Body": "KILL １２３４５６７８ <&> ü\n"}),
    twilio("fields added later", text(), {"Zukunft": "x", "aLower": "y", "MessagingServiceSid": "MG1"}),
    twilio("same field twice", text(), body="MessageSid=SM1&Body=KILL+12345678&MediaUrl=b&MediaUrl=a&MediaUrl=b&From=%2B1")
    | {"expect": text(sender="+1", id="SM1")},
    twilio("no sender", text(sender=None), {"From": None}),
    twilio("empty body", text(""), {"Body": ""}),
    twilio("signed with the port", text(), signed_url="https://kill.example.net:443/v1/inbound/twilio"),
    twilio("signed without the port", text(), url="https://kill.example.net:8443/in", signed_url="https://kill.example.net/in"),
    twilio("own port", text(), url="https://kill.example.net:8443/in"),
    twilio("plain http behind a proxy", text(), url="http://10.0.0.2/in", signed_url="http://10.0.0.2:80/in"),
    twilio("address with a query", text(), url=URL + "?via=1", query="via=1"),
    twilio("address with a fragment", text(), url=URL + "#rc=3&rp=all"),
    twilio("next secret during rotation", text(), token=NEXT_TOKEN, secrets=(TOKEN, NEXT_TOKEN)),
    twilio("secret of someone else", "signature", token=NEXT_TOKEN),
    twilio("signed for another path", "signature", signed_url=URL + "x"),
    twilio("query that is not configured", "address", query="via=1"),
    twilio("text twice", "content", body="MessageSid=SM1&Body=a&Body=b"),
    twilio("no id", "content", {"MessageSid": None}),
    twilio("no text", "content", {"Body": None}),
])

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NEXT_SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()


def standard(name, expect, body='{"text":"KILL 12345678","from":"local"}', at=NOW, secret=SECRET, secrets=(SECRET,),
             id="msg_p5jXN8AQM9LWM0D4loKWxJek", stamp=None, signature=None):
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
        "body": body, "expect": expect,
    }


def local(said="KILL 12345678", sender="local"):
    return text(said, sender, "msg_p5jXN8AQM9LWM0D4loKWxJek")


write("standard_webhooks.json", [
    standard("plain", local()),
    standard("no sender", local(sender=None), body='{"text":"KILL 12345678"}'),
    standard("blanks and unicode", local("KILL ١٢٣٤٥٦٧٨\n"), body='{ "text" : "KILL ١٢٣٤٥٦٧٨\\n", "from": "local" }\n'),
    standard("five minutes old", local(), at=NOW - 300),
    standard("five minutes ahead", local(), at=NOW + 300),
    standard("several signatures", local(), signature="v1a,AAAA v1,AAAA {}"),
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
])
