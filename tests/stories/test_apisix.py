"""An APISIX (its twin) that an agent of its own drives: the official client streams through it, and a text cuts.

The twin, `node-agent run` and `portcullis serve killswitch` are processes of their own, as in a house.
"""

import shutil
import tempfile
from pathlib import Path

import httpx
import pytest
from driven import BreakingStream, DrivenSite, may_sever
from openai import APIStatusError, OpenAI
from streams import QUESTION
from twin import ApisixTwin
from waiting import until

FOREIGN = {"uri": "/theirs/*", "plugins": {"proxy-rewrite": {"uri": "/v1/models"}}}


class Site(DrivenSite):
    """APISIX: one consumer of ours, and a route of somebody else's."""

    def __init__(self, scripted):
        self.beside = Path(tempfile.mkdtemp(prefix="pc-"))
        self.twin = ApisixTwin(self.beside)
        super().__init__(scripted, {"claw": "chat"}, self.twin.at["data"])
        self.key = self.keys["claw"]
        nodes = {f"127.0.0.1:{scripted.port}": 1}
        self.twin.pull("place", path="routes/theirs", value={**FOREIGN, "upstream": {"nodes": nodes}})
        self.theirs = self.twin.stored("routes/theirs")
        at = self.twin.at
        self.write_agent(f"""
kind = "apisix"
admin = "{at['admin']}"
admin_key_file = "{self.twin.key_file}"
control = "{at['control']}"
metrics = "{at['metrics']}"
""")
        self.write_kill_switch()

    def start(self):
        self.start_agent()
        self.start_kill_switch()
        until("APISIX to serve the agent's route", lambda: self.twin.status("/v1/models", self.key) == 200, 40)
        self.until_proven()
        return self

    def client(self):
        return OpenAI(base_url=f"{self.twin.data}/v1", api_key=self.key, max_retries=0, timeout=60)

    def secrets(self):
        return [*super().secrets(), self.twin.key]

    def close(self):
        super().close()
        self.twin.stop()
        shutil.rmtree(self.beside, ignore_errors=True)


@pytest.fixture
def site(request, scripted):
    site = Site(scripted)
    request.node.houses = [site]
    try:
        yield site.start()
    finally:
        site.close()


def refused(site):
    """What the official client is told: the incident, by header and by body."""
    with pytest.raises(APIStatusError) as told:
        site.client().chat.completions.create(model="steady", max_tokens=2, messages=QUESTION)
    answer = told.value.response
    assert answer.status_code == 503, answer.text
    error = answer.json()["error"]
    assert error["code"] == "cut" and answer.headers["retry-after"] == "30", answer.text
    assert answer.headers["x-portcullis-incident"] == str(error["incident"])
    return error["incident"]


def served(site):
    said = site.client().chat.completions.create(model="steady", max_tokens=2, messages=QUESTION)
    return said.choices[0].message.content


def test_a_text_cuts_an_apisix_and_its_streams_a_restore_opens_it_and_nothing_of_others_is_touched(site, scripted):
    assert served(site) and site.twin.status("/theirs/x") == 200
    stream = BreakingStream(site.client(), "steady").flowing()
    reply = site.phone().text(f"KILL ALL {site.app().kill()}")
    assert reply.startswith("CUT"), reply
    incident = refused(site)
    assert f"#{incident}" in reply, reply
    if may_sever():
        assert isinstance(stream.end().error, httpx.TransportError)
        until("the upstream to be left", lambda: scripted.exchanges()[-1]["end"] == "aborted", 5)
        assert "PARTIAL" not in reply and "UNPROVEN" not in reply, reply
    else:
        # Nobody here may end sockets of others: then it is said, and never CUT alone.
        assert "PARTIAL" in reply, reply
        assert stream.ended is None
    # ALL is everything this gateway serves, also what is not ours; what is stored of theirs stays as it was.
    assert site.twin.status("/theirs/x") == 503
    assert site.twin.stored("routes/theirs") == site.theirs

    reply = site.phone().text(f"RESTORE ALL {site.app().restore()}")
    assert reply.startswith("RESTORED ALL"), reply
    until("the client to be served again", lambda: served(site), 10)
    assert site.twin.status("/theirs/x") == 200
    assert site.twin.stored("routes/theirs") == site.theirs
    assert site.twin.stored("global_rules/portcullis-cut") is None


def test_a_cut_of_models_leaves_the_routes_of_others_open(site):
    assert served(site)
    reply = site.phone().text(f"KILL LLM {site.app().kill()}")
    assert reply.startswith("CUT"), reply
    refused(site)
    assert site.twin.status("/theirs/x") == 200
    assert site.twin.stored("routes/theirs") == site.theirs


def test_an_admin_api_that_hangs_is_never_called_a_cut_and_the_cut_comes_when_it_is_back(site):
    assert served(site)
    site.twin.pull("etcd", state="hung")
    reply = site.phone().text(f"KILL ALL {site.app().kill()}")
    assert served(site), "the data plane goes on with what it has"
    assert "PARTIAL" in reply or "UNPROVEN" in reply, reply
    site.twin.pull("etcd", state="up")
    until("the cut", lambda: site.twin.status("/v1/models", site.key) == 503, 20)
    refused(site)
    # What was once written late opens nothing: it is looked at again and again.
    assert httpx.get(f"{site.twin.data}/theirs/x", trust_env=False).status_code == 503


def test_what_somebody_takes_away_is_put_back(site):
    reply = site.phone().text(f"KILL LLM {site.app().kill()}")
    assert reply.startswith("CUT"), reply
    assert site.twin.pull("remove", path="global_rules/portcullis-cut") == {"was_there": True}
    until("the rule to be back", lambda: site.twin.stored("global_rules/portcullis-cut") is not None, 10)
    until("the refusal", lambda: site.twin.status("/v1/models", site.key) == 503, 10)
