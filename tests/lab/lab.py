"""The namespace lab: a router, five zones, the real programs, and what a cut does to everything that can be reached."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import leases
from house import House
from net import Net, missing, run, until


def say(words):
    print(f"  {words}", flush=True)


def inside(house):
    """A process that does nothing but be there, in the control group of the red host."""
    if not house.cgroup:
        say("no control group of version 2 can be made here: freezing is left out")
        return None
    child = subprocess.Popen(["sleep", "600"])
    house.net.children.append(child)
    Path(house.cgroup, "cgroup.procs").write_text(str(child.pid))
    return child


def frozen(house):
    return "frozen 1" in Path(house.cgroup, "cgroup.events").read_text()


def the_cut(house):
    """A text cuts the zone: streams in flight end, nothing new passes, whoever held a connection learns of it."""
    say(f"before: {house.looked(False)} probes as modelled")
    streams = [house.stream(six) for six in (False, True)]
    until("the streams", lambda: house.flows(False) and house.flows(True))
    begun = time.monotonic()
    reply = house.text(f"KILL red {house.code('kill')}")
    say(reply)
    assert reply.startswith("CUT red "), reply
    time.sleep(0.3)
    for six in (False, True):
        last, count = house.seen(six)
        assert last - begun < 1.0, f"the last byte came after {last - begun:.3f} s"
        say(f"last byte of the {'IPv6' if six else 'IPv4'} stream {1000 * (last - begun):.0f} ms after the text was begun")
        time.sleep(0.2)
        assert house.seen(six)[1] == count, "the stream goes on"
    for number in streams:
        until("the sender to learn of it", lambda: house.workers["red"].ask(do="error", number=number), 3)
    say(f"during: {house.looked(True)} probes as modelled")
    if house.cgroup:
        assert frozen(house), "the control group goes on"
    evidence = until("evidence", lambda: list((house.folder / "state-red" / "evidence").glob("incident-*.txt")), 5)
    assert evidence[0].stat().st_mode & 0o777 == 0o600
    text = evidence[0].read_text()
    assert "tcp 198.18.30.2" in text and "198.18.20.2 443" in text, text[:400]


def a_flush(house):
    """Somebody flushes the rules of the router: the fence is put back at once."""
    nft = ["ip", "netns", "exec", house.router, "nft"]
    for words in ("flush ruleset", "delete table inet portcullis"):
        run(*nft, words)
        begun = time.monotonic()
        until("the fence", lambda: "cut4" in run(*nft, "list", "tables") + run(*nft, "list", "sets"), 3, 0.005)
        until("its elements", lambda: "198.18.30.0" in run(*nft, "list", "set", "inet", "portcullis", "cut4", check=False), 3, 0.005)
        say(f"`{words}`: put back after {1000 * (time.monotonic() - begun):.0f} ms")
        run(*nft, "list", "table", "inet", "house", check=False) or house.policy()
    house.looked(True)


def a_reboot(house):
    """The router loses every rule and every process; the unit that runs before the network comes up closes it."""
    house.children["router"].kill()
    house.children["router"].wait()
    run("ip", "netns", "exec", house.router, "nft", "flush ruleset")
    program, config = house.programs / "node-agent", house.folder / "router.toml"
    run("ip", "netns", "exec", house.router, program, "restore-latch", "--config", config)
    house.policy()
    say(f"after a reboot, before the agent runs: {house.looked(True)} probes as modelled")
    assert "198.18.30.0" in run("ip", "netns", "exec", house.router, "nft", "list", "set", "inet", "portcullis", "cut4")
    house.start_agent("router")
    until("the agent", house.confirmed, 30)
    house.looked(True)


def the_restore(house):
    """A RESTORE code opens it again, and what was frozen goes on."""
    house.restore("red")
    until("the zone to open", lambda: house.workers["red"].ask(do="probe", tries=[["tcp", "198.18.20.2", 443]]) == [True])
    if house.cgroup:
        until("the control group to go on", lambda: not frozen(house), 3)
    say(f"after: {house.looked(False)} probes as modelled")


def the_naive_way(house):
    """Taking the allowing rule away leaves what is open alive; so these checks could fail. The fence ends it."""
    house.stream(False)
    until("the stream", lambda: house.flows(False))
    rules = run("ip", "netns", "exec", house.router, "nft", "-a", "list", "chain", "inet", "house", "forward")
    handle = next(line.split()[-1] for line in rules.splitlines() if "red to gateway" in line)
    run("ip", "netns", "exec", house.router, "nft", "delete", "rule", "inet", "house", "forward", "handle", handle)
    assert house.workers["red"].ask(do="probe", tries=[["tcp", "198.18.20.2", 443]]) == [False], "the rule was not taken away"
    time.sleep(0.5)
    assert house.flows(False), "taking the rule away ended the stream: this lab shows nothing"
    say("the allowing rule alone taken away: the open stream goes on")
    house.lever({"ask": "cut", "scope": "AGENTS", "by": "lab", "why": "lab"})
    assert not house.flows(False), "the fence did not end the stream"
    say("AGENTS cut: it has ended")


def main():
    why = missing()
    if why:
        print(f"SKIPPED: the namespace lab: {why}")
        return 0
    programs = Path(os.environ.get("CARGO_TARGET_DIR", "target"), "debug").resolve()
    with tempfile.TemporaryDirectory(prefix="pcl-") as folder:
        net = Net(folder)
        house = None
        try:
            house = House(net, programs)
            inside(house)
            house.start()
            print("leases: every process of ours killed", flush=True)
            took = sorted(leases.check(net, programs))
            say(f"{len(took)} of {len(took)} streams ended within the lease of {leases.LEASE} s: after {took[0]:.3f} to {took[-1]:.3f} s")
            for story in (the_cut, a_flush, a_reboot, the_restore, the_naive_way):
                print(story.__doc__.splitlines()[0] if story.__doc__ else story.__name__, flush=True)
                story(house)
        except BaseException:
            for log in sorted(Path(folder).glob("*.err")):
                text = log.read_text(errors="replace")[-1500:]
                if text:
                    print(f"--- {log.name}\n{text}", file=sys.stderr)
            raise
        finally:
            net.close()
            if house and house.cgroup:
                Path(house.cgroup).exists() and os.rmdir(house.cgroup)
    return 0


if __name__ == "__main__":
    sys.exit(main())
