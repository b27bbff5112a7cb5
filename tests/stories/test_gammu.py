"""Texts by a modem stick: the real gammu-smsd receives and sends them."""

import json

import pytest
from modem_stick import ModemStick, missing
from peers import built
from phone import proven
from waiting import until

pytestmark = pytest.mark.skipif(missing() is not None, reason=f"{missing()} is not installed (Debian: gammu-smsd)")

OWNER = "+15550100"


@pytest.fixture
def stick(tmp_path):
    one = ModemStick(tmp_path)
    yield one
    one.stop()


@pytest.fixture
def house(build, scripted, stick):
    house = build([("lab", "local", scripted)], [("chat", ["*"], ["lab"])], restorable=())
    house.bell = house.folder / "gammu.sock"
    folders = {"inbox": stick.folder / "inbox", "outbox": stick.folder / "outbox", "socket": house.bell}
    lines = "".join(f"{name} = {json.dumps(str(path))}\n" for name, path in folders.items())
    channel = f'[[killswitch.channels]]\nname = "modem"\nkind = "gammu"\n{lines}centre_offset = "+01:00"\n'
    house.config.write_text(house.config.read_text() + channel)
    return house.start()


def line(house):
    """As the documentation has it."""
    return f"exec {built('kill-gammu')} {house.bell} #"


def test_a_text_cuts_and_its_proof_goes_out_by_the_same_modem(house, stick):
    stick.start(line(house))
    stick.receive(OWNER, f"kill all {house.app().kill()}")
    until("the cut", lambda: house.cut_scopes() == ["ALL"])
    number, reply = until("the reply to be sent", stick.sent)[0]
    assert number == OWNER
    proven(reply, "ALL")
    stick.wait_empty()
    assert house.code_of_models() == "cut"
    assert "finished successfully" in (stick.folder / "smsd.log").read_text()

    # Nothing is restored by text unless the owner names it.
    stick.receive(OWNER, f"RESTORE ALL {house.app().restore()}")
    until("the refusal", lambda: "not restored by text" in house.log())
    stick.wait_empty()
    assert house.cut_scopes() == ["ALL"]


def test_without_the_program_that_rings_the_text_is_found_in_the_folder(house, stick):
    stick.start()
    stick.receive(OWNER, f"kill all {house.app().kill()}")
    until("the cut", lambda: house.cut_scopes() == ["ALL"])
    stick.wait_empty()
    assert len(until("one reply", stick.sent)) == 1


def test_a_text_that_came_while_everything_was_down_cuts_when_it_is_up(house, stick):
    house.stop()
    stick.start(line(house))
    stick.receive(OWNER, f"kill all {house.app().kill()}")
    until("the text in the folder", stick.inbox)
    house.start(proven=False)
    until("the cut", lambda: house.cut_scopes() == ["ALL"])
    stick.wait_empty()


@pytest.mark.parametrize("bad", ["$(touch hit)", "`touch hit`", ";touch hit;", "\ntouch hit\n", '";touch hit;"', "'|touch hit'"])
def test_a_hostile_name_or_text_runs_nothing(house, stick, bad, monkeypatch):
    monkeypatch.chdir(stick.folder)
    stick.start(line(house))
    stick.receive(bad, f"{bad} hello")
    stick.receive(OWNER, f"{bad} kill all {house.app().kill()}", place=2)
    until("the cut", lambda: house.cut_scopes() == ["ALL"])
    log = (stick.folder / "smsd.log").read_text(errors="replace")
    assert log.count("Starting run on receive: exec") >= 1
    assert not (stick.folder / "hit").exists()
