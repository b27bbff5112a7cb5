"""The house of the lab: five zones and a router between them, with the real programs in each."""

import base64
import hashlib
import hmac
import json
import os
import secrets
import socket
import struct
import time

from net import Worker, run, until

# Zone, and the VLAN it stands in.
ZONES = {"mgmt": 10, "gw": 20, "inf": 21, "red": 30, "lan": 40}
PORTS = (22, 443, 7415)

# What the house allows, beside the fence: accepted connections go on, as in every router's rules.
POLICY = """
table inet house {
  chain forward {
    type filter hook forward priority 0; policy drop;
    ct state established,related accept
    iifname "vlan10" accept
    iifname "vlan30" oifname "vlan20" tcp dport { 443, 7412 } accept comment "red to gateway"
    iifname "vlan20" oifname "vlan21" tcp dport { 443, 11434 } accept
    iifname "vlan40" oifname "vlan20" tcp dport 443 accept
  }
}
"""


def allowed(source, target, protocol, port, cut):
    """The model: what can be reached, with the red zone cut or not."""
    if cut and "red" in (source, target):
        return source == "mgmt" and target == "red" and protocol == "tcp" and port in (7413, 7415)
    if "router" in (source, target) or source == "mgmt":
        return True
    if protocol != "tcp":
        return False
    ways = {("red", "gw"): (443, 7412), ("gw", "inf"): (443, 11434), ("lan", "gw"): (443,)}
    return port in ways.get((source, target), ())


