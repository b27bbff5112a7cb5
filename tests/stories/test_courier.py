"""The courier: its requests against those of the vendors' own libraries, and a whole house cut by Telegram."""

import json
import secrets
import socket
import threading

import pytest
import requests
from house import toml
from peers import built
from phone import proven
from provider import Provider
from waiting import Child, until

FROM, TO = "+15550001111", "+4712345678"
TEXT = "CUT ALL 14:02:07Z 0.18s. 12/12 routes blocked & probes 24/24 dead. By AK #7F3A"
TWILIO, PLIVO = "AC" + "0" * 32, "MA" + "A" * 18
WEBHOOK = "whsec_" + "QUFB" * 8


class Adapter(requests.adapters.HTTPAdapter):
    """Takes an SDK's request for its vendor's host to loopback instead."""

    def __init__(self, host):
        super().__init__()
        self.host = host

    def send(self, request, **kwargs):
        path = request.url.split("/", 3)[3]
        request.url = f"http://{self.host}/{path}"
        return super().send(request, **kwargs)


class Sdk:
    """Sends the same text by each vendor's own library."""

    def __init__(self, provider):
        self.url, self.host = provider.url, provider.host

    def telnyx(self):
        import telnyx

        client = telnyx.Telnyx(api_key="KEY123", base_url=f"{self.url}/v2")
        client.messages.send(from_=FROM, to=TO, text=TEXT)

    def vonage(self):
        import vonage

        client = vonage.Vonage(vonage.Auth(api_key="key1", api_secret="secret1"))
        client.http_client._session.mount("https://", Adapter(self.host))
        return client

    def vonage_sms(self):
        from vonage_sms import SmsMessage

        self.vonage().sms.send(SmsMessage(to=TO[1:], from_=FROM[1:], text=TEXT))

    def vonage_messages(self):
        from vonage_messages import Sms

        self.vonage().messages.send(Sms(to=TO[1:], from_=FROM[1:], text=TEXT))

    def sinch(self):
        from sinch import SinchClient

        client = SinchClient(service_plan_id="plan1", sms_api_token="token1", sms_region="eu")
        client.configuration.transport.http_session.mount("https://", Adapter(self.host))
        client.sms.batches.send_sms(to=[TO], from_=FROM, body=TEXT)

    def messagebird(self):
        import messagebird
        from messagebird.http_client import HttpClient

        client = messagebird.Client("KEY1", http_client=HttpClient(self.url, "KEY1", "a test"))
        client.message_create(FROM[1:], [TO[1:]], TEXT)

    def sms_gate(self):
        from android_sms_gateway import client, domain

        message = domain.Message(phone_numbers=[TO], text_message=domain.TextMessage(text=TEXT))
        with client.APIClient("user", "password", base_url=f"{self.url}/3rdparty/v1") as gate:
            gate.send(message)

    def twilio(self):
        from twilio.rest import Client

        client = Client(TWILIO, "token")
        client.api.base_url = self.url
        client.messages.create(to=TO, from_=FROM, body=TEXT)

    def plivo(self):
        import plivo

        client = plivo.RestClient(PLIVO, "token")
        client.session.mount("https://", Adapter(self.host))
        client.messages.create(src=FROM[1:], dst=TO[1:], text=TEXT)

    def sns(self):
        self.aws("pinpoint-sms-voice-v2").send_text_message(
            DestinationPhoneNumber=TO, OriginationIdentity=FROM, MessageBody=TEXT, MessageType="TRANSACTIONAL"
        )

    def aws(self, service):
        import boto3

        return boto3.client(
            service, region_name="eu-west-1", endpoint_url=self.url, aws_access_key_id="AKID", aws_secret_access_key="SECRET"
        )


# Kind, and what the courier needs to reply by it; a key that ends in `_file` is written to one.
CHANNELS = {
    "telnyx": {"reply_key_file": "KEY123", "reply_from": FROM},
    "vonage-sms": {"reply_key": "key1", "reply_secret_file": "secret1", "reply_from": FROM},
    "vonage-messages": {"reply_key": "key1", "reply_secret_file": "secret1", "reply_from": FROM},
    "sinch": {"reply_plan": "plan1", "reply_token_file": "token1", "reply_from": FROM},
    "messagebird": {"reply_key_file": "KEY1", "reply_from": FROM},
    "sms-gate": {"reply_user": "user", "reply_password_file": "password"},
    "twilio": {"reply_account": TWILIO, "reply_token_file": "token", "reply_from": FROM},
    "plivo": {"reply_account": PLIVO, "reply_token_file": "token", "reply_from": FROM},
    "sns": {"aws_region": "eu-west-1", "aws_access_key": "AKID", "aws_secret_key_file": "SECRET", "reply_from": FROM},
    "standard-webhooks": {"secret_file": WEBHOOK},
}
PATHS = {"sms-gate": "/3rdparty/v1/messages", "standard-webhooks": "/hook"}


