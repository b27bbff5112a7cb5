"""Texts by Twilio's newer signatures, Plivo, Amazon SNS, the Android gateway and 46elks, signed by the providers' own
libraries where they have one, and by the definition where they have none."""

import base64
import datetime
import hashlib
import hmac
import json
import secrets
import sys
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from urllib.parse import urlencode

import pytest
from phone import proven, reply_of
from plivo.utils import signature_v3, validate_signature
from test_providers_a import HOST, Phone
from twilio.request_validator import SIGNATURE_SETTINGS_HEADER, RequestValidator
from waiting import until

sys.path.append(str(Path(__file__).parents[2] / "killswitch/inbound/vectors"))
from seeded_certificates import Holder  # noqa: E402

SENDER = "447700900001"
FORM = {"content-type": "application/x-www-form-urlencoded"}


class TwilioSharedKey(Phone):
    """A form signed with a shared key instead of the account's token."""

    name, kind, restores = "twilio-shared", "twilio", True
    key = "webhooks_sharedkey_story"
    settings = {"shared_key": key}

    def sign(self, words):
        form = {"MessageSid": "SM" + secrets.token_hex(16), "From": f"+{SENDER}", "To": "+4930987654", "Body": words, "NumMedia": "0"}
        made = RequestValidator(self.secret).compute_signature(HOST + self.name, form, "HMAC_SHA256")
        headers = {"x-twilio-signature": made, SIGNATURE_SETTINGS_HEADER: f"key={self.key},algorithm=HMAC_SHA256"}
        return "POST", None, FORM | headers, urlencode(form)

    def reply(self, answer):
        return reply_of(answer.text)


class TwilioJson(TwilioSharedKey):
    """A JSON body whose hash stands in the address."""

    name = "twilio-json"
    settings = {}

    def sign(self, words):
        said = {"MessageSid": "SM" + secrets.token_hex(16), "From": f"+{SENDER}", "Body": words}
        body, validator = json.dumps(said), RequestValidator(self.secret)
        query = f"bodySHA256={validator.compute_hash(body)}"
        made = validator.compute_signature(f"{HOST}{self.name}?{query}", {})
        assert validator.validate(f"{HOST}{self.name}?{query}", body, made)
        return "POST", query, {"content-type": "application/json", "x-twilio-signature": made}, body


class PlivoThird(Phone):
    """Plivo's scheme that signs the fields."""

    name, kind, restores = "plivo", "plivo", False
    settings = {"number": "15550100123"}

    def form(self, words):
        return {"From": SENDER, "To": "15550100123", "Type": "sms", "Text": words, "MessageUUID": secrets.token_hex(16)}

    def sign(self, words):
        form, nonce = self.form(words), str(secrets.randbelow(10**20)).zfill(20)
        base = signature_v3.construct_post_url(HOST + self.name, form).decode()
        made = signature_v3.get_signature_v3(self.secret, base, nonce).decode()
        return "POST", None, FORM | {"x-plivo-signature-v3": made, "x-plivo-signature-v3-nonce": nonce}, urlencode(form)

    def reply(self, answer):
        message = ElementTree.fromstring(answer.text).find("Message")
        if message is None:
            return None
        assert (message.get("src"), message.get("dst")) == ("15550100123", SENDER)
        return message.text


class PlivoSecond(PlivoThird):
    """The one documented for messages: the text itself is not signed, so that a secret stands in the address."""

    path = secrets.token_hex(16)
    settings = PlivoThird.settings | {"accept_v2": "yes"}
    files = {"url_secret_file": path}

    def sign(self, words):
        nonce = str(secrets.randbelow(10**20)).zfill(20)
        made = base64.b64encode(hmac.new(self.secret.encode(), f"{HOST}{self.name}{nonce}".encode(), hashlib.sha256).digest()).decode()
        assert validate_signature(f"{HOST}{self.name}?k={self.path}", nonce, made, self.secret)
        return "POST", f"k={self.path}", FORM | {"x-plivo-signature-v2": made, "x-plivo-signature-v2-nonce": nonce}, urlencode(self.form(words))

    def flip(self, request):
        method, query, headers, body = request
        return method, query, headers | {"x-plivo-signature-v2-nonce": "0" * 20}, body


