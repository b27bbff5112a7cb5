"""Twilio: the classic form, JSON bodies and shared keys, held against Twilio's own library (`pip install twilio`)."""

import base64
import hashlib
import hmac
import json
from urllib.parse import parse_qsl, urlencode

from vector_file import NOW, text, write
from twilio.request_validator import RequestValidator

TOKEN, NEXT_TOKEN = "12345678901234567890123456789012", "abcdefabcdefabcdefabcdefabcdefab"
URL = "https://kill.example.net/v1/inbound/twilio"


HASHES = {"HMAC_SHA1": hashlib.sha1, "HMAC_SHA256": hashlib.sha256}
SETTINGS_HEADER = "X-Twilio-Webhooks-Signature-Settings"
KEY, NEXT_KEY = "webhooks_sharedkey_0123456789abcdef", "webhooks_sharedkey_fedcba9876543210"
KEY_SECRET, NEXT_KEY_SECRET = "shared-0123456789abcdef0123456789", "shared-fedcba9876543210fedcba9876"


def twilio_signature(url, body, token, algorithm="HMAC_SHA1"):
    pairs = sorted(set(parse_qsl(body, keep_blank_values=True)))
    text = url + "".join(name + value for name, value in pairs)
    made = base64.b64encode(hmac.new(token.encode(), text.encode(), HASHES[algorithm]).digest()).decode()
    fields = {}
    for name, value in parse_qsl(body, keep_blank_values=True):
        fields.setdefault(name, []).append(value)

    class Multi(dict):
        def getall(self, name):
            return self[name]

    assert made == RequestValidator(token).compute_signature(url, Multi(fields), algorithm)
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


def shared(name, expect, named=KEY, algorithm="HMAC_SHA256", secret=KEY_SECRET, header=None, settings=None, **more):
    """A form signed with a shared key, and the header that names it."""
    case = twilio(name, expect, token=secret, secrets=(KEY_SECRET,), **more)
    case["headers"]["X-Twilio-Signature"] = twilio_signature(case["public_url"], case["body"], secret, algorithm)
    if header != "":
        case["headers"][SETTINGS_HEADER] = header or f"key={named},algorithm={algorithm}"
    return case | {"settings": {"shared_key": KEY, **(settings or {})}}


def as_json(name, expect, said=None, body=None, url=URL, query="bodySHA256={}", token=TOKEN, hashed=None, signed_query=None):
    """A JSON body: its hash in the query, the signature over the address alone."""
    said = {"MessageSid": "SM0123456789abcdef0123456789abcdef", "From": "+4915112345678", "Body": "KILL 12345678", "NumMedia": 0} | (said or {})
    body = json.dumps(said) if body is None else body
    query = query.format(hashlib.sha256((body if hashed is None else hashed).encode()).hexdigest())
    full = url.split("?")[0] + "?" + (query if signed_query is None else signed_query)
    signature = base64.b64encode(hmac.new(token.encode(), full.encode(), hashlib.sha1).digest()).decode()
    if not isinstance(expect, str):
        assert RequestValidator(token).validate(full, body, signature)
    return {
        "name": name, "public_url": url, "secrets": [TOKEN], "now": NOW, "query": query,
        "headers": {"X-Twilio-Signature": signature}, "body": body, "expect": expect,
    }


# The account's token beside a shared key.
BOTH = {"accept_classic": "yes", "auth_token_file": TOKEN}

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
    as_json("json", text()),
    as_json("json beside a query of our own", text(), url=URL + "?via=1", query="via=1&bodySHA256={}"),
    as_json("json with the hash of another body", "signature", hashed="{}"),
    as_json("json with a hash the signature does not cover", "signature", signed_query="bodySHA256=" + "0" * 64),
    as_json("json without a hash", "signature", query=""),
    as_json("json with two hashes", "address", query="bodySHA256={0}&bodySHA256={0}"),
    as_json("json with a hash and a query that is not configured", "address", query="bodySHA256={}&via=1"),
    as_json("json signed with another token", "signature", token=NEXT_TOKEN),
    as_json("json that is none", "content", body="KILL 12345678"),
    as_json("json without a text", "content", {"Body": 12345678}),
    shared("shared key", text()),
    shared("shared key, older algorithm", text(), algorithm="HMAC_SHA1", settings={"algorithm": "HMAC_SHA1"}),
    shared("next shared key during rotation", text(), named=NEXT_KEY, secret=NEXT_KEY_SECRET, settings={"next_shared_key": NEXT_KEY})
    | {"secrets": [KEY_SECRET, NEXT_KEY_SECRET]},
    shared("shared key named as the next one", "signature", named=NEXT_KEY, settings={"next_shared_key": NEXT_KEY})
    | {"secrets": [KEY_SECRET, NEXT_KEY_SECRET]},
    shared("shared key that is not ours", "signature", named=NEXT_KEY),
    shared("shared key with a weaker algorithm than configured", "signature", algorithm="HMAC_SHA1"),
    shared("shared key, header says more", "header", header=f"key={KEY},algorithm=HMAC_SHA256,algorithm=HMAC_SHA1"),
    shared("shared key without its header", "header", header=""),
    shared("token where only the shared key counts", "header", secret=TOKEN, algorithm="HMAC_SHA1", header=""),
    shared("token beside a shared key, where that is accepted", text(), secret=TOKEN, algorithm="HMAC_SHA1", header="", settings=BOTH),
    shared("token passed off as the shared key", "signature", secret=TOKEN, settings=BOTH),
    shared("shared key passed off as the token", "signature", algorithm="HMAC_SHA1", header="", settings=BOTH),
])
