"""Twilio: HMAC-SHA1 over the address and the form, held against Twilio's own library (`pip install twilio`)."""

import base64
import hashlib
import hmac
from urllib.parse import parse_qsl, urlencode

from vector_file import NOW, text, write
from twilio.request_validator import RequestValidator

TOKEN, NEXT_TOKEN = "12345678901234567890123456789012", "abcdefabcdefabcdefabcdefabcdefab"
URL = "https://kill.example.net/v1/inbound/twilio"


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


def twilio(name, expect, fields=None, url=URL, signed_url=None, token=TOKEN, secrets=(TOKEN,), query=None, body=None, **scheme):
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
        "headers": {"X-Twilio-Signature": signature}, "body": body, "expect": expect, **scheme,
    }


# Twilio signs the address now with its port, now without.
PORT = {"not_signed": ["port"]}

write("twilio", [
    twilio("plain", text()),
    twilio("leading and trailing blanks are signed", text("  KILL 12345678 "), {"Body": "  KILL 12345678 "}),
    twilio("unicode and markup", text("KILL １２３４５６７８ <&> ü\n"), {"Body": "KILL １２３４５６７８ <&> ü\n"}),
    twilio("fields added later", text(), {"Zukunft": "x", "aLower": "y", "MessagingServiceSid": "MG1"}),
    twilio("same field twice", text(), body="MessageSid=SM1&Body=KILL+12345678&MediaUrl=b&MediaUrl=a&MediaUrl=b&From=%2B1")
    | {"expect": text(sender="+1", id="SM1")},
    twilio("no sender", text(sender=None), {"From": None}),
    twilio("empty body", text(""), {"Body": ""}),
    twilio("signed with the port", text(), signed_url="https://kill.example.net:443/v1/inbound/twilio", **PORT),
    twilio("signed without the port", text(), url="https://kill.example.net:8443/in", signed_url="https://kill.example.net/in", **PORT),
    twilio("own port", text(), url="https://kill.example.net:8443/in", **PORT),
    twilio("plain http behind a proxy", text(), url="http://10.0.0.2/in", signed_url="http://10.0.0.2:80/in", **PORT),
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
