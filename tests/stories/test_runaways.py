"""Runaways: a client that loops is cut with the figures that decided, and only a person opens it again."""

import pytest
from openai import APIStatusError
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
    (incident,) = house.lever({"ask": "incidents", "limit": 5})["incidents"]
    told = str(incident)
    assert "claw: 4 prompts that only grow by the same step in " in told and "tokens/min" in told, told
    assert ask(house, talk, "rag-api").choices, "the other consumer goes on"
    until("the kill switch's own refusal", lambda: refusal(house) == "cut", 10)
    reply = house.twilio().text(f"RESTORE claw {house.app().restore()}")
    assert reply.startswith("RESTORED claw"), reply
    until("an answer", lambda: refusal(house) is None, 10)
    loop(house)
    until("the second latch", lambda: house.cut_scopes() == ["claw"], 10)
    assert house.lever({"ask": "incidents", "limit": 5})["incidents"][0] != incident
