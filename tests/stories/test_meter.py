"""Every exchange ends up in the ledger once, with the upstream's own figures where there are any."""

import sqlite3

from openai import APIError
from streams import QUESTION, RawStream
from waiting import until


def rows(house):
    """Ended exchanges as the ledger holds them, oldest first."""
    database = sqlite3.connect(f"file:{house.data}/controlplane/portcullis.db?mode=ro", uri=True)
    database.row_factory = sqlite3.Row
    try:
        return [dict(row) for row in database.execute("select * from usage order by at, id")]
    finally:
        database.close()


def settled(house, count):
    return until(f"{count} rows in the ledger", lambda: len(found := rows(house)) >= count and found, 15)


def test_figures_of_the_upstream_are_taken_over_exactly(house):
    client = house.openai()
    client.chat.completions.create(model="steady", max_tokens=7, messages=QUESTION)
    for model, tokens in (("steady", 9), ("trickle", 4)):
        # Read to the very end: the official client hangs up at `[DONE]`.
        assert RawStream(house, model, max_tokens=tokens).end(20).broken is None
    client.chat.completions.create(model="liar", max_tokens=2, messages=QUESTION)
    found = settled(house, 4)
    seen = [(row["model"], row["prompt_tokens"], row["completion_tokens"], bool(row["estimated"])) for row in found]
    assert sorted(seen) == sorted(
        [("steady", 11, 7, False), ("steady", 11, 9, False), ("trickle", 11, 4, False), ("liar", 7_000_000, 9_000_000, False)]
    )
    assert {row["consumer"] for row in found} == {"agent"}
    assert {row["ended"] for row in found} == {"complete"}
    assert len(rows(house)) == 4, "probes and model lists are no usage"


def test_without_figures_the_own_count_is_marked_as_such(house):
    list(house.openai().chat.completions.create(model="nousage", max_tokens=12, stream=True, messages=QUESTION))
    (row,) = settled(house, 1)
    assert row["estimated"] == 1
    assert 4 <= row["completion_tokens"] <= 40 and row["prompt_tokens"] > 0


def test_a_cut_stream_is_booked_with_its_incident(house):
    stream = RawStream(house).flowing(5)
    incident = house.cut("LLM")["incident"]
    stream.end()
    (row,) = settled(house, 1)
    assert (row["ended"], row["incident"], row["estimated"]) == ("cut", incident, 1)
    assert row["completion_tokens"] > 0


def test_nothing_is_booked_twice_after_a_crash(house):
    client = house.openai()
    for _ in range(5):
        client.chat.completions.create(model="steady", max_tokens=1, messages=QUESTION)
    settled(house, 5)
    house.child.kill()
    house.start(proven=False)
    client = house.openai()
    client.chat.completions.create(model="steady", max_tokens=1, messages=QUESTION)
    settled(house, 6)
    assert len(rows(house)) == 6
    assert len({row["id"] for row in rows(house)}) == 6


def test_a_failing_upstream_is_passed_on_and_booked(house):
    client = house.openai()
    for model in ("error500", "truncate", "reset"):
        try:
            list(client.chat.completions.create(model=model, stream=True, max_tokens=9, messages=QUESTION))
        except (APIError, OSError) as error:
            assert error is not None
        except Exception as error:  # a broken stream surfaces as the HTTP client's own error
            assert type(error).__module__.startswith(("httpx", "httpcore")), error
    found = settled(house, 3)
    ends = {row["model"]: row["ended"] for row in found}
    assert ends["truncate"] == ends["reset"] == "upstream_failed", ends
    assert house.code_of_models() is None