def accepted(asked):
    """What each vendor answers when it takes a text."""
    if asked.path == "/sms/json":
        part = {"to": TO, "message-id": "1", "status": "0", "remaining-balance": "1", "message-price": "0", "network": "1"}
        return 200, {"message-count": "1", "messages": [part]}
    if asked.path.endswith("/Message/"):
        return 202, {"message": "queued", "message_uuid": ["1"], "api_id": "1"}
    if asked.path == "/messages":
        return 201, {"id": "1", "recipients": {"items": []}}
    return 201, {"id": "1", "message_uuid": "1", "MessageId": "1", "sid": "1", "state": "Pending", "recipients": [], "data": {}}


def channel(folder, kind, settings):
    lines = [f"[[killswitch.channels]]\nname = {toml(kind)}\nkind = {toml(kind)}"]
    for name, value in settings.items():
        if name.endswith("_file"):
            path = folder / f"{kind}.{name}"
            path.write_text(value + "\n")
            path.chmod(0o600)
            value = str(path)
        lines.append(f"{name} = {toml(value)}")
    return "\n".join(lines) + "\n"


class Link:
    """The kill switch's end of the courier's socket."""

    def __init__(self, path):
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen()
        self.heard, self.number, self.stream = [], 0, None
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        self.stream, _ = self.listener.accept()
        for line in self.stream.makefile():
            self.heard.append(json.loads(line))

    def reply(self, kind):
        until("the courier", lambda: self.stream)
        self.number += 1
        number = self.number
        message = {"is": "reply", "number": number, "channel": kind, "to": TO, "text": TEXT}
        self.stream.sendall(json.dumps(message).encode() + b"\n")
        ends = ("sent", "not_sent")
        ended = until("the end of the reply", lambda: [m for m in self.heard if m["is"] in ends and m["number"] == number])
        assert ended[0] == {"is": "sent", "number": number}, ended


@pytest.fixture(scope="module")
def courier(tmp_path_factory):
    """A courier with every channel that replies, and the one server all of them lead to."""
    folder = tmp_path_factory.mktemp("courier")
    provider = Provider(accepted)
    state = folder / "s" / "killswitch"
    state.mkdir(parents=True)
    link = Link(state / "courier.sock")
    config = folder / "portcullis.toml"
    config.write_text(
        "".join(
            channel(folder, kind, settings | {"reply_url": provider.url + PATHS.get(kind, "")})
            for kind, settings in CHANNELS.items()
        )
    )
    child = Child([built("kill-courier"), "--config", config, "--data", folder / "s"], folder, "courier")
    until("the courier", lambda: link.stream or not child.running())
    assert child.running(), child.err.read_text()
    yield link, provider
    child.stop()
    provider.close()
    log = child.err.read_text() + child.out.read_text()
    for secret in (TEXT, TO, "KEY123", "secret1", "token1", "password", "SECRET"):
        assert secret not in log


def ours(courier, kind):
    link, provider = courier
    return provider.newest(lambda: link.reply(kind))


@pytest.mark.parametrize("kind", [kind for kind in CHANNELS if kind not in ("standard-webhooks", "sns")])
def test_a_reply_is_what_the_vendors_own_library_sends(courier, kind):
    made = ours(courier, kind)
    provider = courier[1]
    theirs = provider.newest(getattr(Sdk(provider), kind.replace("-", "_")))
    assert (made.method, made.path) == (theirs.method, theirs.path)
    assert made.headers["authorization"] == theirs.headers["authorization"]
    media = [asked.headers["content-type"].split(";")[0] for asked in (made, theirs)]
    assert media[0] == media[1]
    wanted, found = theirs.fields(), made.fields()
    if kind == "sms-gate":
        # Chosen otherwise: an id of ours, so that a text handed over twice is one; ahead of what else waits there.
        assert found.pop("id").startswith("portcullis-")
        assert (found.pop("priority"), found.pop("withDeliveryReport")) == (127, False)
        for name in ("priority", "withDeliveryReport", "isEncrypted"):
            wanted.pop(name, None)
    if kind == "plivo":
        # What holds where nothing is said.
        for name, usual in (("log", "true"), ("method", "POST"), ("trackable", False), ("type", "sms")):
            assert wanted.pop(name, usual) == usual
    if kind == "sinch":
        # Said by default where it is not.
        assert found.pop("type") == "mt_text"
        wanted.pop("type", None)
    assert found == wanted


