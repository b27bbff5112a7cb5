"""Hosts: real agents as processes of their own join, report, renew, are shut out, and come back."""

import json
import subprocess

import pytest
from peers import built
from waiting import Child, free_ports, until


class Host:
    """One agent with a folder of its own."""

    def __init__(self, house, name):
        self.house, self.name = house, name
        self.folder = house.folder / name
        self.folder.mkdir()
        self.orders, self.called = free_ports(2)
        self.config = self.folder / "node-agent.toml"
        self.config.write_text(
            f"[agent]\nname = \"{name}\"\nlisten = \"127.0.0.1:{self.orders}\"\nstate = \"state\"\n"
            f"[uplink]\nlisten = \"127.0.0.1:{self.called}\"\n"
        )
        self.child = None

    def agent(self, *words, stdin=None, limit=30):
        command = [built("node-agent"), *words]
        return subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=limit, env=self.house.env(), check=False)

    def join(self, token, *more):
        return self.agent("join", "-", "--state", self.folder / "state", "--json", *more, stdin=token)

    def start(self):
        self.child = Child([built("node-agent"), "run", "--config", self.config], self.folder, "run", self.house.env())
        return self

    def stop(self):
        if self.child:
            self.child.kill()


@pytest.fixture
def house(build, scripted):
    """A house whose certificates are good for a minute: a renewal is due after half of it."""
    house = build([("lab", "local", scripted)], [("chat", ["*"], ["lab"])])
    house.hosts_rules = 'certificate_life = "60 s"'
    house.write_config()
    return house.start(proven=False)


def listed(house):
    return {host["name"]: host for host in house.cli_json("hosts", "list")["hosts"]}


def invite(house, name, *more):
    return house.cli_json("hosts", "invite", name, "--zone", "red", "--role", "red-zone", *more)["token"]


def heard(house, name):
    """What the control plane has of a host: the number of its newest report."""
    import sqlite3

    with sqlite3.connect(f"file:{house.data}/controlplane/portcullis.db?mode=ro", uri=True) as database:
        row = database.execute("select seq from host_latest where host = ?", (name,)).fetchone()
    return row[0] if row else 0


def test_two_agents_join_report_renew_and_one_is_shut_out_and_comes_back(house):
    one, two = Host(house, "gpu1"), Host(house, "gw9")
    try:
        for host in (one, two):
            joined = host.join(invite(house, host.name))
            assert joined.returncode == 0, joined.stderr
            assert json.loads(joined.stdout)["host"] == host.name
            host.start()
        until("a report of each", lambda: heard(house, "gpu1") and heard(house, "gw9"), 30)
        first = listed(house)["gpu1"]["certificate"]
        until("a new certificate", lambda: listed(house)["gpu1"]["certificate"] != first, 60)

        assert house.cli("hosts", "revoke", "gpu1").returncode == 0
        at = heard(house, "gpu1")
        theirs = heard(house, "gw9")
        until("two more of the other", lambda: heard(house, "gw9") >= theirs + 2, 40)
        assert heard(house, "gpu1") <= at + 1

        token = house.cli_json("hosts", "reinvite", "gpu1")["token"]
        assert one.join(token).returncode == 0
        until("it speaks again", lambda: heard(house, "gpu1") > at + 1, 60)
        assert one.join(token).returncode == 1, "a token is used once"
    finally:
        one.stop()
        two.stop()


def test_a_host_of_a_contained_zone_is_called_and_never_calls(house):
    host = Host(house, "claw1")
    waiting = None
    try:
        token = invite(house, "claw1", "--dial", "in", "--at", f"127.0.0.1:{host.called}")
        (host.folder / "token").write_text(token)
        waiting = Child(
            [built("node-agent"), "join", host.folder / "token", "--state", host.folder / "state"], host.folder, "join", house.env()
        )
        until("joined", lambda: listed(house)["claw1"]["state"] == "joined", 30)
        until("the end of waiting", lambda: not waiting.running(), 20)
        assert waiting.process.returncode == 0, waiting.err.read_text()
        host.start()
        until("a report", lambda: heard(house, "claw1"), 60)
    finally:
        host.stop()
        if waiting:
            waiting.kill()


def test_the_own_machine_is_a_host_from_the_first_start_on(house):
    until("itself", lambda: any(host["state"] == "joined" for host in listed(house).values()), 20)
    name = next(iter(listed(house)))
    until("a report of itself", lambda: heard(house, name), 30)


def test_a_host_is_invited_and_shut_out_from_elsewhere(house):
    for role in ("admin", "viewer"):
        (house.folder / role).write_text(house.cli_json("tokens", "create", role, "--role", role)["token"])
    away = ("--url", house.dashboard, "--token-file", house.folder / "admin")
    wanted = ("hosts", "invite", "gpu1", "--zone", "red", "--role", "red-zone")
    looks = house.cli("--url", house.dashboard, "--token-file", house.folder / "viewer", *wanted)
    assert looks.returncode == 1 and "403" in looks.stderr and "gpu1" not in listed(house), looks.stderr

    host = Host(house, "gpu1")
    invited = house.cli_json(*away, *wanted)
    assert (invited["host"], invited["zone"], invited["roles"], invited["dial"]) == ("gpu1", "red", ["red-zone"], "out")
    joined = host.join(invited["token"])
    assert joined.returncode == 0, joined.stderr
    assert listed(house)["gpu1"]["state"] == "joined"
    twice = house.cli(*away, *wanted)
    assert twice.returncode == 1 and "known already" in twice.stderr, twice.stderr
    called = house.cli_json(*away, "hosts", "invite", "claw1", "--zone", "red", "--role", "red-zone", "--dial", "in", "--at", "127.0.0.1:7")
    assert called["dial"] == "in" and listed(house)["claw1"]["state"] == "invited"

    assert house.cli_json(*away, "hosts", "rename", "gpu1", "attic") == {"renamed": "gpu1", "to": "attic"}
    assert house.cli_json(*away, "hosts", "revoke", "attic") == {"revoked": "attic"}
    assert listed(house)["attic"]["state"] == "revoked"
    token = house.cli_json(*away, "hosts", "reinvite", "attic")["token"]
    again = Host(house, "attic")
    assert again.join(token).returncode == 0 and listed(house)["attic"]["state"] == "joined"
    for words in (("revoke", "nobody"), ("reinvite", "nobody"), ("rename", "nobody", "else"), ("rename", "attic", "claw1")):
        assert house.cli(*away, "hosts", *words).returncode == 1, words
    record = json.loads(house.cli("--url", house.dashboard, "--token-file", house.folder / "viewer", "status", "--json").stdout)
    assert record["killswitch"]["latches"] == [], "whoever is shut out has cut nothing"
