"""What each scope closes, and what it leaves open."""

import httpx
import pytest
from openai import APIStatusError
from phone import proven
from streams import QUESTION, RawStream
from waiting import until


@pytest.fixture
def two(build, scripted, cloud):
    """Two consumers and two routes; `chat` falls back from the local target to one outside, `far` leads outside only."""
    return build(
        [("lab", "local", scripted), ("sky", "cloud", cloud)],
        [("chat", ["steady", "slow", "stall"], ["sky", "lab"]), ("far", ["nousage", "liar"], ["sky"])],
        [("claw", ["chat", "far"]), ("rag-api", ["chat"])],
    ).start()


def ask(house, model, consumer="claw"):
    """Status, serving target and incident of one request."""
    headers = {"authorization": f"Bearer {house.keys[consumer]}"}
    body = {"model": model, "max_tokens": 1, "messages": QUESTION}
    answer = httpx.post(f"{house.gateway}/v1/chat/completions", json=body, headers=headers, timeout=10, trust_env=False)
    return answer.status_code, answer.headers.get("x-portcullis-target"), answer.headers.get("x-portcullis-incident")


def test_cutting_the_cloud_falls_back_to_the_house(two):
    assert ask(two, "steady") == (200, "sky", None)
    outside = RawStream(two, "steady", "claw").flowing()
    incident, streams = proven(two.twilio().text(f"KILL CLOUD {two.app().kill()}"), "CLOUD")
    assert streams == 1
    assert outside.end().last()["error"]["incident"] == incident
    assert ask(two, "steady") == (200, "lab", None)
    assert ask(two, "liar") == (503, None, str(incident))
    inside = RawStream(two, "steady", "claw").flowing()
    assert two.twilio().text(f"RESTORE CLOUD {two.app().restore()}").startswith("RESTORED CLOUD")
    assert ask(two, "liar") == (200, "sky", None)
    assert inside.ended is None, "a restore touches no stream"


def test_cutting_one_consumer_leaves_the_other_alone(two):
    mine, other = RawStream(two, "steady", "claw").flowing(), RawStream(two, "steady", "rag-api").flowing()
    incident, streams = proven(two.twilio().text(f"KILL rag api {two.app().kill()}"), "rag-api")
    assert streams == 1
    assert other.end().last()["error"]["incident"] == incident
    seen = len(mine.text)
    until("the other stream to go on", lambda: len(mine.text) > seen + 200)
    assert mine.ended is None
    assert ask(two, "steady", "rag-api")[0] == 503
    assert ask(two, "steady", "claw")[0] == 200


def test_cutting_one_route_leaves_the_other_open(two):
    incident, _ = proven(two.twilio().text(f"KILL FAR {two.app().kill()}"), "far")
    assert ask(two, "nousage") == (503, None, str(incident))
    assert ask(two, "steady")[0] == 200


def test_an_unknown_name_cuts_everything(two):
    proven(two.twilio().text(f"KILL toaster {two.app().kill()}"), "ALL")
    assert ask(two, "steady")[0] == 503


def test_a_second_cut_of_the_same_scope_changes_nothing(two):
    first = two.cut("LLM")
    second = two.cut("LLM")
    assert second["incident"] == first["incident"]
    assert (first["repeated"], second["repeated"]) == (False, True)
    reply = two.twilio().text(f"KILL LLM {two.app().kill()}")
    assert f"#{first['incident']}" in reply, reply
    assert len(two.state()["latches"]) == 1


def test_overlapping_cuts_open_one_by_one(two):
    proven(two.twilio().text(f"KILL LLM {two.app().kill()}"), "LLM")
    second, _ = proven(two.twilio().text(f"KILL claw {two.app().kill(-1)}"), "claw")
    reply = two.twilio().text(f"RESTORE LLM {two.app().restore()}")
    assert reply.startswith("RESTORED LLM"), reply
    assert f"claw #{second}" in reply, reply
    assert ask(two, "steady", "claw") == (503, None, str(second))
    assert ask(two, "steady", "rag-api")[0] == 200


def test_the_lever_cuts_without_a_code_and_restores_only_with_one(two):
    done = two.cli("cut", "LLM", "--why", "smoke")
    assert done.returncode == 0, done.stderr
    assert two.cut_scopes() == ["LLM"]
    refused = two.cli("restore", "LLM", stdin=f"{two.app().kill()}\n")
    assert refused.returncode == 1, refused
    assert two.cut_scopes() == ["LLM"]
    opened = two.cli("restore", "LLM", stdin=f"{two.app().restore()}\n")
    assert opened.returncode == 0, opened.stderr
    assert two.cut_scopes() == [] and ask(two, "steady")[0] == 200
    incidents = two.cli_json("incidents")
    text = str(incidents)
    assert "smoke" in text and "LLM" in text, text


def test_a_cut_client_sees_the_error_class_of_its_own_sdk(two):
    two.cut("ALL")
    with pytest.raises(APIStatusError) as refused:
        two.openai("claw").models.list()
    assert refused.value.status_code == 503 and refused.value.code == "cut"
    assert two.openai("claw").with_options(max_retries=0).base_url.host == "127.0.0.1"
