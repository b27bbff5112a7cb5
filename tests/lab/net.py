"""Network namespaces, the veths between them and the processes within; all of it goes away again, whatever happens."""

import atexit
import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

PREFIX = f"pcl{os.getpid()}-"


def run(*words, stdin=None, check=True, limit=20):
    done = subprocess.run([str(word) for word in words], input=stdin, capture_output=True, text=True, timeout=limit, check=False)
    if check and done.returncode != 0:
        raise AssertionError(f"{words}: {done.returncode} {done.stdout}{done.stderr}")
    return done.stdout


def until(what, check, limit=15.0, every=0.02):
    """The first true answer of `check`, or a failure that names what was waited for."""
    end, answer = time.monotonic() + limit, None
    while time.monotonic() < end:
        answer = check()
        if answer:
            return answer
        time.sleep(every)
    raise AssertionError(f"waited {limit} s for {what}; last answer: {answer!r}")


def missing():
    """Why nothing of this can run here; nothing when it can."""
    if os.geteuid() != 0:
        return "it needs root"
    for program in ("ip", "nft", "nsenter"):
        if subprocess.run(["which", program], capture_output=True, check=False).returncode != 0:
            return f"there is no `{program}`"
    name = f"{PREFIX}try"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False)
    if made.returncode != 0:
        return "no network namespace can be made"
    table = subprocess.run(["ip", "netns", "exec", name, "nft", "add table inet t"], capture_output=True, check=False)
    subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)
    return None if table.returncode == 0 else "the kernel takes no nftables table"


class Net:
    """Everything that was made, so that it can be taken away."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.spaces, self.children = [], []
        sweep()
        atexit.register(self.close)
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: exit(1))

    def space(self, name):
        full = PREFIX + name
        run("ip", "netns", "add", full)
        self.spaces.append(full)
        run("ip", "-n", full, "link", "set", "lo", "up")
        self.settle(full, "ipv6/conf/default/accept_dad", 0)
        return full

    def router(self, name):
        full = self.space(name)
        self.settle(full, "ipv4/ip_forward", 1)
        self.settle(full, "ipv6/conf/all/forwarding", 1)
        return full

    @staticmethod
    def settle(space, key, value):
        run("nsenter", f"--net=/run/netns/{space}", "sh", "-c", f"echo {value} > /proc/sys/net/{key}")

    def join(self, host, router, vlan):
        """A veth named like a VLAN's interface on the router, with .1 and .2 of both families."""
        run("ip", "link", "add", "eth0", "netns", host, "type", "veth", "peer", "name", f"vlan{vlan}", "netns", router)
        for space, device, number in ((host, "eth0", 2), (router, f"vlan{vlan}", 1)):
            run("ip", "-n", space, "addr", "add", f"198.18.{vlan}.{number}/24", "dev", device)
            run("ip", "-n", space, "addr", "add", f"fd00:{vlan}::{number}/64", "dev", device, "nodad")
            run("ip", "-n", space, "link", "set", device, "up")
        run("ip", "-n", host, "route", "add", "default", "via", f"198.18.{vlan}.1")
        run("ip", "-n", host, "-6", "route", "add", "default", "via", f"fd00:{vlan}::1")

    def start(self, space, name, *command, **more):
        """A process in a namespace; its output goes to files."""
        with open(self.folder / f"{name}.out", "ab") as out, open(self.folder / f"{name}.err", "ab") as err:
            more = {"stdin": subprocess.DEVNULL, "stdout": out, "stderr": err, **more}
            # Not by `ip netns exec`, which hides the control groups behind another /sys.
            words = ["nsenter", f"--net=/run/netns/{space}", *[str(word) for word in command]]
            child = subprocess.Popen(words, env={"PATH": os.environ["PATH"], "RUST_LOG": "info"}, **more)
        self.children.append(child)
        return child

    def close(self):
        for child in self.children:
            if child.poll() is None:
                child.kill()
                child.wait()
        for space in self.spaces:
            run("ip", "netns", "del", space, check=False)
        self.children, self.spaces = [], []


def sweep():
    """Takes away what an earlier run left behind that was killed."""
    for name in re.findall(r"^(pcl(\d+)-\S+)", run("ip", "netns", "list"), re.MULTILINE):
        if not Path(f"/proc/{name[1]}").exists():
            run("ip", "netns", "del", name[0], check=False)


class Worker:
    """The other side of `worker.py`."""

    def __init__(self, net, space, name):
        script = Path(__file__).with_name("worker.py")
        self.child = net.start(space, f"worker-{name}", "python3", script, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def begin(self, **ask):
        self.child.stdin.write(json.dumps(ask) + "\n")
        self.child.stdin.flush()

    def end(self):
        answer = json.loads(self.child.stdout.readline())
        if "failed" in answer:
            raise OSError(answer["failed"])
        return answer["reply"]

    def ask(self, **ask):
        self.begin(**ask)
        return self.end()
