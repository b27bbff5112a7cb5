"""Texts by Telnyx, Vonage, MessageBird and Sinch: each signed, or at least accepted, by the provider's own library."""

import base64
import hashlib
import json
import secrets
import time
from urllib.parse import urlencode

import httpx
import jwt
import pytest
from messagebird.request_validator import RequestValidator
from nacl.signing import SigningKey
from sinch.domains.authentication.sinch_events.v1 import authentication_validation as sinch
from telnyx import Telnyx
from vonage import Auth
from vonage_jwt.verify_jwt import verify_signature
from waiting import until

HOST = "https://kill.example.net/v1/inbound/"
SENDER = "447700900001"


class Phone:
    """Texts by one provider: `sign` gives the request of a text, as the provider would send it now."""

    settings = {}

    def __init__(self):
        self.secret = secrets.token_hex(24)

    @property
    def name(self):
        return self.kind

    @property
    def config(self):
        lines = "".join(f"{key} = {json.dumps(value)}\n" for key, value in self.settings.items())
        return f'[[killswitch.channels]]\nname = "{self.kind}"\nkind = "{self.kind}"\npublic_url = "{HOST}{self.kind}"\n{lines}'

    def send(self, house, request):
        method, query, headers, body = request
        address = f"{house.kill_switch}/v1/inbound/{self.name}" + (f"?{query}" if query else "")
        return httpx.request(method, address, content=body, headers=headers, timeout=20, trust_env=False)


class TelnyxPhone(Phone):
    kind = "telnyx"

    def __init__(self):
        self.key = SigningKey.generate()
        self.secret = base64.b64encode(bytes(self.key.verify_key)).decode()

    def sign(self, words):
        payload = {"id": secrets.token_hex(16), "direction": "inbound", "from": {"phone_number": f"+{SENDER}"}, "text": words, "type": "SMS"}
        body = json.dumps({"data": {"event_type": "message.received", "id": secrets.token_hex(16), "payload": payload, "record_type": "event"}})
        at = str(int(time.time()))
        signature = base64.b64encode(self.key.sign(f"{at}|{body}".encode()).signature).decode()
        headers = {"telnyx-signature-ed25519": signature, "telnyx-timestamp": at}
        Telnyx(api_key="none", public_key=self.secret).webhooks.unwrap(body, headers=headers)
        return "POST", None, headers, body


class VonageSmsPhone(Phone):
    kind = "vonage-sms"
    settings = {"algorithm": "sha512"}

    def fields(self, words):
        fields = {
            "msisdn": SENDER, "to": "447700900000", "messageId": secrets.token_hex(8), "text": words, "type": "text", "keyword": "KILL",
            "api-key": "abcd1234", "message-timestamp": "2026-11-21 07:22:07", "timestamp": str(int(time.time())), "nonce": secrets.token_hex(8),
        }
        auth = Auth(api_key="abcd1234", api_secret="none", signature_secret=self.secret, signature_method="sha512")
        return fields | {"sig": auth.sign_params(dict(fields))}

    def sign(self, words):
        return "POST", None, {"content-type": "application/json"}, json.dumps(self.fields(words))


class VonageSmsByQuery(VonageSmsPhone):
    def sign(self, words):
        return "GET", urlencode(self.fields(words)), {}, ""


class VonageMessagesPhone(Phone):
    kind = "vonage-messages"

    def sign(self, words):
        body = json.dumps({"channel": "sms", "message_uuid": secrets.token_hex(16), "from": SENDER, "to": "447700900000", "message_type": "text", "text": words})
        claims = {"iat": int(time.time()), "jti": secrets.token_hex(8), "iss": "Vonage", "payload_hash": hashlib.sha256(body.encode()).hexdigest(), "api_key": "a1b2c3d"}
        token = jwt.encode(claims, self.secret, algorithm="HS256")
        assert verify_signature(token, self.secret)
        return "POST", None, {"authorization": f"Bearer {token}"}, body


class MessageBirdPhone(Phone):
    kind = "messagebird"

    def sign(self, words):
        body = urlencode({"id": secrets.token_hex(16), "recipient": "31612345678", "originator": SENDER, "body": words})
        now, url = int(time.time()), HOST + self.kind
        claims = {
            "iss": "MessageBird", "nbf": now, "exp": now + 60, "jti": secrets.token_hex(8),
            "url_hash": hashlib.sha256(url.encode()).hexdigest(), "payload_hash": hashlib.sha256(body.encode()).hexdigest(),
        }
        token = jwt.encode(claims, self.secret, algorithm="HS256")
        RequestValidator(self.secret).validate_signature(token, url, body.encode())
        return "POST", None, {"messagebird-signature-jwt": token}, body


class SinchPhone(Phone):
    kind = "sinch"

    def sign(self, words):
        body = json.dumps({"type": "mo_text", "id": secrets.token_hex(13), "from": SENDER, "to": "12345", "body": words})
        nonce, at = secrets.token_hex(13), str(int(time.time()))
        name = "x-sinch-webhook-signature"
        made = sinch.calculate_sinch_event_signature(sinch.compute_signed_data(body, nonce, at), self.secret)
        headers = {name: made, f"{name}-nonce": nonce, f"{name}-timestamp": at, f"{name}-algorithm": "HmacSHA256"}
        assert sinch.validate_sinch_event_signature_with_nonce(self.secret, headers, body)
        return "POST", None, headers, body


PHONES = [TelnyxPhone, VonageSmsPhone, VonageSmsByQuery, VonageMessagesPhone, MessageBirdPhone, SinchPhone]


def flipped(request):
    """The same request with another word in what is signed: as long, and as well formed."""
    method, query, headers, body = request
    assert "KILL" in (query or "") + body
    return method, query and query.replace("KILL", "KILM"), headers, body.replace("KILL", "KILM")


@pytest.mark.parametrize("provider", PHONES, ids=lambda one: one.__name__)
def test_a_text_signed_as_the_provider_signs_cuts_once(build, scripted, provider):
    phone = provider()
    house = build([("lab", "local", scripted)], [("chat", ["*"], ["lab"])])
    secret = house.secret(f"{phone.kind}.secret", phone.secret)
    house.config.write_text(house.config.read_text() + f"{phone.config}secret_file = {json.dumps(secret)}\n")
    house.start()
    request = phone.sign(f"KILL ALL {house.app().kill()}")

    refused = phone.send(house, flipped(request))
    assert refused.status_code == 403, refused.text
    assert house.cut_scopes() == [] and house.code_of_models() is None

    taken = phone.send(house, request)
    assert (taken.status_code, taken.text) == (200, ""), "the reply goes by the provider's API"
    until("the cut", lambda: house.cut_scopes() == ["ALL"] and house.code_of_models() == "cut")

    # What was done once is not done again: not after a restore, and not for a signature that still holds.
    assert house.generic().text(f"RESTORE ALL {house.app().restore()}").startswith("RESTORED ALL")
    until("the gateway to open", lambda: house.code_of_models() is None)
    cuts = house.journal().count('"is":"cut"')
    assert phone.send(house, request).status_code == 200, "its provider must not try for ever"
    status = phone.send(house, phone.sign("STATUS"))
    assert status.status_code == 200, "a later text of the same channel was taken, so the replay was decided about"
    assert house.cut_scopes() == [] and house.code_of_models() is None
    assert house.journal().count('"is":"cut"') == cuts
    written = "".join(path.read_text(errors="replace") for path in house.folder.glob("up-*.*")) + house.journal()
    for word in (phone.secret, SENDER, *(value for value in request[2].values() if len(value) > 20)):
        assert word not in written, "a secret, a number or a signature stands in a log"
