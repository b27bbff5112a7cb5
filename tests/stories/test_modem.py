"""Texts by a modem that ModemManager drives."""

import json

import pytest
from modem_manager import ModemManager, missing
from phone import proven
from waiting import until

pytestmark = pytest.mark.skipif(missing() is not None, reason=f"{missing()} is not installed (Debian: dbus-daemon)")

OWNER = "+15550100"


@pytest.fixture
def modem(tmp_path):
    one = ModemManager(tmp_path)
    yield one
    one.stop()


@pytest.fixture
def house(build, scripted, modem):
    house = build([("lab", "local", scripted)], [("chat", ["*"], ["lab"])])
    channel = f'[[killswitch.channels]]\nname = "modem"\nkind = "modem-manager"\nbus = {json.dumps(modem.address)}\n'
    house.config.write_text(house.config.read_text() + channel)
    return house.start()


def test_a_text_cuts_and_its_proof_goes_out_by_the_same_modem(house, modem):
    modem.receive(OWNER, f"kill all {house.app().kill()}")
    number, reply = until("the reply", lambda: modem.sent)[0]
    assert number == OWNER
    proven(reply, "ALL")
    assert house.code_of_models() == "cut"
    until("the modem to be empty", lambda: not modem.texts)


def test_a_text_the_network_held_for_an_hour_is_judged_when_it_was_sent(house, modem):
    hour_ago = house.app().kill(-120)
    assert house.twilio().text(f"KILL ALL {hour_ago}") is None, "by another channel such a code is too old"
    assert house.cut_scopes() == []
    modem.receive(OWNER, f"kill all {hour_ago}", delayed=3600)
    until("the cut", lambda: house.cut_scopes() == ["ALL"])


def test_a_signal_before_all_parts_and_one_that_never_comes(house, modem):
    early = modem.receive(OWNER, "", whole=False)
    modem.receive(OWNER, f"kill chat {house.app().kill(-1)}", signal=False)
    until("the cut without a signal", lambda: house.cut_scopes() == ["chat"], 25)
    until("only the unfinished text to be left", lambda: list(modem.texts.values()) == [early])
    modem.complete(early, f"kill all {house.app().kill()}")
    until("the cut", lambda: "ALL" in house.cut_scopes())
    until("the modem to be empty", lambda: not modem.texts)


def test_texts_that_came_while_everything_was_down_are_taken_at_the_start(house, modem):
    house.child.kill()
    modem.receive(OWNER, f"kill all {house.app().kill()}", signal=False)
    house.start(proven=False)
    until("the cut", lambda: house.cut_scopes() == ["ALL"], 25)
    until("the modem to be empty", lambda: not modem.texts)
