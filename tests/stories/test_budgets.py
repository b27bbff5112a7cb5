"""Budgets and limits: what a client is told, what is cut off in the middle, and a trip from its figures to its restore."""

import pytest
from openai import APIError, APIStatusError, RateLimitError
from streams import QUESTION, RawStream, SdkStream
from waiting import until

TRIP = """
[[gateway.budgets]]
name = "claw-day"
consumer = "claw"
window = "month"
tokens = 60
at_end = "trip"
"""

HARD = """
[[gateway.budgets]]
name = "all-day"
window = "month"
tokens = 100
"""

PACE = """
[[gateway.limits]]
name = "pace"
requests_per_minute = 2
"""


def build_two(build, scripted, rules):
    routes, consumers = [("chat", ["*"], ["lab"])], [("claw", ["chat"]), ("rag-api", ["chat"])]
    return build([("lab", "local", scripted)], routes, consumers, rules=rules).start()


def say(house, consumer="claw", tokens=2):
    return house.openai(consumer).chat.completions.create(model="steady", max_tokens=tokens, messages=QUESTION)


def test_the_official_client_is_told_which_budget_is_gone_and_when_it_frees(build, scripted):
    house = build_two(build, scripted, HARD)
    stream = SdkStream(house.openai("claw"), "steady").flowing().end(30)
    assert isinstance(stream.error, APIError), stream.error
    assert "`all-day`" in stream.error.message and stream.chunks < 110, (stream.error.message, stream.chunks)
    for consumer in ("claw", "rag-api"):
        with pytest.raises(RateLimitError) as refused:
            say(house, consumer)
        error = refused.value
        assert error.code == "budget_exceeded" and "It frees at 20" in error.message, error.message
        assert int(error.response.headers["retry-after"]) > 0
    (seen,) = house.observe()["budgets"]
    assert seen["name"] == "all-day" and 100 <= seen["spent"] <= 101, seen
    # A restart of everything forgives nothing.
    house.stop()
    house.start(proven=False)
    with pytest.raises(RateLimitError):
        say(house)


def test_the_official_client_is_told_how_its_limits_stand_and_when_to_ask_again(build, scripted):
    house = build_two(build, scripted, PACE)
    answer = house.openai("claw").chat.completions.with_raw_response.create(model="steady", max_tokens=1, messages=QUESTION)
    assert answer.headers["x-ratelimit-limit-requests"] == "2"
    assert answer.headers["x-ratelimit-remaining-requests"] == "1"
    say(house)
    with pytest.raises(RateLimitError) as refused:
        say(house, "rag-api")
    assert refused.value.code == "rate_limit_exceeded" and "`pace` allows 2 requests a minute" in refused.value.message
    assert 1 <= int(refused.value.response.headers["retry-after"]) <= 30


def test_a_trip_is_closed_at_once_latched_with_its_figures_and_opened_by_a_person_alone(build, scripted):
    house = build_two(build, scripted, TRIP)
    other = RawStream(house, "steady", "rag-api").flowing()
    stream = RawStream(house, "steady", "claw")
    assert stream.end(30).last()["error"]["code"] in ("tripped", "cut")
    # Closed from the first moment, whoever says so.
    with pytest.raises(APIStatusError) as closed:
        say(house)
    assert closed.value.status_code == 503 and closed.value.code in ("tripped", "cut")
    until("the latch", lambda: house.cut_scopes() == ["claw"], 10)
    (incident,) = house.incidents()
    told = str(incident)
    assert "budget claw-day is gone: " in told and "of 60 tokens" in told, told
    assert other.ended is None, "the other consumer goes on"
    until("the kill switch's own refusal", lambda: refusal(house) == "cut", 10)
    reply = house.twilio().text(f"RESTORE claw {house.app().restore()}")
    assert reply.startswith("RESTORED claw"), reply
    # The person who restores gives the budget anew; it trips again when it is gone again.
    until("an answer", lambda: refusal(house) is None, 10)
    RawStream(house, "steady", "claw").end(30)
    until("the second latch", lambda: house.cut_scopes() == ["claw"], 10)
    until("the second incident", lambda: house.incidents()[0] != incident)


def refusal(house):
    try:
        say(house, tokens=1)
    except APIStatusError as error:
        return error.code
    return None
