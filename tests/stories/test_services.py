"""The kill switch as a service: its unit's sandbox is tight, and the program does its work inside it, without a name server."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from confine import allowed
from peers import built
from waiting import Child, until

UNITS = Path(__file__).parents[2] / "killswitch" / "systemd"
USER, COURIER = 64321, 64322
NAMES = ("resolv.conf", "nsswitch.conf", "/etc/hosts", "/etc/services", "nscd", "systemd/resolve")


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd-analyze here (Debian: systemd)")
@pytest.mark.parametrize("unit", sorted(path.name for path in UNITS.glob("*.service")))
def test_the_sandbox_of_each_unit_is_tight(unit):
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager", UNITS / unit],
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout.splitlines()[-1]
    print(said)
    exposure = float(re.search(r"level for \S+: ([0-9.]+)", said).group(1))
    assert done.returncode == 0 and exposure <= 2.0, done.stdout
    verified = subprocess.run(["systemd-analyze", "verify", UNITS / unit], capture_output=True, text=True, check=False)
    wrong = [line for line in verified.stderr.splitlines() if unit in line and "not executable" not in line]
    assert not wrong, wrong


class Apart:
    """A house whose kill switch is `killswitchd`, started by some command of its own."""

    def __init__(self, house):
        self.house, self.switch = house, None

    def start(self, before=(), **environment):
        house = self.house
        words = [*before, built("killswitchd"), "--config", house.config, "--data", house.data]
        self.switch = Child([str(word) for word in words], house.folder, "killswitchd", dict(house.env(), **environment))
        return self

    def ready(self):
        self.house.wait_ready()
        until("good canaries", self.house.canaries_good, 40)
        return self

    def log(self):
        return "\n".join(path.read_text(errors="replace")[-4000:] for path in self.house.folder.glob("killswitchd*.err"))

    def close(self):
        if self.switch:
            self.switch.kill()


@pytest.fixture
def apart(build, scripted):
    house = build([("lab", "local", scripted)], [("chat", ["*"], ["lab"])])
    assert house.cli("init").returncode == 0
    house.spawn("serve", "agent", "gateway", "controlplane")
    made = Apart(house)
    yield made
    made.close()


def cut_and_restore(house):
    """By text and by command, with everything that writes, signs and proves."""
    said = house.twilio().text(f"KILL LLM {house.app().kill()}")
    assert "CUT LLM" in str(said), said
    assert house.code_of_models() == "cut"
    done = house.cli("restore", "LLM", stdin=house.app().restore(1) + "\n")
    assert done.returncode == 0, done.stderr
    until("the house to be open again", lambda: house.code_of_models() is None)


@pytest.mark.skipif(not shutil.which("strace"), reason="no strace here (Debian: strace)")
def test_a_cut_asks_no_name_server_and_makes_no_call_that_the_unit_forbids(apart):
    house = apart.house
    trace = house.folder / "trace"
    apart.start(before=["strace", "-D", "-f", "-qq", "-o", trace]).ready()
    cut_and_restore(house)
    apart.switch.stop()
    lines = trace.read_text(errors="replace").splitlines()
    named = [line for line in lines if any(name in line for name in NAMES)]
    assert not named, named[:5]
    reached = {int(port) for line in lines for port in re.findall(r"connect\(.*htons\((\d+)\)", line)}
    assert reached <= {house.ports["agent"], house.ports["gateway"]}, reached
    calls = {match.group(1) for line in lines if (match := re.match(r"\d+ +(\w+)\(", line))}
    assert {"connect", "fdatasync", "epoll_wait"} <= calls, "the trace shows a run"
    if shutil.which("systemd-analyze"):
        forbidden = calls - allowed(UNITS / "killswitchd.service")
        assert not forbidden, forbidden


confinable = pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("systemd-analyze"), reason="needs root and systemd-analyze to confine a program"
)


def hand_over(house):
    """Gives the kill switch's user what is its own, and nothing else."""
    house.folder.chmod(0o755)
    house.data.chmod(0o755)
    (house.data / "gateway").chmod(0o711)
    own = house.data / "killswitch"
    for path in [own, *own.rglob("*"), house.folder / "twilio.token", house.data / "gateway" / "probe.key"]:
        os.chown(path, USER, USER)
    return own


def confined(unit, user, *writable):
    return [sys.executable, Path(__file__).with_name("confine.py"), UNITS / unit, user, ",".join(map(str, writable))]


@confinable
def test_it_cuts_and_restores_inside_its_sandbox_as_a_user_of_its_own(apart):
    house = apart.house
    own = hand_over(house)
    apart.start(before=confined("killswitchd.service", USER, own)).ready()
    status = Path(f"/proc/{apart.switch.process.pid}/status").read_text()
    assert re.search(rf"Uid:\s+{USER}\b", status) and re.search(r"Seccomp:\s+2", status) and "NoNewPrivs:\t1" in status
    cut_and_restore(house)
    assert house.cli("journal", "verify").returncode == 0
    assert not house.state()["warnings"], house.state()["warnings"]


@confinable
def test_the_courier_brings_texts_and_carries_replies_as_another_user_in_its_own_sandbox(apart):
    house = apart.house
    own = hand_over(house)
    sockets, spool = house.folder / "sockets", house.folder / "spool"
    for folder, user in ((sockets, USER), (spool, COURIER), (spool / "inbox", COURIER), (spool / "outbox", COURIER)):
        folder.mkdir()
        os.chown(folder, user, COURIER)
    # As tmpfiles.d makes it: a socket takes the group of its folder.
    sockets.chmod(0o2750)
    keys = f'[killswitch]\ncourier_socket = "{sockets}/courier.sock"\ncourier_group = true\n'
    channel = f'[[killswitch.channels]]\nname = "modem"\nkind = "gammu"\ninbox = "{spool}/inbox"\noutbox = "{spool}/outbox"\n'
    house.config.write_text(house.config.read_text().replace("[killswitch]\n", keys) + channel)
    apart.start(before=confined("killswitchd.service", USER, own, sockets)).ready()
    command = [*confined("kill-courier.service", COURIER, spool), built("kill-courier"), "--config", house.config, "--data", house.data]
    courier = Child(command, house.folder, "kill-courier", house.env())
    try:
        text = spool / "inbox" / time.strftime("IN%Y%m%d_%H%M%S_00_+15550100_00.txt")
        text.write_text(f"kill llm {house.app().kill()}")
        os.chown(text, COURIER, COURIER)
        until("the cut", lambda: house.cut_scopes() == ["LLM"])
        sent = until("the reply", lambda: list((spool / "outbox").glob("OUT*")))
        assert "CUT LLM" in sent[0].read_text("utf-16")
    finally:
        courier.kill()
    # Without the courier everything else goes on.
    done = house.cli("restore", "LLM", stdin=house.app().restore(1) + "\n")
    assert done.returncode == 0, done.stderr


def test_it_says_that_it_runs_within_a_second_and_that_it_lives(apart):
    house = apart.house
    times = []
    for _ in range(3):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            path = house.folder / f"notify-{len(times)}"
            notify.bind(str(path))
            notify.settimeout(20)
            begun = time.monotonic()
            apart.start(NOTIFY_SOCKET=str(path), WATCHDOG_USEC="1000000")
            words = b""
            while b"READY=1" not in words:
                words = notify.recv(4096)
            times.append(time.monotonic() - begun)
            while b"WATCHDOG=1" not in words:
                words = notify.recv(4096)
            apart.switch.stop()
    print("ready after", [f"{seconds:.3f} s" for seconds in times])
    assert min(times) < 1.0, times