class House:
    def __init__(self, net, programs):
        self.net, self.programs, self.folder = net, programs, net.folder
        self.router = net.router("router")
        self.spaces = {name: net.space(name) for name in ZONES}
        for name, vlan in ZONES.items():
            net.join(self.spaces[name], self.router, vlan)
        self.spaces["router"] = self.router
        self.policy()
        self.workers = {name: Worker(net, space, name) for name, space in self.spaces.items()}
        self.cgroup = cgroup()
        self.children = {}
        self.configure()

    def policy(self):
        run("ip", "netns", "exec", self.router, "nft", "-f", "-", stdin=POLICY)

    def configure(self):
        data = self.folder / "d"
        run(self.programs / "portcullis", "init", "--data", data)
        self.data, public = data, data / "agent" / "order.pub"
        key = data / "gateway" / "probe.key"
        files = {
            "killswitch": f"""
                [killswitch]
                listen = "198.18.10.2:7411"
                agents = ["198.18.20.2:7413", "198.18.10.1:7413", "198.18.30.2:7413"]
                scopes = ["edge", "claw1"]
                [[killswitch.vantages]]
                gateway = "198.18.20.2:7412"
                probe_key_file = "{key}"
                [[killswitch.direct]]
                name = "red-gw"
                scope = "red"
                via = "198.18.30.2:7413"
                address = "198.18.20.2:443"
                [zones.red]
                tier = "contained"
                nets = ["198.18.30.0/24"]
            """,
            "gateway": """
                [gateway]
                listen = "198.18.20.2:7412"
                [[gateway.targets]]
                name = "box"
                class = "local"
                base_url = "http://198.18.21.2:11434/v1"
                [[gateway.routes]]
                name = "chat"
                kind = "llm"
                models = ["*"]
                targets = ["box"]
            """,
            "gw": f"""
                [agent]
                name = "gw1"
                listen = "198.18.20.2:7413"
                state = "state-gw"
                killswitch_keys = ["{public}"]
                gateways = ["{data}/gateway/control.sock"]
            """,
            "router": f"""
                [agent]
                name = "edge"
                listen = "198.18.10.1:7413"
                state = "state-router"
                killswitch_keys = ["{public}"]
                [fence]
                [[fence.zones]]
                name = "red"
                interfaces = ["vlan30"]
                nets = ["198.18.30.0/24", "fd00:30::/64"]
                keep = [
                  {{ from = "198.18.10.2", port = 7413 }},
                  {{ from = "198.18.10.2", port = 7415 }}, {{ from = "fd00:10::2", port = 7415 }},
                ]
            """,
            "red": f"""
                [agent]
                name = "claw1"
                listen = "198.18.30.2:7413"
                state = "state-red"
                killswitch_keys = ["{public}"]
                direct = ["198.18.20.2:443"]
                [fence]
                [fence.host]
                zone = "red"
                freeze = {json.dumps([str(self.cgroup)] if self.cgroup else [])}
                keep = [
                  {{ from = "198.18.10.2", port = 7413 }},
                  {{ from = "198.18.10.2", port = 7415 }}, {{ from = "fd00:10::2", port = 7415 }},
                ]
            """,
        }
        for name, text in files.items():
            (self.folder / f"{name}.toml").write_text("\n".join(line.strip() for line in text.splitlines()) + "\n")

    def start_agent(self, name):
        program = self.programs / "node-agent"
        child = self.net.start(self.spaces[name], f"agent-{name}", program, "run", "--config", self.folder / f"{name}.toml")
        self.children[name] = child

    def start(self):
        upstream = self.net.start(self.spaces["inf"], "upstream", self.programs / "scripted_upstream", "--listen", "198.18.21.2:11434")
        self.children["upstream"] = upstream
        portcullis = [self.programs / "portcullis", "--data", self.data, "--config", self.folder / "gateway.toml", "serve", "gateway"]
        self.children["gateway"] = self.net.start(self.spaces["gw"], "gateway", *portcullis)
        for name in ("gw", "router", "red"):
            self.start_agent(name)
        switch = [self.programs / "killswitchd", "--config", self.folder / "killswitch.toml", "--data", self.data]
        self.children["killswitchd"] = self.net.start(self.spaces["mgmt"], "killswitchd", *switch)
        until("the lever", lambda: (self.data / "killswitch" / "lever.sock").exists(), 20)
        until("every agent to confirm", self.confirmed, 30)

    def confirmed(self):
        agents = self.lever({"ask": "state"})["agents"]
        return len(agents) == 3 and all(agent["problem"] is None and agent["seq"] for agent in agents)

    def lever(self, request):
        with socket.socket(socket.AF_UNIX) as end:
            end.settimeout(15)
            end.connect(str(self.data / "killswitch" / "lever.sock"))
            end.sendall(json.dumps(request).encode() + b"\n")
            return json.loads(end.makefile().readline())

    def code(self, verb, later=0):
        """RFC 6238, as a person's app shows it."""
        people = json.loads((self.data / "killswitch" / "people.json").read_text())["people"]
        key = people[0][verb]
        secret = key["secret"]
        raw = base64.b32decode(secret + "=" * (-len(secret) % 8), casefold=True)
        digest = hmac.new(raw, struct.pack(">Q", int(time.time()) // 30 + later), hashlib.sha1).digest()
        at = digest[-1] & 15
        number = struct.unpack(">I", digest[at : at + 4])[0] & 0x7FFFFFFF
        return str(number % 10 ** key["digits"]).zfill(key["digits"])

    def text(self, words):
        """A text by the machine's own channel, signed as Standard Webhooks asks; gives the reply."""
        secret = (self.data / "killswitch" / "channels" / "local.secret").read_text().strip()
        key = base64.b64decode(secret.removeprefix("whsec_"))
        message, at, body = "msg_" + secrets.token_hex(8), str(int(time.time())), json.dumps({"text": words})
        signature = base64.b64encode(hmac.new(key, f"{message}.{at}.{body}".encode(), hashlib.sha256).digest()).decode()
        headers = {"webhook-id": message, "webhook-timestamp": at, "webhook-signature": f"v1,{signature}"}
        headers["content-type"] = "application/json"
        ask = {"address": "198.18.10.2:7411", "path": "/v1/inbound/local", "body": body, "headers": headers}
        return json.loads(self.workers["mgmt"].ask(do="post", **ask))["reply"]

    def restore(self, scope):
        reply = self.lever({"ask": "restore", "scope": scope, "code": self.code("restore", 1), "by": "lab"})
        assert reply["answer"] == "restored", reply

    def address(self, name, six, seen_from=None):
        if name == "router":
            vlan = ZONES[seen_from]
            return f"fd00:{vlan}::1" if six else f"198.18.{vlan}.1"
        return f"fd00:{ZONES[name]}::2" if six else f"198.18.{ZONES[name]}.2"

    def matrix(self, cut):
        """Every pair, every protocol, both families, against the model; gives how many were looked at and what differs."""
        plans = {}
        for source in self.workers:
            plan = []
            for target in self.workers:
                if target == source:
                    continue
                for six in (False, True):
                    address = self.address(target, six, source)
                    ways = [("tcp", port) for port in PORTS] + [("udp", 53), ("icmp", 0)]
                    if not six:
                        own = {"gw": [7412, 7413], "red": [7413], "inf": [11434], "mgmt": [7411]}
                        ways += [("tcp", port) for port in own.get(target, [])]
                    plan += [(target, protocol, address, port) for protocol, port in ways]
            plans[source] = plan
            self.workers[source].begin(do="probe", tries=[[protocol, address, port] for _, protocol, address, port in plan])
        wrong, count = [], 0
        for source, plan in plans.items():
            for (target, protocol, address, port), reached in zip(plan, self.workers[source].end()):
                count += 1
                if reached != allowed(source, target, protocol, port, cut):
                    wrong.append(f"{source} to {target} {protocol} {address} {port}: {'open' if reached else 'closed'}")
        return count, wrong

    def looked(self, cut):
        """The same, once more where something differed: a busy machine may be slow to answer."""
        count, wrong = self.matrix(cut)
        if wrong:
            count, again = self.matrix(cut)
            wrong = [line for line in again if line in wrong]
        assert not wrong, wrong
        return count

    def stream(self, six, port=443):
        return self.workers["red"].ask(do="stream", address=self.address("gw", six), port=port)

    def seen(self, six, port=443):
        return self.workers["gw"].ask(do="seen", port=port, peer=self.address("red", six))

    def flows(self, six):
        before = self.seen(six)[1]
        time.sleep(0.15)
        return self.seen(six)[1] > before


def cgroup():
    """A control group of version 2 with one process in it that counts; none where none can be made."""
    with open("/proc/self/mounts") as mounts:
        roots = [line.split()[1] for line in mounts if line.split()[2] == "cgroup2"]
    if not roots:
        return None
    folder = os.path.join(roots[0], f"pcl{os.getpid()}")
    try:
        os.mkdir(folder)
    except OSError:
        return None
    return folder
