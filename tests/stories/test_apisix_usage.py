"""What an APISIX (its twin) did stands in the ledger: by the rows it is made to post, or by its counters, and once each.

The house is one process: control plane, kill switch and the agent that keeps the twin's routes. Calls are the official client's.
"""

import secrets
import sqlite3

import pytest
from house import House
from openai import APIStatusError, OpenAI
from peers import Upstream
from streams import QUESTION
from twin import ApisixTwin
from waiting import free_ports, until


class Gone(Upstream):
    """A model server that is not there."""

    def __init__(self):
        (port,) = free_ports(1)
        self.base = f"http://127.0.0.1:{port}/v1"


class Site:
    """A house that keeps a twin's routes, and what its clients were told they used."""

    def __init__(self, targets, source, besides):
        names = [name for name, *_ in targets]
        self.house = House(targets, [("chat", ["*"], names)], [("claw", ["chat"])])
        self.twin = ApisixTwin(self.house.folder)
        at, token = self.twin.at, self.house.secret("edge.token", secrets.token_hex(24))
        self.house.rules = f"""
[[controlplane.usage_sources]]
name = "edge"
kind = "apisix"
{source.format(token=token, **at)}
[[agent.drivers]]
kind = "apisix"
admin = "{at["admin"]}"
admin_key_file = "{self.twin.key_file}"
control = "{at["control"]}"
metrics = "{at["metrics"]}"
data = ["{at["data"]}"]
manage = true
sever = false
ai_proxy = true
{besides.format(token=token, dashboard=self.house.dashboard)}
"""
        self.house.write_config()
        self.tokens = self.calls = 0

    def start(self):
        self.house.start(proven=False)
        until("the twin to serve the house's route", lambda: self.twin.status("/v1/models", self.house.keys["claw"]) == 200, 60)
        return self

    def client(self):
        return OpenAI(base_url=f"{self.twin.data}/v1", api_key=self.house.keys["claw"], max_retries=0, timeout=60)

    def call(self, times=1):
        for _ in range(times):
            said = self.client().chat.completions.create(model="steady", max_tokens=3, messages=QUESTION)
            self.calls += 1
            self.tokens += said.usage.prompt_tokens + said.usage.completion_tokens

    def ledger(self):
        """Of this APISIX: calls and tokens."""
        rows = self.house.cli_json("spend", "--by", "source")["rows"]
        mine = [row for row in rows if row["name"] == "edge"]
        return (mine[0]["totals"]["exchanges"], mine[0]["totals"]["prompt_tokens"] + mine[0]["totals"]["completion_tokens"]) if mine else (0, 0)

    def until_all(self):
        """Never more than there was, and in the end all of it."""

        def check():
            found = self.ledger()
            if found[0] > self.calls or found[1] > self.tokens:
                pytest.fail(f"{found} of {(self.calls, self.tokens)}")
            return found == (self.calls, self.tokens)

        until("all calls in the ledger", check, 60)

    def query(self, text):
        with sqlite3.connect(f"file:{self.house.data / 'controlplane' / 'portcullis.db'}?mode=ro", uri=True) as base:
            return base.execute(text).fetchall()

    def close(self):
        self.house.close()
        self.twin.stop()


@pytest.fixture
def site(request):
    sites = []

    def make(*words):
        sites.append(Site(*words))
        request.node.houses = [site.house for site in sites]
        return sites[-1].start()

    yield make
    for site in sites:
        site.close()


def test_rows_that_an_apisix_posts_say_in_whose_place_a_target_answered(site, scripted):
    """The local server is away: the house leads the route outside, and the ledger shows it as it does of its own gateway."""
    rows = 'usage_to = "{dashboard}/api/v1/usage/edge"\nusage_token_file = "{token}"'
    site = site([("lab", "local", Gone()), ("far", "cloud", scripted)], 'token_file = "{token}"', rows)
    until("the fallback", lambda: fallen_back(site), 60)
    site.call(5)
    site.until_all()
    found = site.query("select fell_back_from, target, class, consumer, route, count(*) from usage where source = 'edge' group by 1, 2, 3, 4, 5")
    assert found == [("lab", "far", "cloud", "claw", "chat", site.calls)], found
    # What is not counted does not pass.
    with pytest.raises(APIStatusError) as told:
        site.client().embeddings.create(model="steady", input="x")
    assert told.value.status_code == 404
    site.house.cut("chat")

    def refused():
        with pytest.raises(APIStatusError) as told:
            site.call()
        return told.value.status_code == 503

    until("the cut", refused, 20)


def test_counters_say_in_whose_place_a_target_answered(site, scripted):
    """The same where nothing but counters tells of it."""
    counters = 'metrics = "{metrics}"\nlocal = ["lab"]'
    site = site([("lab", "local", Gone()), ("far", "cloud", scripted)], counters, "")
    until("the first look", lambda: "followed from here on" in site.house.log(), 40)
    until("the fallback", lambda: fallen_back(site), 60)
    site.call(4)
    site.until_all()
    site.house.stop()
    site.call(2)
    site.start()
    site.until_all()
    found = site.query("select fell_back_from, target, class, consumer, route, sum(calls) from usage where source = 'edge' group by 1, 2, 3, 4, 5")
    assert found == [("lab", "far", "cloud", "claw", "chat", site.calls)], found


def fallen_back(site):
    try:
        site.call()
    except APIStatusError:
        return False
    return True


def test_counters_stand_in_the_ledger_once_whoever_starts_anew(site, scripted):
    counters = 'metrics = "{metrics}"\nlocal = ["lab"]'
    site = site([("lab", "local", scripted)], counters, "")
    until("the first look", lambda: "followed from here on" in site.house.log(), 40)
    site.call(4)
    site.until_all()
    # The control plane is away, and the gateway goes on.
    site.house.stop()
    site.call(3)
    site.start()
    site.until_all()
    # The gateway begins anew, and its counters with it.
    site.twin.pull("restart")
    site.call(2)
    site.until_all()
    site.call(1)
    site.until_all()
    found = site.query("select distinct target, class, consumer, route, cost, model from usage where source = 'edge'")
    assert found == [("lab", "local", "claw", "chat", 0, "steady")], found
