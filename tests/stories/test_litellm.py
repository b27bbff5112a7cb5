"""A local target that fails, and a real LiteLLM outside the house in its place: governed, shown, and shut by CUT CLOUD whatever the breakers say."""

import sqlite3

import httpx
import pytest
from openai import APIStatusError
from peers import Scripted
from phone import proven
from streams import QUESTION, RawStream
from test_dashboard import form_for, send, sign_in_link
from test_meter import settled
from waiting import until

# As the local target plays it: a fault, or an answer. LiteLLM knows all of them as one model.
MODELS = ["steady", "error500", "error503", "silent"]
FALLBACK = 'models = ["steady=litellm-steady", "error500=litellm-steady", "error503=litellm-steady", "silent=litellm-steady"]'
BREAKER = """first_byte_timeout = "1 s"
[gateway.targets.breaker]
failures = 3
within = "1 min"
pause = "2 s"
"""


@pytest.fixture
def lab(tmp_path):
    upstream = Scripted(tmp_path)
    yield upstream
    upstream.stop()


@pytest.fixture
def fallen(build, lab, upstream):
    """A house whose local target comes first; LiteLLM stands outside, and leads to the upstream that all stories share."""
    upstream.kind = "litellm"
    targets = [("ollama", "local", lab, BREAKER), ("litellm", "cloud", upstream, FALLBACK)]
    return build(targets, [("chat", MODELS, ["ollama", "litellm"])], [("claw", ["chat"])]).start()


def ask(house, model, tokens=2):
    """One answer of the official client: which target gave it, and in whose place."""
    answer = house.openai().chat.completions.with_raw_response.create(model=model, max_tokens=tokens, messages=QUESTION)
    assert answer.parse().choices[0].message.content
    return answer.headers["x-portcullis-target"], answer.headers.get("x-portcullis-fallback")


def breaker(house):
    text = httpx.get(f"{house.gateway}/metrics", trust_env=False).text
    (line,) = [line for line in text.splitlines() if line.startswith("portcullis_gateway_target_breaker") and '"ollama"' in line]
    return int(line.rsplit(" ", 1)[1])


@pytest.mark.parametrize("upstream", ["litellm"], indirect=True)
def test_a_real_litellm_takes_over_where_the_house_fails_and_gives_way_again(fallen, lab, upstream):
    house = fallen
    assert ask(house, "steady") == ("ollama", None)
    # The faults are its own: two answers with an error, one that never came.
    assert ask(house, "error500") == ("litellm", "ollama (server error) -> litellm")
    assert ask(house, "error503") == ("litellm", "ollama (server error) -> litellm")
    assert breaker(house) == 0
    assert ask(house, "silent") == ("litellm", "ollama (timeout) -> litellm")
    asked = len(lab.exchanges())
    assert breaker(house) == 2
    # Open: it is left alone, also for what it could answer.
    assert ask(house, "steady") == ("litellm", "ollama (breaker open) -> litellm")
    assert [one["model"] for one in lab.exchanges()[asked:] if one["model"]] == []
    # Half-open: one request tries, and a first choice that answers is the first choice again, by itself.
    until("the first choice again", lambda: ask(house, "steady") == ("ollama", None), 10, 0.3)
    assert breaker(house) == 0
    # Anthropic's API goes the same way: LiteLLM speaks it too.
    said = house.anthropic().messages.create(model="error500", max_tokens=2, messages=QUESTION)
    # It asks its upstream for sixteen tokens at least, whatever its client said.
    assert (said.content[0].text[:6], said.usage.output_tokens) == ("w0 w1 ", 16), said
    shown_everywhere(house)


def shown_everywhere(house):
    """A fallback stands in the metrics, in the ledger and on the dashboard."""
    figures = httpx.get(f"{house.gateway}/metrics", trust_env=False).text
    counted = 'portcullis_gateway_fallbacks_total{route="chat",from="ollama",to="litellm",reason="server error"} 3'
    assert counted in figures, [line for line in figures.splitlines() if "fallbacks" in line]
    found = until("the rows", lambda: (rows := fallbacks(house)) and sum(rows.values()) >= 5 and rows)
    assert set(found) == {("ollama", "litellm")}, found
    with httpx.Client(follow_redirects=True, timeout=20, trust_env=False) as browser:
        page = browser.get(sign_in_link(house))
        send(browser, page, form_for(page, "sign-in"))
        until("the fallback on the page", lambda: "litellm answered for ollama" in browser.get(house.dashboard).text)


def fallbacks(house):
    with sqlite3.connect(f"file:{house.data}/controlplane/portcullis.db?mode=ro", uri=True) as database:
        query = "select fell_back_from, target, count(*) from usage where fell_back_from is not null group by 1, 2"
        return {(place, target): count for place, target, count in database.execute(query)}


@pytest.mark.parametrize("upstream", ["litellm"], indirect=True)
def test_cut_cloud_reaches_no_litellm_whatever_the_breakers_say(fallen, lab, upstream):
    house = fallen
    outside = RawStream(house, "error500").flowing()
    assert outside.answer.headers["x-portcullis-target"] == "litellm"
    incident, streams = proven(house.twilio().text(f"KILL CLOUD {house.app().kill()}"), "CLOUD")
    assert streams == 1 and outside.end().last()["error"]["incident"] == incident
    until("LiteLLM to leave its upstream", lambda: upstream.exchanges()[-1]["end"] == "aborted")
    seen = len(upstream.exchanges())
    # Its faults open the breaker; neither open nor half-open does it lead outside.
    for model in ["error500", "error503", "silent", "steady", "steady"]:
        with pytest.raises(APIStatusError) as refused:
            ask(house, model)
        assert refused.value.status_code in (500, 502, 503), refused.value
    assert breaker(house) == 2
    with pytest.raises(APIStatusError) as refused:
        ask(house, "steady")
    assert refused.value.response.headers["x-portcullis-incident"] == str(incident)
    until("the house to serve by itself again", lambda: ask(house, "steady") == ("ollama", None), 10, 0.3)
    assert len(upstream.exchanges()) == seen, "something reached LiteLLM's upstream"
    assert {row["target"] for row in settled(house, 3)[1:]} <= {"ollama"}
    assert house.twilio().text(f"RESTORE CLOUD {house.app().restore()}").startswith("RESTORED CLOUD")
    assert ask(house, "error500") == ("litellm", "ollama (server error) -> litellm")


@pytest.mark.parametrize("upstream", ["litellm"], indirect=True)
def test_what_the_documents_give_for_gemini_and_bedrock_loads_and_has_a_price(build, upstream):
    upstream.kind = "litellm"
    house = build([("litellm", "cloud", upstream)], [("chat", ["*"], ["litellm"])]).start(proven=False)
    names = {model.id for model in house.openai().models.list()}
    documented = {"gemini-2.5-flash", "anthropic.claude-sonnet-4-6"}
    assert documented <= names, names
    for name in documented:
        assert name in (told := house.cli("prices", "list", name)).stdout, told
