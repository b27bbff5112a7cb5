"""Faults of machines, processes, disks and clocks."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import httpx
from fault import CUT, LEASE, CannotInject, Fault
from waiting import until

FAKETIME = ("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1", "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1")


def run(*command):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)


class NoNames(Fault):
    number, what = "F2", "no name server answers the kill switch"

    def prepare(self, site):
        if os.geteuid() != 0 or run("unshare", "-m", "true").returncode != 0:
            raise CannotInject("a mount namespace needs root")
        nowhere = site.folder / "resolv.conf"
        nowhere.write_text("nameserver 192.0.2.1\noptions timeout:30 attempts:5\n")
        script = f'mount --bind {nowhere} /etc/resolv.conf && exec "$@"'
        site.wrap["killswitch"] = ["unshare", "-m", "sh", "-c", script, "sh"]


class WrongClock(Fault):
    number, what = "F7", "the kill switch's clock jumps back three days"

    def prepare(self, site):
        library = next((path for path in FAKETIME if Path(path).exists()), None)
        if library is None:
            raise CannotInject("libfaketime is not installed")
        self.file = site.folder / "clock"
        self.file.write_text("+0\n")
        site.extra_env["killswitch"] = dict(
            LD_PRELOAD=library, FAKETIME_TIMESTAMP_FILE=str(self.file), FAKETIME_NO_CACHE="1", FAKETIME_DONT_FAKE_MONOTONIC="1"
        )

    def inject(self, site):
        self.file.write_text("-3d\n")
        site.proof = "card"
        if "killswitch" not in site.dead and "machine" not in site.broken:
            until("the kill switch to live three days ago", lambda: site.state()["now"] < (time.time() - 86_400) * 1000, 5)


class DiskFull(Fault):
    number, what = "F8", "the disk of the kill switch is full"

    def prepare(self, site):
        if os.geteuid() != 0:
            raise CannotInject("a file system of its own needs root")
        self.mounted = site.data / "killswitch"
        # Filled once the state stands on it; so it is mounted when the house is first set up.
        site.before_parts.append(self.move)

    def move(self, site):
        aside = site.folder / "aside"
        shutil.copytree(self.mounted, aside, ignore=shutil.ignore_patterns("*.sock"))
        done = run("mount", "-t", "tmpfs", "-o", "size=4m,mode=700", "tmpfs", self.mounted)
        if done.returncode != 0:
            raise CannotInject(done.stderr.strip())
        site.on_mend.append(lambda: run("umount", "-l", self.mounted))
        shutil.copytree(aside, self.mounted, dirs_exist_ok=True)

    def inject(self, site):
        for size in (1 << 16, 1 << 10, 1):
            with open(self.mounted / f"fill-{size}", "wb", buffering=0) as heap:
                try:
                    while True:
                        heap.write(b"\0" * size)
                except OSError:
                    continue


class GatewayLeverDown(Fault):
    number, what, within = "F9", "the gateway cannot be told anything: its control socket is gone", LEASE

    def inject(self, site):
        (site.data / "gateway" / "control.sock").unlink(missing_ok=True)
        if "agent" not in site.dead:
            # Started anew, it holds no connection from before either.
            site.parts["agent"].kill()
            site.serve("agent")


class GatewayConfigGone(Fault):
    number, what = "F10", "what the gateway was configured from is gone, and it is told to read it again"

    def inject(self, site):
        site.config.rename(site.folder / "gone.toml")
        child = site.parts["gateway"]
        if child.running():
            child.process.send_signal(signal.SIGHUP)

    def mend(self, site):
        gone = site.folder / "gone.toml"
        if gone.exists():
            gone.rename(site.config)


class GatewayHangs(Fault):
    number, what = "F11", "the gateway hangs, and comes back later"

    def inject(self, site):
        if site.parts["gateway"].running():
            site.parts["gateway"].process.send_signal(signal.SIGSTOP)

    def afterwards(self, site):
        if site.parts["gateway"].running():
            site.parts["gateway"].process.send_signal(signal.SIGCONT)
        # At once where the agent can tell it, and by its own lease where not.
        until("the gateway to close again", lambda: site.how_closed() != "open", LEASE)

    def mend(self, site):
        if "gateway" in site.parts and site.parts["gateway"].running():
            site.parts["gateway"].process.send_signal(signal.SIGCONT)


class AgentDead(Fault):
    number, what, within = "F14", "the node agent is dead", LEASE

    def inject(self, site):
        site.parts["agent"].kill()
        site.dead.add("agent")


class KillSwitchHangs(Fault):
    number, what, within = "F15", "the kill switch hangs; the second one is asked", CUT

    def inject(self, site):
        if site.parts["killswitch"].running():
            site.parts["killswitch"].process.send_signal(signal.SIGSTOP)
        site.broken |= {"twilio", "second", "machine"}

    def mend(self, site):
        if "killswitch" in site.parts and site.parts["killswitch"].running():
            site.parts["killswitch"].process.send_signal(signal.SIGCONT)


class PowerLoss(Fault):
    number, what, within = "F16", "both hosts of the kill switch lose power", LEASE

    def inject(self, site):
        for part in ("killswitch", "standby"):
            if part in site.parts:
                site.parts[part].kill()
            site.dead.add(part)
        site.broken |= {"twilio", "second", "machine", "standby"}


class Reboot(Fault):
    number, what = "F23", "everything is killed after the cut; the gateway comes up first"

    def afterwards(self, site):
        for child in site.parts.values():
            child.process.send_signal(signal.SIGCONT)
            child.kill()
        for part in ("gateway", "agent", "killswitch", "standby"):
            if part in site.dead:
                continue
            site.serve(part)
            end = time.monotonic() + 1
            while time.monotonic() < end:
                assert site.how_closed() != "open", f"open when {part} had started"
                time.sleep(0.02)


class RestoreStorm(Fault):
    number, what = "F24", "a restore, everybody at once, and a cut in the middle of it"

    def afterwards(self, site):
        if site.how_closed() != "cut" or site.dead or site.broken & {"machine"}:
            return
        app = site.app()
        code = until("a RESTORE code newer than the cut", lambda: app.restore(1))
        reply = site.lever({"ask": "restore", "scope": "ALL", "code": code, "by": "tests"})
        if reply["answer"] != "restored":
            return  # another fault forbids it; closed is what it must stay
        until("the house to be open", lambda: site.how_closed() == "open", CUT)
        clients = [httpx.Client(trust_env=False, timeout=5) for _ in range(20)]
        try:
            for client in clients:
                try:
                    client.get(f"{site.gateway}/v1/models", headers={"authorization": f"Bearer {site.keys['agent']}"})
                except httpx.HTTPError:
                    pass
            site.cut("ALL", "in the storm")
            until("the house to be closed again", lambda: site.how_closed() == "cut", CUT)
        finally:
            for client in clients:
                client.close()
