"""OpenClaw behind the gateway: it completes a turn, is cut in the middle of one, and completes one after the restore."""

import pytest
from agent import OpenClaw
from phone import proven
from test_meter import settled
from waiting import until

ROUTES, CONSUMERS = [("chat", ["*"], ["lab"])], [("claw", ["chat"])]


@pytest.fixture
def claw(build, scripted, tmp_path):
    house = build([("lab", "local", scripted)], ROUTES, CONSUMERS)
    agent = OpenClaw(house, tmp_path)
    house.start()
    yield agent
    agent.close()


def test_openclaw_completes_a_turn_is_cut_in_the_middle_and_completes_one_after_restore(claw, scripted):
    house, before = claw.house, len(scripted.exchanges())
    claw.configure({"steady": 8, "slow": 2000})
    # Side by side: what takes the time is not the model but the agent's own start.
    whole, long = claw.turn("steady", "Say something."), claw.turn("slow", "Say a lot.")
    said = claw.end(whole)
    assert (said["status"], said["final"]) == ("ok", "w0 w1 w2 w3 w4 w5 w6 w7"), said
    asked = lambda: [one for one in house.observe()["exchanges"] if one["target"] == "lab"]
    until("the long turn to stream", asked, 240)
    assert long.poll() is None
    incident, streams = proven(house.twilio().text(f"KILL claw {house.app().kill()}"), "claw")
    assert streams == 1
    said = claw.end(long)
    assert said["status"] == "error" and f"incident #{incident}" in said["error"]["message"], said
    ended = [one for one in scripted.exchanges()[before:] if one["model"] == "slow"]
    # What ran was broken off, and whatever the agent may have tried anew did not come through.
    assert [one["end"] for one in ended] == ["aborted"], ended
    assert house.twilio().text(f"RESTORE claw {house.app().restore()}").startswith("RESTORED claw")
    said = claw.end(claw.turn("steady", "Say something again."))
    assert (said["status"], said["usage"]["output"]) == ("ok", 8), said
    found = [(row["model"], row["ended"], row["completion_tokens"]) for row in settled(house, 3)]
    assert [found[0], found[2]] == [("steady", "complete", 8)] * 2 and found[1][:2] == ("slow", "cut"), found
