"""Runaways: a client that loops is cut with the figures that decided, and only a person opens it again."""

import json
import socket
import sqlite3

import httpx
import pytest
from openai import APIStatusError, InternalServerError, RateLimitError
from waiting import until

TRIP = """
[gateway.runaway]
repeats = "trip"
errors = "trip"
storm = "trip"
spike = "trip"
"""


def ask(house, messages, consumer="claw"):
    return house.openai(consumer).chat.completions.create(model="steady", max_tokens=2, messages=messages)


def loop(house):
    """As an agent that calls the same tool for the same answer. How many steps it got, and what ended it."""
    messages = [{"role": "system", "content": "You are an agent."}, {"role": "user", "content": "Find the file."}]
    for step in range(20):
        try:
            ask(house, messages)
        except APIStatusError as error:
            return step, error
        call = {"id": f"call_{step}", "type": "function", "function": {"name": "find", "arguments": "{}"}}
        messages.append({"role": "assistant", "content": f"Try {step}.", "tool_calls": [call]})
        messages.append({"role": "tool", "tool_call_id": call["id"], "content": "not found at 10:31:%02d" % step})
    pytest.fail("twenty steps of a loop were answered")


def refusal(house):
    try:
        ask(house, [{"role": "user", "content": "Are you there?"}])
    except APIStatusError as error:
        return error.code
    return None


def test_a_loop_is_cut_with_its_figures_a_person_opens_it_and_the_next_loop_is_cut_again(build, scripted):
    routes, consumers = [("chat", ["*"], ["lab"])], [("claw", ["chat"]), ("rag-api", ["chat"])]
    house = build([("lab", "local", scripted)], routes, consumers, rules=TRIP).start()
    talk = [{"role": "user", "content": "Hello."}]
    for turn in range(15):
        ask(house, talk, "rag-api")
        talk += [{"role": "assistant", "content": f"Answer {turn}."}, {"role": "user", "content": "And then?"}]
    steps, error = loop(house)
    assert steps <= 6 and error.status_code == 503 and error.code in ("tripped", "cut"), (steps, error)
    until("the latch", lambda: house.cut_scopes() == ["claw"], 10)
    (incident,) = house.incidents()
    told = str(incident)
    assert "claw: 4 prompts that only grow by the same step in " in told and "tokens/min" in told, told
    assert ask(house, talk, "rag-api").choices, "the other consumer goes on"
    until("the kill switch's own refusal", lambda: refusal(house) == "cut", 10)
    reply = house.twilio().text(f"RESTORE claw {house.app().restore()}")
    assert reply.startswith("RESTORED claw"), reply
    until("an answer", lambda: refusal(house) is None, 10)
    loop(house)
    until("the second latch", lambda: house.cut_scopes() == ["claw"], 10)
    until("the second incident", lambda: house.incidents()[0] != incident)


# One kind each way: slowed down, said, closed. A breaker that opened would keep the faults from the target.
EACH = """
[gateway.runaway]
errors = "throttle"
storm = "alert"
spike = "trip"

[[gateway.budgets]]
name = "spender-day"
consumer = "spender"
window = "day"
tokens = 200000
"""
PATIENT = "[gateway.targets.breaker]\nfailures = 1000"


def remarks(house):
    with sqlite3.connect(f"file:{house.data}/controlplane/portcullis.db?mode=ro", uri=True) as database:
        return list(database.execute("select consumer, kind, text from remarks order by at"))


def counted(house, consumer, kind, reaction):
    line = f'portcullis_gateway_runaways_total{{consumer="{consumer}",kind="{kind}",reaction="{reaction}"}} 1'
    return line in httpx.get(f"{house.gateway}/metrics", trust_env=False).text.splitlines()


def retry(house):
    """As an agent without a pause: the same again until something else than the fault comes back."""
    same = [{"role": "user", "content": "Try."}]
    for tried in range(30):
        try:
            house.openai("stumbler").chat.completions.create(model="error500", messages=same)
        except InternalServerError:
            continue
        except RateLimitError as error:
            return tried, error
    pytest.fail("thirty tries in a row were let through")


def open_many(house, count):
    """So many requests of one consumer, all waiting for their answer."""
    body = json.dumps({"model": "silent", "messages": []})
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {house.keys['swarm']}\r\ncontent-length: {len(body)}\r\n\r\n"
    ends = [socket.create_connection(("127.0.0.1", house.ports["gateway"]), 5) for _ in range(count)]
    for end in ends:
        end.sendall((head + body).encode())
    return ends


def spend(house):
    """Different prompts, each honest by itself, far faster than the day's budget bears."""
    for asked in range(40):
        try:
            prompt = [{"role": "user", "content": f"Part {asked} of the book, {asked * 7919} words."}]
            house.openai("spender").chat.completions.create(model="steady", max_tokens=2500, messages=prompt)
        except APIStatusError as error:
            return error
    pytest.fail("forty requests spent half of the day's budget within seconds")


def test_each_kind_is_slowed_down_said_or_closed_as_the_file_says_with_its_figures(build, scripted):
    consumers = [(name, ["chat"]) for name in ("stumbler", "swarm", "spender")]
    house = build([("lab", "local", scripted, PATIENT)], [("chat", ["*"], ["lab"])], consumers, rules=EACH).start()
    # Errors: slowed down, with when to ask again.
    tried, error = retry(house)
    assert error.code == "runaway_throttled" and 10 <= tried <= 20, (tried, error)
    assert "one prompt sent 15 times in " in error.message and int(error.response.headers["retry-after"]) >= 1, error.message
    # A storm: said, and every one of its requests goes on.
    ends = open_many(house, 135)
    until("the alert", lambda: counted(house, "swarm", "storm", "alert"))
    waiting = lambda: [one for one in house.observe()["exchanges"] if one["target"] == "lab"]
    until("all of them to wait", lambda: len(waiting()) == 135)
    for end in ends:
        end.close()
    # A spike: closed at once, latched with its figures, opened by a person alone.
    error = spend(house)
    assert error.status_code == 503 and error.code in ("tripped", "cut"), error
    until("the latch", lambda: house.cut_scopes() == ["spender"], 10)
    (incident,) = house.incidents()
    assert " tokens in " in str(incident) and "more than the day's budget bears" in str(incident), incident
    found = until("what was noticed in the ledger", lambda: len(seen := remarks(house)) >= 2 and seen)
    told = {(consumer, kind): text for consumer, kind, text in found}
    assert "one prompt sent 15 times in " in told[("stumbler", "throttle")], told
    assert "128 requests open at once; nothing is done about it" in told[("swarm", "alert")], told
    assert counted(house, "stumbler", "errors", "throttle") and counted(house, "spender", "spike", "trip")
    assert house.twilio().text(f"RESTORE spender {house.app().restore()}").startswith("RESTORED spender")
