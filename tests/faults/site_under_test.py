"""A house in parts, one process each, with every way to text that people are told to set up, and somebody who tries them in turn."""

import hashlib
import hmac
import json
import re
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import httpx
from house import House
from peers import Scripted, built
from phone import Authenticator, WebhookPhone
from streams import RawStream
from waiting import Child, free_ports, until




class SecondProvider:
    """The Android app as a second provider: HMAC-SHA-256 over body and time, as its documentation has it."""

    def __init__(self, kill_switch, key, channel="second"):
        self.address, self.key = f"{kill_switch}/v1/inbound/{channel}", key

    def text(self, body):
        payload = {"message": body, "phoneNumber": "+4917298765", "simNumber": 1, "messageId": secrets.token_hex(4), "receivedAt": "2026-11-21T10:00:00.000+00:00"}
        event = {"event": "sms:received", "id": secrets.token_urlsafe(16), "deviceId": "phone", "webhookId": "hook", "payload": payload}
        content, at = json.dumps(event), str(int(time.time()))
        signature = hmac.new(self.key.encode(), (content + at).encode(), hashlib.sha256).hexdigest()
        headers = {"x-signature": signature, "x-timestamp": at, "content-type": "application/json"}
        answer = httpx.post(self.address, content=content, headers=headers, timeout=8, trust_env=False)
        assert answer.status_code == 200, (answer.status_code, answer.text)
        return answer.text


