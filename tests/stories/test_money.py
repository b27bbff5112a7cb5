"""A budget in money at real sockets: what the official client is told, and every micro-dollar in the ledger."""

import pytest
from openai import APIError, PermissionDeniedError, RateLimitError
from streams import QUESTION, RawStream, SdkStream
from test_meter import settled
from waiting import until

# Micro-dollars a token, in tenths: a prompt of 11 tokens costs 27.5, each token of an answer 10.
INPUT, OUTPUT = "2.50", "10"
RULES = """
[[gateway.budgets]]
name = "cloud-money"
class = "cloud"
window = "month"
money = "0.002"
"""
CAREFUL = "[gateway.consumers.cloud]\nunknown_price = false"


def cost(prompt, completion):
    """In whole micro-dollars, rounded up once."""
    return -(-(prompt * 25 + completion * 100) // 10)


@pytest.fixture
def priced(build, cloud):
    house = build([("sky", "cloud", cloud)], [("far", ["*"], ["sky"])], [("claw", ["far"]), ("rag-api", ["far"], CAREFUL)], rules=RULES)
    house.start(proven=False)
    told = house.cli("prices", "set", "paced", "--input", INPUT, "--output", OUTPUT)
    assert told.returncode == 0, told.stderr
    house.reload()
    until("the price to be read", lambda: "was read again" in house.child.err.read_text(), 10)
    return house


def say(house, model="paced", consumer="claw", tokens=2):
    return house.openai(consumer).chat.completions.create(model=model, max_tokens=tokens, messages=QUESTION)


def test_a_money_budget_cuts_off_in_the_middle_names_itself_and_adds_up_to_the_micro_dollar(priced, cloud):
    house = priced
    assert say(house, tokens=3).usage.completion_tokens == 3
    # These also teach what the server counts for a piece of a stream, which is what counts when one is broken off.
    for tokens in (7, 12):
        assert RawStream(house, "paced", max_tokens=tokens).end(20).broken is None
    # Unknown is not nothing: a model without a price is not asked for where the policy says so, and stands in no sum elsewhere.
    with pytest.raises(PermissionDeniedError) as refused:
        say(house, "steady", "rag-api")
    assert "price" in refused.value.message, refused.value.message
    say(house, "steady")
    stream = SdkStream(house.openai(), "paced").flowing().end(40)
    assert isinstance(stream.error, APIError) and "`cloud-money`" in stream.error.message, stream.error
    for consumer in ("claw", "rag-api"):
        with pytest.raises(RateLimitError) as told:
            say(house, consumer=consumer)
        error = told.value
        assert error.code == "budget_exceeded" and "`cloud-money` is gone: 0.00" in error.message, error.message
        assert "of 0.002 USD" in error.message and "It frees at 20" in error.message, error.message
        assert int(error.response.headers["retry-after"]) > 0
    rows = settled(house, 5)
    whole = [row for row in rows if not row["estimated"] and row["model"] == "paced"]
    assert [row["cost"] for row in whole] == [cost(11, 3), cost(11, 7), cost(11, 12)]
    assert [row["cost"] for row in rows if row["model"] == "steady"] == [None]
    (broken,) = [row for row in rows if row["estimated"]]
    assert broken["ended"] == "budget", broken
    assert broken["cost"] == cost(broken["prompt_tokens"], broken["completion_tokens"])
    # What the upstream sent is within the budget and one chunk, and most of the budget was of use.
    sent = next(one["sent_chunks"] for one in cloud.exchanges() if one["end"] == "aborted")
    spent = sum(row["cost"] for row in whole) + cost(11, sent)
    assert 1900 <= spent <= 2000 + 2 * cost(0, 1), (spent, sent)
    shown = house.cli_json("spend")["total"]
    assert (shown["cost"], shown["unknown_price"]) == (sum(row["cost"] or 0 for row in rows), 1), shown
    (seen,) = house.observe()["budgets"]
    assert seen["name"] == "cloud-money" and seen["spent"] == shown["cost"], (seen, shown)
