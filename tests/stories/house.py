"""One whole house: `portcullis up` on free ports with a config file and a state folder of its own."""

import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

import httpx
import ollama
from anthropic import Anthropic
from openai import OpenAI
from peers import built
from phone import Authenticator, TwilioPhone, WebhookPhone
from waiting import Child, free_ports, until

PUBLIC_URL = "https://kill.example.net/v1/inbound/twilio"
TWILIO_TOKEN = secrets.token_hex(16)


def toml(value):
    """Strings and lists of strings are written alike in TOML and JSON."""
    return json.dumps(value)


class House:
    """Targets are (name, class, upstream); routes (name, models, targets); consumers (name, routes).

    A target and a consumer may have more: what else the file says of it, as TOML.
    """

    def __init__(self, targets, routes, consumers=None, folder=None, data=None, on_silence="cut", restorable=("ANY",), rules=""):
        # Short, because a unix socket's path must fit in 107 bytes.
        self.folder = Path(folder or tempfile.mkdtemp(prefix="pc-"))
        self.data = Path(data or self.folder / "d")
        self.targets, self.routes = targets, routes
        self.consumers = consumers or [("agent", [name for name, _, _ in routes])]
        self.keys = {name: "pck_" + secrets.token_hex(24) for name, *_ in self.consumers}
        self.on_silence = on_silence
        # What a text may restore; as shipped nothing.
        self.restorable = list(restorable)
        # Budgets, limits and what counts as a runaway, as the file has them.
        self.rules = rules
        # Where agents of other hosts take orders.
        self.more_agents = []
        # What else the file says of hosts.
        self.hosts_rules = ""
        self.move()
        self.child = None
        self.runs = 0

    def move(self):
        """Takes new ports."""
        dash, kill, gateway, agent, hosts = free_ports(5)
        self.ports = dict(controlplane=dash, killswitch=kill, gateway=gateway, agent=agent)
        self.hosts_port = hosts
        self.dashboard, self.kill_switch, self.gateway = (f"http://127.0.0.1:{port}" for port in (dash, kill, gateway))
        self.write_config()

    def secret(self, name, text):
        path = self.folder / name
        path.write_text(text + "\n")
        path.chmod(0o600)
        return str(path)

    def write_config(self):
        at = {part: toml(f"127.0.0.1:{port}") for part, port in self.ports.items()}
        agents = [f"127.0.0.1:{self.ports['agent']}", *self.more_agents]
        lines = [
            f"[controlplane]\nlisten = {at['controlplane']}",
            f"[killswitch]\nlisten = {at['killswitch']}\nagents = {toml(agents)}\ntext_restorable = {toml(self.restorable)}",
            f"[[killswitch.channels]]\nname = \"twilio\"\nkind = \"twilio\"\npublic_url = {toml(PUBLIC_URL)}",
            f"secret_file = {toml(self.secret('twilio.token', TWILIO_TOKEN))}",
            f"[agent]\nlisten = {at['agent']}\non_silence = {toml(self.on_silence)}",
            f"[gateway]\nlisten = {at['gateway']}",
            f"[hosts]\nlisten = \"127.0.0.1:{self.hosts_port}\"\n{self.hosts_rules}",
        ]
        for name, kind, upstream, *more in self.targets:
            lines.append(f"[[gateway.targets]]\nname = {toml(name)}\nclass = {toml(kind)}\nbase_url = {toml(upstream.base)}")
            if upstream.kind:
                lines.append(f"kind = {toml(upstream.kind)}")
            if upstream.key:
                lines.append(f"secret_file = {toml(self.secret(f'target-{name}.key', upstream.key))}")
            lines += more
        for name, models, targets in self.routes:
            lines.append(f"[[gateway.routes]]\nname = {toml(name)}\nkind = \"llm\"\nmodels = {toml(models)}\ntargets = {toml(targets)}")
        for name, routes, *more in self.consumers:
            key = toml(self.secret(f"consumer-{name}.key", self.keys[name]))
            lines.append(f"[[gateway.consumers]]\nname = {toml(name)}\nkey_file = {key}\nroutes = {toml(routes)}")
            lines += more
        lines.append(self.rules)
        self.config = self.folder / "portcullis.toml"
        self.config.write_text("\n".join(lines) + "\n")

    def command(self, *words):
        return [built("portcullis"), "--data", self.data, "--config", self.config, *words]

    def spawn(self, *words):
        self.runs += 1
        self.child = Child(self.command(*(words or ("up",))), self.folder, f"up-{self.runs}", self.env())

    def start(self, *words, proven=True):
        """Starts, and waits until the gateway follows its node agent (and every canary answers, where `proven`)."""
        self.spawn(*words)
        self.wait_ready()
        if proven:
            until("good canaries", self.canaries_good, 40)
        return self

    def wait_ready(self, limit=30):
        def check():
            assert self.child.running(), f"portcullis ended with {self.child.process.returncode}:\n{self.log()}"
            return self.code_of_models() in (None, "cut") and self.lever({"ask": "state"})

        return until("the house to be up", check, limit)

    def code_of_models(self, consumer=None):
        """None when the gateway serves, else the code of its refusal."""
        key = self.keys[consumer or self.consumers[0][0]]
        answer = httpx.get(f"{self.gateway}/v1/models", headers={"authorization": f"Bearer {key}"}, timeout=5, trust_env=False)
        return None if answer.status_code == 200 else answer.json()["error"]["code"]

    def canaries_good(self):
        canaries = self.state()["canaries"]
        return canaries["points"] > 0 and canaries["good"] == canaries["points"]

    def stop(self):
        code = self.child.stop()
        assert code == 0, f"portcullis ended with {code} when asked to stop:\n{self.log()}"

    def reload(self):
        self.child.process.send_signal(signal.SIGHUP)

    def close(self):
        if self.child:
            self.child.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    @staticmethod
    def env():
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("PORTCULLIS_", "RUST_LOG"))}
        return dict(kept, NO_COLOR="1", RUST_LOG="info")

    def cli(self, *words, stdin=None, limit=30):
        command = [str(part) for part in self.command(*words)]
        return subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=limit, env=self.env(), check=False)

    def cli_json(self, *words):
        done = self.cli(*words, "--json")
        assert done.returncode == 0, (words, done.returncode, done.stderr)
        return json.loads(done.stdout)

    def ask(self, path, request, limit):
        """One JSON line each way over a unix socket."""
        with socket.socket(socket.AF_UNIX) as end:
            end.settimeout(limit)
            end.connect(str(self.data / path))
            end.sendall(json.dumps(request).encode() + b"\n")
            return json.loads(end.makefile().readline())

    def lever(self, request, limit=15.0):
        return self.ask("killswitch/lever.sock", request, limit)

    def cut(self, scope, why="a test"):
        """Over the owner's socket: no code is needed there."""
        reply = self.lever({"ask": "cut", "scope": scope, "by": "tests", "why": why})
        assert reply["answer"] == "cut", reply
        return reply

    def observe(self):
        """What the gateway itself says is open and in force."""
        return self.ask("gateway/control.sock", {"do": "observe"}, 5)

    def codes(self):
        return self.cli_json("codes", "now")["people"][0]

    def state(self):
        return self.lever({"ask": "state"})

    def cut_scopes(self):
        return [latch["scope"] for latch in self.state()["latches"]]

    def incidents(self):
        """The newest first. A cut acts first and is written down after, so the first may come a moment late."""
        return until("an incident", lambda: self.lever({"ask": "incidents", "limit": 5})["incidents"])

    def app(self, person="owner"):
        return Authenticator(self.data / "killswitch" / "people.json", person)

    def twilio(self):
        return TwilioPhone(self.kill_switch, "twilio", PUBLIC_URL, TWILIO_TOKEN)

    def generic(self):
        return WebhookPhone(self.kill_switch, (self.data / "killswitch" / "channels" / "local.secret").read_text().strip())

    def openai(self, consumer=None):
        """The official client, unmodified; it would retry a 503 by itself, which the stories look at one by one."""
        key = self.keys[consumer or self.consumers[0][0]]
        return OpenAI(base_url=f"{self.gateway}/v1", api_key=key, max_retries=0, timeout=60)

    def anthropic(self, consumer=None):
        """Anthropic's official client; it takes the address without `/v1`."""
        return Anthropic(base_url=self.gateway, api_key=self.keys[consumer or self.consumers[0][0]], max_retries=0, timeout=60)

    def ollama(self, consumer=None):
        """Ollama's official client, with the key as the bearer that it sends to hosts that ask for one."""
        key = self.keys[consumer or self.consumers[0][0]]
        return ollama.Client(host=self.gateway, headers={"authorization": f"Bearer {key}"}, timeout=60)

    def journal(self):
        return (self.data / "killswitch" / "journal.jsonl").read_text()

    def log(self):
        """What the house wrote to its log, for a failed test: without anything that opens or cuts."""
        text = "\n".join(path.read_text(errors="replace")[-6000:] for path in sorted(self.folder.glob("up-*.err")))
        hidden = [*self.keys.values(), TWILIO_TOKEN, *(up.key for _, _, up, *_ in self.targets if up.key)]
        for secret in hidden:
            text = text.replace(secret, "[secret]")
        return re.sub(r"\b\d{8}\b", "[digits]", text)