class Site(House):
    """Parts: the kill switch, the agent and the gateway, each a process of its own."""

    # The order in which somebody tries: their own provider, the other one, whoever stands at the machine, and last the
    # number of the standby, which is a kill switch of its own on another host.
    WAYS = ("twilio", "second", "machine", "standby")

    def __init__(self):
        folder = Path(tempfile.mkdtemp(prefix="pc-f-"))
        self.upstream = Scripted(folder)
        self.second_key = secrets.token_hex(16)
        self.parts, self.broken, self.dead = {}, set(), set()
        self.wrap, self.extra, self.extra_env, self.before_parts = {}, {}, {}, []
        # What is replaced in the configuration, and what is added once the state stands.
        self.rewrites, self.late, self.set_up = [], {}, False
        # How the code of the moment is written: one code, two codes, or a card.
        self.proof = "code"
        self.card, self.said = None, ""
        self.on_mend = []
        super().__init__([("lab", "local", self.upstream)], [("chat", ["*"], ["lab"])], folder=folder)

    def write_config(self):
        super().write_config()
        key = self.secret("second.key", self.second_key)
        more = [
            f'[[killswitch.channels]]\nname = "second"\nkind = "sms-gate"\nsecret_file = {json.dumps(key)}',
            *self.extra.values(),
            *(self.late.values() if self.set_up else ()),
        ]
        text = self.config.read_text()
        for before, after in self.rewrites:
            assert before in text, before
            text = text.replace(before, after)
        self.config.write_text(text + "\n".join(more) + "\n")

    def begin(self):
        """Sets the house up, starts its parts, and lets a stream run."""
        self.spawn()
        self.wait_ready()
        page = self.folder / "cards.html"
        made = self.cli("codes", "cards", "owner", "--out", page, "--json")
        assert made.returncode == 0, made.stderr
        self.card = card_of(page.read_text())
        self.stop()
        self.set_up = True
        self.prepare_standby()
        self.write_config()
        for step in self.before_parts:
            step(self)
        for part in ("gateway", "agent", "killswitch", "standby"):
            self.serve(part)
        until("the house to be open", lambda: self.code_of_models() is None, 30)
        until("good canaries", self.canaries_good, 40)
        until("the standby to hear of the first", self.standby_hears, 30)
        self.stream = RawStream(self, max_tokens=1_000_000).flowing()

    def prepare_standby(self):
        """A second kill switch with a state and an order key of its own, and the same people."""
        (self.standby_port,) = free_ports(1)
        self.standby = self.folder / "s"
        made = subprocess.run(
            [str(word) for word in (built("portcullis"), "--data", self.standby, "init", "--json")],
            capture_output=True, text=True, env=self.env(), check=False,
        )
        assert made.returncode == 0, made.stderr
        shutil.copy(self.data / "killswitch" / "people.json", self.standby / "killswitch" / "people.json")
        own, other = (str(data / "agent" / "order.pub") for data in (self.data, self.standby))
        at = {part: json.dumps(f"127.0.0.1:{port}") for part, port in self.ports.items()}
        standby = json.dumps(f"127.0.0.1:{self.standby_port}")
        probe = json.dumps(str(self.data / "gateway" / "probe.key"))
        self.rewrites += [
            ("[killswitch]\n", "[killswitch]\ninstance = 0\n"),
            ("[agent]\n", f"[agent]\nkillswitch_keys = [{json.dumps(other)}]\n"),
        ]
        self.late["peer"] = f'[[killswitch.peers]]\nname = "standby"\naddress = {standby}\nkey_file = {json.dumps(other)}'
        self.standby_config = self.folder / "standby.toml"
        self.standby_config.write_text(
            f'[killswitch]\nlisten = {standby}\nagents = [{at["agent"]}]\ninstance = 1\n'
            f'[[killswitch.peers]]\nname = "first"\naddress = {at["killswitch"]}\nkey_file = {json.dumps(own)}\n'
            f'[[killswitch.vantages]]\ngateway = {at["gateway"]}\nprobe_key_file = {probe}\n'
            # A way past the gateway is one for every kill switch that shall name it.
            f'{self.late.get("direct", "")}\n'
        )

    def standby_hears(self):
        """The standby has heard the first, and has seen the way through the gateway work."""
        state = self.ask_at(self.standby, {"ask": "state"})
        canaries = state["canaries"]
        return state["peers"][0]["heard"] and canaries["points"] and canaries["good"] == canaries["points"]

    def ask_at(self, data, request):
        with socket.socket(socket.AF_UNIX) as end:
            end.settimeout(8)
            end.connect(str(data / "killswitch" / "lever.sock"))
            end.sendall(json.dumps(request).encode() + b"\n")
            return json.loads(end.makefile().readline())

    def by_standby(self):
        secret = (self.standby / "killswitch" / "channels" / "local.secret").read_text().strip()
        return WebhookPhone(f"http://127.0.0.1:{self.standby_port}", secret).text(self.message())

    def serve(self, part):
        self.runs += 1
        words = self.command("serve", part)
        if part == "standby":
            words = [built("portcullis"), "--data", self.standby, "--config", self.standby_config, "serve", "killswitch"]
        command = [*self.wrap.get(part, []), *words]
        self.parts[part] = Child(command, self.folder, f"up-{part}-{self.runs}", dict(self.env(), **self.extra_env.get(part, {})))
        return self.parts[part]

    def message(self):
        app = Authenticator(self.data / "killswitch" / "people.json")
        if self.proof == "card":
            return f"KILL ALL {self.card}"
        if self.proof == "two":
            return f"KILL ALL {app.kill()} {app.kill(-1)}"
        return f"KILL ALL {app.kill()}"

    def cut_by_any_way(self):
        """The first way that takes the text, and what came back by it; every way may be closed."""
        for way in self.WAYS:
            if way in self.broken:
                continue
            try:
                self.said = getattr(self, f"by_{way}")() or "(reply by another call)"
                return way, self.said
            except (OSError, AssertionError, httpx.HTTPError, subprocess.SubprocessError, ValueError):
                continue
        return "nobody", "no way was open"

    def by_twilio(self):
        return self.twilio().text(self.message())

    def by_second(self):
        return SecondProvider(self.kill_switch, self.second_key).text(self.message())

    def by_machine(self):
        return self.lever({"ask": "cut", "scope": "ALL", "by": "tests", "why": "a fault"}, 8)["text"]

    def await_closed(self, deadline):
        """Waits until neither a new request nor the running stream gets anything through; says how it is closed."""
        end = "open"
        while time.monotonic() < deadline:
            end = self.how_closed()
            if end != "open" and (self.stream.ended is not None or end == "fail-safe"):
                return end
            time.sleep(0.02)
        raise AssertionError(f"still {end} (stream {'runs' if self.stream.ended is None else 'ended'})")

    def how_closed(self):
        try:
            key = self.keys["agent"]
            answer = httpx.get(f"{self.gateway}/v1/models", headers={"authorization": f"Bearer {key}"}, timeout=1, trust_env=False)
        except httpx.HTTPError:
            return "fail-safe"
        if answer.status_code == 200:
            return "open"
        return "cut" if answer.headers.get("x-portcullis-incident") else "fail-safe"

    def stays_closed(self, seconds=1.0):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            assert self.how_closed() != "open", "opened again by itself"
            time.sleep(0.05)

    def close(self):
        for mend in self.on_mend:
            mend()
        for child in self.parts.values():
            child.kill()
        self.upstream.stop()
        super().close()


def card_of(page):
    """The first card on the printed page."""
    return re.search(r"\b[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{5}\b", page).group(0)
