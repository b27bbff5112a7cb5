"""A kill switch on one side, a gateway that is not ours with its agent on the other: what stories of such gateways share."""

import json
import secrets
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import httpx
from house import House
from peers import built
from phone import Authenticator, WebhookPhone
from streams import SdkStream
from waiting import Child, free_ports, until


def may_sever():
    """Whether this process, and so the agent it starts, has CAP_NET_ADMIN."""
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("CapEff:")]
    return bool(int(line.split()[1], 16) >> 12 & 1)


class BreakingStream(SdkStream):
    """A stream that may break off: what ends it is not the gateway, which would say so, but the kernel under it."""

    def read(self):
        try:
            super().read()
        except httpx.TransportError as error:
            self.error, self.ended = error, time.monotonic()


class DrivenSite:
    """`ways`: of each consumer, its route; all lead to the scripted upstream. `gateway`: the data port."""

    def __init__(self, scripted, ways, gateway):
        self.scripted, self.ways, self.gateway = scripted, ways, gateway
        self.folder = Path(tempfile.mkdtemp(prefix="pc-"))
        self.data = self.folder / "d"
        self.kill_port, self.orders = free_ports(2)
        self.keys = {name: "pck_" + secrets.token_hex(24) for name in ways}
        self.children = []
        made = subprocess.run([built("portcullis"), "--data", self.data, "init", "--json"], capture_output=True, text=True, env=House.env(), check=False)
        assert made.returncode == 0, made.stderr
        for name, key in self.keys.items():
            (self.folder / f"{name}.key").write_text(key + "\n")
            (self.folder / f"{name}.key").chmod(0o600)

    def write_agent(self, driver):
        """`driver`: the lines of its table."""
        ways = "".join(
            f"""
[[gateway.routes]]
name = "{route}"
kind = "llm"
models = ["*"]
targets = ["lab"]
[[gateway.consumers]]
name = "{name}"
key_file = "{name}.key"
routes = ["{route}"]
"""
            for name, route in self.ways.items()
        )
        self.agent = self.folder / "node-agent.toml"
        self.agent.write_text(f"""
[agent]
name = "gw1"
listen = "127.0.0.1:{self.orders}"
state = "agent"
killswitch_keys = [{json.dumps(str(self.data / "agent" / "order.pub"))}]
[[agent.drivers]]
{driver}
data = ["{self.gateway}"]
manage = true
[[gateway.targets]]
name = "lab"
class = "local"
base_url = "{self.scripted.base}"
{ways}
""")

    def write_kill_switch(self):
        points = "".join(
            f"""
[[killswitch.vantages.points]]
route = "{route}"
consumer = "{name}"
target = "lab"
class = "local"
path = "/{route}/v1/models"
key_file = "{self.folder / name}.key"
"""
            for name, route in self.ways.items()
        )
        self.config = self.folder / "portcullis.toml"
        self.config.write_text(f"""
[killswitch]
listen = "127.0.0.1:{self.kill_port}"
agents = ["127.0.0.1:{self.orders}"]
text_restorable = ["ANY"]
[[killswitch.vantages]]
kind = "http"
gateway = "{self.gateway}"
{points}
""")

    def start_agent(self):
        self.agent_child = Child([built("node-agent"), "run", "--config", self.agent], self.folder, "agent", House.env())
        self.children.append(self.agent_child)

    def start_kill_switch(self):
        command = [built("portcullis"), "--data", self.data, "--config", self.config, "serve", "killswitch"]
        self.children.append(Child(command, self.folder, "killswitch", House.env()))

    def canaries_good(self):
        canaries = House.ask(self, "killswitch/lever.sock", {"ask": "state"}, 5)["canaries"]
        return canaries["points"] == len(self.ways) == canaries["good"]

    def until_proven(self):
        # Before a driver knows its routes, it closes all of them for a cut of one.
        agent_log = self.folder / "agent.err"
        until("the agent to write the routes", lambda: "brought to what is wanted" in agent_log.read_text(errors="replace"), 40)
        until("good canaries", self.canaries_good, 40)

    def phone(self):
        secret = (self.data / "killswitch" / "channels" / "local.secret").read_text().strip()
        return WebhookPhone(f"http://127.0.0.1:{self.kill_port}", secret)

    def app(self):
        return Authenticator(self.data / "killswitch" / "people.json")

    def secrets(self):
        return list(self.keys.values())

    def log(self):
        text = "\n".join(path.read_text(errors="replace")[-4000:] for path in sorted(self.folder.glob("*.err")))
        for secret in self.secrets():
            text = text.replace(secret, "[secret]")
        return text

    def close(self):
        for child in self.children:
            child.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
