"""What a person holds in the hand: an authenticator app, and a phone whose texts reach the house through providers."""

import base64
import datetime
import hashlib
import hmac
import json
import re
import secrets
import struct
import time
import xml.etree.ElementTree as ElementTree

import httpx
from standardwebhooks import Webhook
from twilio.request_validator import RequestValidator

STEP = 30


def totp(secret, step, digits):
    """RFC 6238 with SHA-1, written from the RFC: the other side must not be checked with its own code."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8), casefold=True)
    digest = hmac.new(key, struct.pack(">Q", step), hashlib.sha1).digest()
    at = digest[-1] & 15
    number = struct.unpack(">I", digest[at : at + 4])[0] & 0x7FFFFFFF
    return str(number % 10**digits).zfill(digits)


class Authenticator:
    """The app of one person: shows codes of the KILL and the RESTORE key at any step."""

    def __init__(self, people_file, person="owner"):
        people = json.loads(people_file.read_text())["people"]
        self.keys = next(one for one in people if one["name"] == person)

    def code(self, verb, later=0):
        key = self.keys[verb]
        return totp(key["secret"], int(time.time()) // STEP + later, key["digits"])

    def kill(self, later=0):
        return self.code("kill", later)

    def restore(self, later=1):
        """By default the next step's: a RESTORE code must be newer than the last KILL, and the window allows it."""
        return self.code("restore", later)


class TwilioPhone:
    """Texts that reach the house through Twilio, signed with Twilio's own library."""

    def __init__(self, kill_switch, channel, public_url, token, sender="+4917212345"):
        self.address = f"{kill_switch}/v1/inbound/{channel}"
        self.public_url = public_url
        self.validator = RequestValidator(token)
        self.sender = sender

    def form(self, body, sid=None):
        return {
            "MessageSid": sid or "SM" + secrets.token_hex(16),
            "AccountSid": "AC" + "0" * 32,
            "From": self.sender,
            "To": "+4930987654",
            "Body": body,
            "NumMedia": "0",
            "NumSegments": "1",
            "SmsStatus": "received",
        }

    def signature(self, form):
        return self.validator.compute_signature(self.public_url, form)

    def post(self, form, signature=None, limit=20.0):
        headers = {"X-Twilio-Signature": signature or self.signature(form)}
        return httpx.post(self.address, data=form, headers=headers, timeout=limit, trust_env=False)

    def text(self, body, sid=None):
        """Sends one text; gives the text that comes back, or None."""
        answer = self.post(self.form(body, sid))
        assert answer.status_code == 200, (answer.status_code, answer.text)
        return reply_of(answer.text)


def reply_of(twiml):
    """The one message of a TwiML answer, or None when it holds none."""
    document = ElementTree.fromstring(twiml)
    assert document.tag == "Response", twiml
    messages = document.findall("Message")
    assert len(messages) <= 1, twiml
    if not messages:
        return None
    text = "".join(messages[0].itertext())
    assert len(text) <= 160, f"{len(text)} characters: {text}"
    return text


class WebhookPhone:
    """Texts through the generic channel, signed with the Standard Webhooks library."""

    def __init__(self, kill_switch, secret, channel="local"):
        self.address = f"{kill_switch}/v1/inbound/{channel}"
        self.webhook = Webhook(secret)

    def post(self, text, message=None, at=None, sender=None, body=None):
        message = message or "msg_" + secrets.token_hex(12)
        at = at or datetime.datetime.now(tz=datetime.timezone.utc)
        content = {"text": text} if sender is None else {"text": text, "from": sender}
        body = body or json.dumps(content)
        headers = {
            "webhook-id": message,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": self.webhook.sign(message, at, body),
            "content-type": "application/json",
        }
        return httpx.post(self.address, content=body, headers=headers, timeout=20.0, trust_env=False)

    def text(self, text, message=None):
        answer = self.post(text, message)
        assert answer.status_code == 200, (answer.status_code, answer.text)
        return answer.json()["reply"]


def proven(reply, scope):
    """Checks that a reply says CUT plainly, with every probe dead; gives the incident number and the streams it ended.

    LATE may stand before it: the code was made before the last restore.
    """
    assert reply is not None, "no reply came back"
    assert re.match(rf"(LATE: )?CUT {scope} \d\d:\d\d:\d\dZ ", reply), reply
    assert "PARTIAL" not in reply and "UNPROVEN" not in reply, reply
    dead, probes = re.search(r"probes (\d+)/(\d+) dead", reply).groups()
    assert int(dead) == int(probes) > 0, reply
    streams = re.search(r"(\d+) streams? closed", reply)
    incident = re.search(r"#(\d+)", reply)
    return int(incident.group(1)), int(streams.group(1)) if streams else 0