class Sns(Phone):
    """SNS with an authority of our own in place of Amazon's."""

    name, kind, restores = "sns", "sns", True
    arn = "arn:aws:sns:eu-west-1:123456789012:texts"

    def __init__(self):
        self.secret = None
        now = datetime.datetime.now(datetime.timezone.utc)
        dates = {"since": now - datetime.timedelta(days=1), "until": now + datetime.timedelta(days=1)}
        root = Holder("Story root", **dates)
        self.holder = Holder("Story SNS", root, "sns.amazonaws.com", **dates)
        self.settings = {"topic_arn": self.arn}
        self.files = {"certificate_file": self.holder.pem, "roots_file": root.pem}

    def sign(self, words):
        said = {"originationNumber": f"+{SENDER}", "destinationNumber": "+12125550101", "messageBody": words}
        now = datetime.datetime.now(datetime.timezone.utc)
        envelope = {
            "Type": "Notification", "MessageId": secrets.token_hex(16), "TopicArn": self.arn, "Message": json.dumps(said),
            "Timestamp": now.strftime("%Y-%m-%dT%H:%M:%S.000Z"), "SignatureVersion": "2",
            "SigningCertURL": "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0.pem",
        }
        lines = "".join(f"{name}\n{envelope[name]}\n" for name in ("Message", "MessageId", "Timestamp", "TopicArn", "Type"))
        envelope["Signature"] = base64.b64encode(self.holder.sign(lines)).decode()
        return "POST", None, {"content-type": "text/plain; charset=UTF-8", "x-amz-sns-message-type": "Notification"}, json.dumps(envelope)

    def reply(self, answer):
        assert answer.text == "", "the reply goes by the provider's API"


class SmsGate(Phone):
    name, kind, restores = "sms-gate", "sms-gate", True

    def sign(self, words):
        payload = {"message": words, "sender": f"+{SENDER}", "recipient": "+1", "messageId": "a80532bb", "simNumber": 1}
        body, at = json.dumps({"id": secrets.token_hex(10), "event": "sms:received", "deviceId": "d", "payload": payload}), str(int(time.time()))
        made = hmac.new(self.secret.encode(), (body + at).encode(), hashlib.sha256).hexdigest()
        return "POST", None, {"content-type": "application/json", "x-signature": made, "x-timestamp": at}, body

    def reply(self, answer):
        assert answer.text == "", "the reply goes by the phone's API"


class Elks46(Phone):
    """Nothing is signed: a secret in the address shows who calls."""

    name, kind, restores = "elks", "46elks", False

    def sign(self, words):
        form = {"direction": "incoming", "id": "s" + secrets.token_hex(16), "from": f"+{SENDER}", "to": "+46706860000", "message": words}
        return "POST", f"k={self.secret}", FORM, urlencode(form)

    def reply(self, answer):
        return answer.text or None

    def flip(self, request):
        method, query, headers, body = request
        return method, query[:-1] + ("0" if query[-1] != "0" else "1"), headers, body


PHONES = [TwilioSharedKey, TwilioJson, PlivoThird, PlivoSecond, Sns, SmsGate, Elks46]


def flipped(phone, request):
    """The same request with another word in what is signed."""
    if hasattr(phone, "flip"):
        return phone.flip(request)
    method, query, headers, body = request
    assert "KILL" in body
    return method, query, headers, body.replace("KILL", "KILM")


def settle(build, scripted, phone):
    """A house with this channel, where a text may restore everything if its channel is trusted enough."""
    house = build([("lab", "local", scripted)], [("chat", ["*"], ["lab"])], restorable=["ALL"])
    files = dict(getattr(phone, "files", {}), **({"secret_file": phone.secret} if phone.secret else {}))
    settings = phone.settings | {key: house.secret(f"{phone.name}.{key}", text) for key, text in files.items()}
    lines = "".join(f"{key} = {json.dumps(value)}\n" for key, value in settings.items())
    channel = f'[[killswitch.channels]]\nname = "{phone.name}"\nkind = "{phone.kind}"\npublic_url = "{HOST}{phone.name}"\n{lines}'
    house.config.write_text(house.config.read_text() + channel)
    return house.start()


