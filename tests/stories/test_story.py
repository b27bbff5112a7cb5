"""The whole story, told with three upstreams: a text cuts a live stream and proves it, another brings it back."""

import concurrent.futures
import time

import httpx
import pytest
from openai import APIError, APIStatusError
from phone import proven
from streams import QUESTION, RawStream, SdkStream
from waiting import until


@pytest.mark.parametrize("upstream", ["scripted", "model", "litellm"], indirect=True)
def test_a_text_cuts_a_live_stream_and_another_brings_it_back(build, upstream):
    house = build([("up", "local", upstream)], [("chat", ["*"], ["up"])]).start()
    client, phone = house.openai(), house.twilio()
    assert upstream.model in [model.id for model in client.models.list()]

    before_it = len(upstream.exchanges()) if hasattr(upstream, "exchanges") else 0
    # The code is in hand before the stream begins: nothing but the text itself stands between the stream and its end.
    kill = house.codes()["kill"]
    stream = SdkStream(client, upstream.model, upstream.endless).flowing()
    before = time.monotonic()
    reply = phone.text(f"KILL LLM {kill}")
    answered = time.monotonic()
    stream.end()
    print(f"{upstream.name}: stream ended {1000 * (stream.ended - before):.1f} ms, reply came {1000 * (answered - before):.1f} ms after the text was sent: {reply}")

    incident, streams = proven(reply, "LLM")
    assert streams == 1, reply
    assert stream.error is not None, "the client saw an ordinary end"
    assert stream.error.code == "cut", stream.error
    assert f"#{incident}" in str(stream.error.message), stream.error
    assert stream.ended <= answered, "the reply came before the stream had ended"

    with pytest.raises(APIStatusError) as refused:
        client.chat.completions.create(model=upstream.model, max_tokens=4, messages=QUESTION)
    answer = refused.value.response
    assert answer.status_code == 503
    assert answer.headers["x-portcullis-incident"] == str(incident)
    assert answer.headers["retry-after"] == "30"
    assert refused.value.body["incident"] == incident

    if hasattr(upstream, "exchanges"):
        # LiteLLM notices that its client has gone when it next writes, and then leaves its own upstream.
        ended = until("the upstream to notice", lambda: [one for one in upstream.exchanges()[before_it:] if one["sent_chunks"] > 0])
        assert [one["end"] for one in ended] == ["aborted"], ended

    back = phone.text(f"RESTORE LLM {house.codes()['restore_next']}")
    assert back.startswith("RESTORED LLM "), back
    again = client.chat.completions.create(model=upstream.model, max_tokens=4, messages=QUESTION)
    assert again.choices[0].message.content
    assert house.cut_scopes() == []
    verified = house.cli("journal", "verify")
    assert verified.returncode == 0, verified.stderr
    house.stop()


@pytest.mark.parametrize("upstream", ["litellm"], indirect=True)
def test_a_canned_answer_of_litellm_passes_and_is_refused_when_cut(build, upstream):
    house = build([("up", "local", upstream)], [("chat", ["*"], ["up"])]).start()
    client = house.openai()
    chunks = list(client.chat.completions.create(model=upstream.canned, stream=True, messages=QUESTION))
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert "canned answer" in text
    proven(house.twilio().text(f"kill {house.app().kill()}"), "ALL")
    with pytest.raises(APIStatusError) as refused:
        client.chat.completions.create(model=upstream.canned, stream=True, messages=QUESTION)
    assert refused.value.status_code == 503


def test_the_last_bytes_are_a_whole_error_event_and_a_clean_close(house):
    streams = [RawStream(house, model).flowing() for model in ("steady", "trickle", "steady")]
    stalled = RawStream(house, "stall").flowing(1)
    incident, ended = proven(house.twilio().text(f"kill llm {house.app().kill()}"), "LLM")
    assert ended == 4
    for stream in [*streams, stalled]:
        error = stream.end().last()["error"]
        assert (error["code"], error["type"], error["incident"]) == ("cut", "portcullis_cut", incident)
        assert f"#{incident}" in error["message"] and "LLM" in error["message"]


def test_a_request_that_waits_for_its_upstream_is_refused_at_once(house):
    client = house.openai()

    def ask():
        with pytest.raises(APIStatusError) as refused:
            client.chat.completions.create(model="silent", messages=QUESTION)
        return refused.value.response, time.monotonic()

    with concurrent.futures.ThreadPoolExecutor() as pool:
        waiting = pool.submit(ask)
        until("the request to wait", lambda: [one for one in house.observe()["exchanges"] if one["target"] == "lab"])
        incident, ended = proven(house.twilio().text(f"kill {house.app().kill()}"), "ALL")
        answered = time.monotonic()
        response, at = waiting.result(10)
    assert ended == 1
    assert response.status_code == 503 and response.headers["x-portcullis-incident"] == str(incident)
    assert at < answered + 1


def test_an_unmodified_client_gets_what_the_upstream_says(house, scripted):
    client = house.openai()
    whole = client.chat.completions.create(model="steady", max_tokens=5, messages=QUESTION)
    assert whole.choices[0].message.content == "w0 w1 w2 w3 w4 "
    assert whole.usage.completion_tokens == 5
    chunks = list(client.chat.completions.create(model="steady", max_tokens=5, stream=True, messages=QUESTION))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == "w0 w1 w2 w3 w4 "
    body = {"model": "steady", "max_tokens": 3, "messages": QUESTION, "odd": {"b": 1, "a": [1.50, None]}}
    headers = {"authorization": f"Bearer {house.keys['agent']}"}
    through = httpx.post(f"{house.gateway}/v1/chat/completions", json=body, headers=headers, trust_env=False)
    direct = httpx.post(f"{scripted.base}/chat/completions", json=body, trust_env=False)
    assert through.content == direct.content
    first, second = scripted.exchanges()[-2:]
    assert first["body_sha256"] == second["body_sha256"]


def test_wrong_keys_and_unknown_models_are_answered_in_the_clients_own_shape(house, build, scripted):
    client = house.openai()
    client.api_key = "pck_" + "0" * 48
    with pytest.raises(APIStatusError) as refused:
        client.models.list()
    assert refused.value.status_code == 401 and refused.value.code == "invalid_api_key"
    narrow = build([("lab", "local", scripted)], [("chat", ["steady"], ["lab"])]).start()
    with pytest.raises(APIError) as refused:
        narrow.openai().chat.completions.create(model="gpt-unknown", messages=QUESTION)
    assert refused.value.status_code == 404 and refused.value.code == "model_not_found"
