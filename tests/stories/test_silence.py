"""The parts as processes of their own: silence is not permission, and one part's death opens nothing."""

import time

import pytest
from streams import RawStream
from waiting import Child, until


@pytest.fixture
def apart(house):
    """The same house, taken apart: gateway and agent in one process, the kill switch in another."""
    house.stop()
    children = []

    def serve(*parts):
        child = Child(house.command("serve", *parts), house.folder, f"up-{'-'.join(parts)}-{len(children)}", house.env())
        children.append(child)
        return child

    yield house, serve
    for child in children:
        child.kill()


def test_without_a_kill_switch_nothing_opens_and_with_one_it_does(apart):
    house, serve = apart
    serve("gateway", "agent")
    assert until("a refusal", lambda: house.code_of_models()) in ("closed", "paused")
    for _ in range(40):
        assert house.code_of_models() in ("closed", "paused")
        time.sleep(0.05)
    serve("killswitch")
    until("the gateway to open", lambda: house.code_of_models() is None)


def test_the_death_of_the_kill_switch_opens_nothing(apart):
    house, serve = apart
    hands, switch = serve("gateway", "agent"), serve("killswitch")
    until("the gateway to open", lambda: house.code_of_models() is None)
    house.cut("ALL")
    switch.kill()
    hands.kill()
    serve("gateway", "agent")
    assert until("a refusal", lambda: house.code_of_models()) in ("cut", "closed")
    until("the agent's own latch", lambda: house.code_of_models() == "cut")
    serve("killswitch")
    until("the kill switch", house.state)
    assert house.code_of_models() == "cut"


def test_a_gateway_that_starts_anew_is_told_again(apart):
    house, serve = apart
    gateway, _, _ = serve("gateway"), serve("agent"), serve("killswitch")
    until("the gateway to open", lambda: house.code_of_models() is None)
    house.cut("ALL")
    for _ in range(5):
        gateway.kill()
        gateway = serve("gateway")
        code = until("an answer", lambda: house.code_of_models(), every=0.001)
        assert code in ("closed", "cut")
        until("the agent to tell it", lambda: house.code_of_models() == "cut", 3)


def test_a_lease_that_lapses_closes_and_a_renewed_one_opens(apart):
    house, serve = apart
    serve("gateway", "agent")
    switch = serve("killswitch")
    until("the gateway to open", lambda: house.code_of_models() is None)
    stream = RawStream(house).flowing()
    switch.kill()
    died = time.monotonic()
    # The lease runs 60 s from the challenge that the last order answered; that was given up to two renewals before.
    while time.monotonic() - died < 35:
        assert house.code_of_models() is None, "closed before the lease was over"
        time.sleep(1)
    stream.end(40)
    assert stream.last()["error"]["code"] == "paused"
    assert 39 < stream.ended - died < 62, f"the lease lasted {stream.ended - died:.0f} s"
    assert house.code_of_models() == "paused"
    serve("killswitch")
    until("the renewed lease to open", lambda: house.code_of_models() is None)


def test_the_death_of_the_agent_closes_its_gateway_and_its_return_opens_it(apart):
    house, serve = apart
    serve("gateway")
    agent, _ = serve("agent"), serve("killswitch")
    until("the gateway to open", lambda: house.code_of_models() is None)
    stream = RawStream(house).flowing()
    agent.kill()
    died = time.monotonic()
    stream.end(45)
    assert stream.last()["error"]["code"] == "paused"
    assert 24 < stream.ended - died < 40, f"closed after {stream.ended - died:.0f} s"
    assert house.code_of_models() == "paused"
    serve("agent")
    until("the gateway to open again", lambda: house.code_of_models() is None)