@pytest.mark.parametrize("provider", PHONES, ids=lambda one: one.__name__)
def test_a_signed_text_cuts_once_and_restores_only_where_its_signature_reaches(build, scripted, provider):
    phone = provider()
    house = settle(build, scripted, phone)
    app = house.app()
    code = app.kill()
    request = phone.sign(f"KILL ALL {code}")

    refused = phone.send(house, flipped(phone, request))
    assert refused.status_code == 403, refused.text
    assert house.cut_scopes() == [] and house.code_of_models() is None

    taken = phone.send(house, request)
    assert taken.status_code == 200, taken.text
    said = phone.reply(taken)
    if said is not None:
        proven(said, "ALL")
    until("the cut", lambda: house.cut_scopes() == ["ALL"] and house.code_of_models() == "cut")

    restore = phone.send(house, phone.sign(f"RESTORE ALL {app.restore()}"))
    assert restore.status_code == 200, restore.text
    if phone.restores:
        until("the gateway to open", lambda: house.cut_scopes() == [] and house.code_of_models() is None)
    else:
        refusal = phone.reply(restore)
        assert refusal is None or not refusal.startswith("RESTORED"), refusal
        assert house.cut_scopes() == ["ALL"] and house.code_of_models() == "cut"
        assert house.generic().text(f"RESTORE ALL {app.restore()}").startswith("RESTORED ALL")
        until("the gateway to open", lambda: house.code_of_models() is None)

    # What was done once is not done again, for a signature that still holds.
    cuts = house.journal().count('"is":"cut"')
    again = phone.send(house, request)
    assert again.status_code == 200, "its provider must not try for ever"
    assert phone.send(house, phone.sign("STATUS")).status_code == 200, "a later text was taken, so the replay was decided about"
    assert house.cut_scopes() == [] and house.code_of_models() is None
    assert house.journal().count('"is":"cut"') == cuts
    written = "".join(path.read_text(errors="replace") for path in house.folder.glob("up-*.*")) + house.journal()
    secret = [phone.secret] if phone.secret else []
    for word in [code, SENDER, *secret, *(value for key, value in request[2].items() if "signature" in key and len(value) > 20)]:
        assert word not in written, "a secret, a number or a signature stands in a log"


def test_whoever_captures_a_call_of_plivos_second_scheme_can_cut_with_a_code_and_do_nothing_else(build, scripted):
    phone = PlivoSecond()
    house = settle(build, scripted, phone)
    app = house.app()
    method, query, headers, body = phone.sign(f"KILL ALL {app.kill()}")
    first = phone.send(house, (method, query, headers, body))
    incident, _ = proven(phone.reply(first), "ALL")
    # The text is not signed: others can be put under the same signature, the address and the nonce being what they were.
    restore = app.restore()
    for words in (f"RESTORE ALL {restore}", "KILL ALL 00000000", "STATUS", "DRILL 00000000"):
        captured = phone.send(house, (method, query, headers, urlencode(phone.form(words))))
        assert captured.status_code == 200
        reply = phone.reply(captured)
        assert reply is None or not reply.startswith(("RESTORED", "DRILL")), (words, reply)
        assert house.cut_scopes() == ["ALL"] and house.state()["latches"][0]["incident"] == incident
    # Nor was the RESTORE code spent by it.
    assert house.generic().text(f"RESTORE ALL {restore}").startswith("RESTORED ALL")


@pytest.mark.parametrize("provider", [TwilioSharedKey, TwilioJson], ids=lambda one: one.__name__)
def test_no_header_and_no_form_leads_back_to_a_weaker_signature_of_twilio(build, scripted, provider):
    phone = provider()
    house = settle(build, scripted, phone)
    code = house.app().kill()
    method, query, headers, body = phone.sign(f"KILL ALL {code}")
    classic = RequestValidator(phone.secret)
    form = {"MessageSid": "SM" + secrets.token_hex(16), "From": f"+{SENDER}", "Body": f"KILL ALL {code}"}
    weak = {"x-twilio-signature": classic.compute_signature(HOST + phone.name, form)}
    named = {SIGNATURE_SETTINGS_HEADER: f"key={TwilioSharedKey.key},algorithm=HMAC_SHA1"}
    attempts = [(method, None, headers, body)] if query else [(method, query, weak, urlencode(form)), (method, query, weak | named, urlencode(form))]
    for attempt in attempts:
        assert phone.send(house, attempt).status_code == 403, attempt
    assert house.cut_scopes() == []
    assert phone.send(house, (method, query, headers, body)).status_code == 200
    until("the cut", lambda: house.cut_scopes() == ["ALL"])
