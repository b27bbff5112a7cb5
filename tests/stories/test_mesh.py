"""The mesh beside the walls: what is seen of it, what a cut does there, and what only a person takes back."""

import subprocess

import pytest
from mesh import KEY, Headscale, Service
from peers import built
from waiting import until

OPEN = '{"acls": [{"action": "accept", "src": ["*"], "dst": ["*:*"]}]} // as it was'
CLOSED = '{"acls": []}'
RED = """
[zones.red]
tier = "contained"
nets = ["198.51.100.0/24"]
must = ["tcp://192.0.2.12:7412"]
must_not = ["tcp://192.0.2.7:445", "tcp://[2001:db8::7]:445", "dns://192.0.2.53/example.org"]
"""


def node(number, name, tags=(), routes=()):
    return {
        "id": str(number),
        "name": name,
        "givenName": name,
        "ipAddresses": [f"100.64.0.{number}"],
        "user": {"id": "1", "name": "ada"},
        "expiry": None,
        "online": True,
        "forcedTags": list(tags),
        "approvedRoutes": list(routes),
        "subnetRoutes": list(routes),
    }


@pytest.fixture
def headscale():
    nodes = [node(1, "mgmt1", ["tag:agent"]), node(7, "other-name", routes=["10.20.10.0/24"]), node(8, "laptop"), node(9, "stray", ["tag:agent"])]
    keys = [{"id": "3", "key": "k3", "user": {"id": "1"}, "reusable": True, "used": True, "aclTags": ["tag:agent"]}]
    server = Headscale(nodes, keys, OPEN)
    yield server
    server.stop()


@pytest.fixture
def service(headscale):
    service = Service(headscale.nodes["1"])
    yield service
    service.stop()


@pytest.fixture
def house(headscale, service, build, scripted):
    """A house on a mesh; `claw1` of the contained zone is bound to node 7, which calls itself otherwise."""
    house = build([("lab", "local", scripted)], [("chat", ["*"], ["lab"])])
    (house.folder / "cut.hujson").write_text(CLOSED)
    house.secret("headscale.key", KEY)
    house.rules = f"""{RED}
[mesh]
socket = "{service.path}"
agent_tags = ["tag:agent"]
quarantine_policy_file = "cut.hujson"
[mesh.control]
kind = "headscale-v1"
url = "{headscale.url}"
key_file = "headscale.key"
[mesh.nodes.claw1]
id = "7"
"""
    house.write_config()
    house.start(proven=False)
    house.cli_json("hosts", "invite", "claw1", "--zone", "red", "--role", "red-zone")
    return house


def ended(headscale):
    return {number for number, node in headscale.nodes.items() if node["expiry"]}


def look_again(headscale, service):
    """Until the house has followed its kill switch and looked at the mesh once more."""
    before = headscale.looks()
    service.change()
    until("another look", lambda: headscale.looks() > before)


def test_a_cut_is_carried_on_to_the_mesh_and_only_a_person_takes_it_back(house, headscale, service):
    view = house.cli_json("mesh")
    assert view["problems"] == [] and view["state"] == "Running", view
    nodes = {node["id"]: node for node in view["nodes"]}
    assert {number for number, node in nodes.items() if node["own"]} == {"1"}
    assert (nodes["7"]["host"], nodes["7"]["zone"], nodes["8"]["host"]) == ("claw1", "red", None)
    assert {"contained-on-mesh", "contained-routes"} <= set(nodes["7"]["findings"]), nodes["7"]
    until("the house to follow the mesh", lambda: headscale.looks() >= 2)
    assert headscale.changes() == [], "nothing is changed before a cut"
    assert house.cli("mesh", "release").returncode == 1, "nothing is kept before a cut"

    house.cut("AGENTS")
    until("the keys of the agents' nodes to end", lambda: ended(headscale) == {"7", "9"})
    until("nothing to be routed to it", lambda: headscale.nodes["7"]["approvedRoutes"] == [])
    until("the keys for joining to end", lambda: headscale.join_keys == [])
    assert headscale.policy == CLOSED
    done = headscale.changes()
    assert done[0] == "PUT /api/v1/policy", done

    opened = house.cli("restore", "AGENTS", stdin=f"{house.app().restore()}\n")
    assert opened.returncode == 0, opened.stderr
    assert house.cut_scopes() == []
    for _ in range(3):
        look_again(headscale, service)
    assert (headscale.changes(), headscale.policy) == (done, CLOSED), "a restore takes nothing back"

    released = house.cli("mesh", "release")
    assert released.returncode == 0, released.stderr
    assert headscale.policy == OPEN and ended(headscale) == {"7", "9"}
    assert house.cli("mesh", "release").returncode == 1, "once it is back nothing is kept"


def test_what_a_host_should_try_is_printed_as_its_agent_reads_it(house):
    printed = house.cli("hosts", "canary", "claw1")
    assert printed.returncode == 0, printed.stderr
    file = house.folder / "node-agent.toml"

    def check(section):
        file.write_text(f'[agent]\nname = "claw1"\nkillswitch_keys = []\n{section}')
        return subprocess.run([built("node-agent"), "check", "--config", file], capture_output=True, text=True, timeout=20, check=False)

    good = check(printed.stdout)
    assert good.returncode == 0, good.stderr
    wrong = check(printed.stdout.replace("tcp://192.0.2.7:445", "tcp://nas:445"))
    assert wrong.returncode != 0 and "canary.must_not[0]" in wrong.stderr, wrong
    assert all(target in printed.stdout for target in ("tcp://192.0.2.12:7412", "tcp://[2001:db8::7]:445", "dns://192.0.2.53/example.org"))
    unknown = house.cli("hosts", "canary", "nobody")
    assert unknown.returncode == 1 and "there is no host nobody" in unknown.stderr, unknown


def test_the_mesh_and_a_zone_are_seen_from_elsewhere_and_nothing_is_taken_back_from_there(house, headscale):
    path = house.folder / "admin.token"
    path.write_text(house.cli_json("tokens", "create", "far-away", "--role", "admin")["token"])
    away = ("--url", house.dashboard, "--token-file", path)

    def seen():
        """The house looks by itself; what it saw last is told."""
        view = house.cli_json(*away, "mesh")
        return view if {node["host"] for node in view["nodes"] if node["id"] == "7"} == {"claw1"} else None

    # It reads its hosts each 5 s, and looks each 15 s.
    there, here = until("the house to have looked", seen, 60), house.cli_json("mesh")
    for view in (there, here):
        del view["at"]
    assert there == here
    shown = house.cli(*away, "mesh")
    assert shown.returncode == 0 and "claw1 in red" in shown.stdout, shown
    for words in (("mesh", "release"), ("mesh", "delete", "7")):
        refused = house.cli(*away, *words)
        assert refused.returncode == 1 and "machine of the house" in refused.stderr, refused
    assert set(headscale.nodes) >= {"7"} and headscale.changes() == []

    assert house.cli(*away, "hosts", "canary", "claw1").stdout == house.cli("hosts", "canary", "claw1").stdout
    nowhere = house.cli(*away, "hosts", "invite", "gpu1", "--zone", "nowhere", "--role", "inference")
    assert nowhere.returncode == 1 and "no zone `nowhere`" in nowhere.stderr and "red" in nowhere.stderr, nowhere
