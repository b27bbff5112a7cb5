"""Fixtures: peers are started once a run and early, because some need half a minute; a house is started for each story."""

import tempfile
from pathlib import Path

import pytest
from house import House
from peers import LiteLlm, Scripted, SmallModel


class Peers:
    """Starts a peer when a story that needs it is among those selected, and stops each by its own id."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="pc-peers-"))
        self.started = {}

    def begin(self, name):
        if name in self.started:
            return self.started[name]
        if name == "model":
            peer = SmallModel(self.folder)
        elif name == "litellm":
            peer = LiteLlm(self.folder, self.begin("scripted"))
        else:
            peer = Scripted(self.folder)
        self.started[name] = peer
        return peer

    def get(self, name):
        peer = self.begin(name)
        return peer.wait() if hasattr(peer, "wait") else peer

    def stop(self):
        for peer in self.started.values():
            peer.stop()


PEERS = Peers()


def pytest_collection_finish(session):
    names = " ".join(item.nodeid for item in session.items)
    if session.config.option.collectonly:
        return
    for name in ("model", "litellm"):
        if f"[{name}]" in names:
            PEERS.begin(name)


def pytest_sessionfinish():
    PEERS.stop()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.when == "call" and report.failed:
        for house in getattr(item, "houses", []):
            report.sections.append((f"log of the house in {house.folder}", house.log()))
    return report


@pytest.fixture
def scripted():
    return PEERS.get("scripted")


@pytest.fixture
def upstream(request):
    return PEERS.get(request.param)


@pytest.fixture
def cloud(tmp_path):
    """A second scripted upstream that stands outside the house."""
    peer = Scripted(tmp_path)
    yield peer
    peer.stop()


@pytest.fixture
def build(request):
    """Builds houses and takes them down at the end."""
    request.node.houses = []

    def one(*arguments, **options):
        house = House(*arguments, **options)
        request.node.houses.append(house)
        return house

    yield one
    for house in request.node.houses:
        house.close()


@pytest.fixture
def house(build, scripted):
    """The usual house: one consumer, one route, the scripted upstream; running, with good canaries."""
    return build([("lab", "local", scripted)], [("chat", ["*"], ["lab"])]).start()