def signature(asked, service):
    """What botocore signs for the same request at the same second."""
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    signed = asked.headers["authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")
    headers = {name: asked.headers[name] for name in signed}
    request = AWSRequest("POST", f"http://{asked.headers['host']}/", data=asked.body, headers=headers)
    request.context["timestamp"] = asked.headers["x-amz-date"]
    signer = SigV4Auth(Credentials("AKID", "SECRET"), service, "eu-west-1")
    return signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)


def test_aws_is_asked_and_signed_as_its_own_library_does(courier):
    made = ours(courier, "sns")
    provider = courier[1]
    theirs = provider.newest(Sdk(provider).sns)
    assert (made.method, made.path, made.fields()) == (theirs.method, theirs.path, theirs.fields())
    for name in ("x-amz-target", "content-type"):
        assert made.headers[name] == theirs.headers[name]
    scope = [asked.headers["authorization"].split("Credential=")[1].split(", Signature")[0] for asked in (made, theirs)]
    assert scope[0].split("/")[2:] == scope[1].split("/")[2:]
    # The check itself is sound: it finds the library's own signature.
    for asked in (theirs, made):
        assert asked.headers["authorization"].endswith("Signature=" + signature(asked, "sms-voice"))


def test_a_generic_reply_verifies_with_the_standards_own_library(courier):
    from standardwebhooks import Webhook

    made = ours(courier, "standard-webhooks")
    assert Webhook(WEBHOOK).verify(made.body, made.headers) == {"to": TO, "text": TEXT}


class Telegram:
    """Telegram's bot interface for one bot in one chat."""

    def __init__(self, token):
        self.updates, self.said, self.next = [], [], 100
        self.token = token

    def text(self, text):
        self.next += 1
        message = {"message_id": self.next, "date": 1, "chat": {"id": 4711, "type": "private"}, "text": text}
        self.updates.append({"update_id": self.next, "message": message})

    def __call__(self, asked):
        _, bot, method = asked.path.split("/")
        assert bot == f"bot{self.token}"
        if method == "sendMessage":
            self.said.append(asked.json())
            return 200, {"ok": True, "result": {}}
        offset = asked.json().get("offset", 0)
        self.updates = [update for update in self.updates if update["update_id"] >= offset]
        if not self.updates:
            threading.Event().wait(0.05)
        return 200, {"ok": True, "result": self.updates}


def test_a_text_by_telegram_cuts_and_the_proof_comes_back(build, scripted, tmp_path):
    token = "123456:" + secrets.token_urlsafe(24)
    telegram = Telegram(token)
    provider = Provider(telegram)
    house = build([("lab", "local", scripted)], [("chat", ["*"], ["lab"])], restorable=())
    settings = {"secret_file": token, "chats": "4711", "api_url": provider.url}
    house.config.write_text(house.config.read_text() + channel(tmp_path, "telegram", settings))
    house.start()
    app = house.app()
    telegram.text(f"KILL {app.kill()}")
    said = until("the reply", lambda: telegram.said, limit=30)
    assert said[0]["chat_id"] == 4711
    proven(said[0]["text"], "ALL")
    assert house.cut_scopes() == ["ALL"] and house.code_of_models() == "cut"
    until("the confirmation", lambda: telegram.updates == [])

    # A text by Telegram may restore only what the owner said texts may.
    telegram.text(f"RESTORE ALL {app.restore()}")
    until("the refusal", lambda: "not restored by text" in house.log(), limit=30)
    until("the confirmation", lambda: telegram.updates == [])
    assert house.cut_scopes() == ["ALL"]
    assert token not in house.log()
    provider.close()
