"""Texts that must do nothing, or less than they ask for; and texts that come another way."""

import datetime
import re

import httpx
import pytest
from phone import proven, reply_of
from waiting import until


def test_the_very_same_message_gets_the_stored_outcome_and_does_nothing(house):
    phone, app = house.twilio(), house.app()
    form = phone.form(f"KILL ALL {app.kill()}")
    first = phone.post(form)
    proven(reply_of(first.text), "ALL")
    assert phone.text(f"RESTORE ALL {app.restore()}").startswith("RESTORED ALL")
    entries = house.state()["journal"]

    again = phone.post(form)
    assert again.status_code == 200
    assert again.text == first.text, "a replay gets the stored outcome"
    assert house.cut_scopes() == []
    assert house.code_of_models() is None
    assert not [line for line in house.journal().splitlines()[entries:] if '"is":"cut"' in line]

    # The same after a restart: what was used stays used.
    house.child.kill()
    house.start(proven=False)
    assert house.twilio().post(form).text == first.text
    assert house.cut_scopes() == []


def test_a_used_code_in_a_new_message_does_nothing(house):
    phone, app = house.twilio(), house.app()
    kill = app.kill()
    proven(phone.text(f"KILL ALL {kill}"), "ALL")
    restore = app.restore()
    assert phone.text(f"RESTORE ALL {restore}").startswith("RESTORED ALL")
    phone.text(f"KILL ALL {kill}")
    assert house.cut_scopes() == []
    proven(phone.text(f"KILL agent {app.kill(-1)}"), "agent")
    phone.text(f"RESTORE agent {restore}")
    assert house.cut_scopes() == ["agent"]


def test_a_kill_code_can_never_restore(house):
    phone, app = house.twilio(), house.app()
    incident, _ = proven(phone.text(f"KILL ALL {app.kill()}"), "ALL")
    reply = phone.text(f"RESTORE ALL {app.kill(1)}")
    assert house.cut_scopes() == ["ALL"]
    assert house.state()["latches"][0]["incident"] == incident
    assert reply is None or not reply.startswith("RESTORED"), reply
    assert house.code_of_models() == "cut"
    # Both verbs' codes in one text: the kill wins.
    reply = phone.text(f"RESTORE ALL {app.kill(-1)} {app.restore()}")
    assert house.cut_scopes() == ["ALL"], reply


def test_a_restore_code_from_before_the_cut_opens_nothing(house):
    phone, app = house.twilio(), house.app()
    old = app.restore(-1)
    now = app.restore(0)
    proven(phone.text(f"KILL ALL {app.kill()}"), "ALL")
    for code in (old, now):
        reply = phone.text(f"RESTORE ALL {code}")
        assert reply is None or not reply.startswith("RESTORED"), reply
    assert house.cut_scopes() == ["ALL"]


@pytest.mark.parametrize("words", ["RESTORE {code}", "RESTORE EVERYTHING {code}", "OPEN ALL {code}", "RESTORE LLM {code}", "RESTORE ALL"])
def test_a_restore_needs_the_exact_word_and_the_exact_scope(house, words):
    phone, app = house.twilio(), house.app()
    proven(phone.text(f"KILL ALL {app.kill()}"), "ALL")
    phone.text(words.format(code=app.restore()))
    assert house.cut_scopes() == ["ALL"]
    assert house.code_of_models() == "cut"


@pytest.mark.parametrize("words", ["{code}", "please stop {spaced}", "KILL{code}", "kill foo {dotted}", "STOP ALL\n{code}", "restore {code}"])
def test_the_code_carries_the_verb(house, words):
    code = house.app().kill()
    text = words.format(code=code, spaced=f"{code[:4]} {code[4:]}", dotted=f"{code[:2]}.{code[2:4]}.{code[4:6]}.{code[6:]}")
    reply = house.twilio().text(text)
    assert house.cut_scopes() == ["ALL"], reply
    assert house.code_of_models() == "cut"


def test_a_wrong_signature_is_refused_and_the_log_helps_nobody(house):
    phone, app = house.twilio(), house.app()
    code = app.kill()
    form = phone.form(f"KILL ALL {code}")
    right = phone.signature(form)
    wrong = ("A" if right[0] != "A" else "B") + right[1:]
    changed = dict(form, Body=f"KILL LLM {code}")
    attempts = [
        phone.post(form, signature=wrong),
        phone.post(changed, signature=right),
        phone.post(dict(form, Extra="1"), signature=right),
        httpx.post(phone.address, data=form, trust_env=False),
    ]
    for answer in attempts:
        assert answer.status_code == 403, answer.text
        assert right not in answer.text and code not in answer.text
    assert house.cut_scopes() == [] and house.code_of_models() is None
    written = "".join(path.read_text(errors="replace") for path in house.folder.glob("up-*.*")) + house.journal()
    for secret in (code, right, wrong, form["Body"], form["MessageSid"], phone.sender, phone.sender.lstrip("+")):
        assert secret not in written, f"{secret!r} stands in a log"
    # The code was not spent by the forgeries.
    proven(phone.text(f"KILL ALL {code}"), "ALL")


def test_wrong_codes_do_nothing_and_are_not_answered_to_strangers(house):
    phone, app = house.twilio(), house.app()
    code = app.kill()
    wrong = str((int(code) + 1) % 10**8).zfill(8)
    assert phone.text(f"KILL ALL {wrong}") is None
    assert phone.text("hello, is this the pizza service?") is None
    assert phone.text("STATUS") is None
    assert house.cut_scopes() == []
    assert wrong not in house.journal()


def test_guessing_asks_for_more_and_never_locks_a_kill_out(house):
    phone, app = house.twilio(), house.app()
    good = {app.code("kill", later) for later in range(-22, 3)}
    guesses = [f"{n:08}" for n in range(10_000_000, 10_000_014) if f"{n:08}" not in good]
    for number, guess in enumerate(guesses):
        # One sender alone is asked for more; the house is after guesses of several.
        phone.sender = f"+491721234{number % 3}"
        phone.text(f"KILL ALL {guess}")
    assert house.state()["step_up"] is True
    phone.text(f"KILL ALL {app.kill()}")
    assert house.cut_scopes() == [], "one short code is no longer enough"
    phone.text(f"KILL ALL {app.kill(-1)}")
    assert house.cut_scopes() == ["ALL"], "two codes are"


def test_an_old_code_is_no_code(house):
    phone, app = house.twilio(), house.app()
    phone.text(f"KILL ALL {app.code('kill', -25)}")
    phone.text(f"KILL ALL {app.code('kill', 5)}")
    assert house.cut_scopes() == []
    # Ten minutes under way is still fine: texts are slow.
    proven(phone.text(f"KILL ALL {app.code('kill', -18)}"), "ALL")


def test_a_kill_that_overtook_a_restore_still_cuts_and_says_so(house):
    phone, app = house.twilio(), house.app()
    proven(phone.text(f"KILL ALL {app.kill()}"), "ALL")
    assert phone.text(f"RESTORE ALL {app.restore()}").startswith("RESTORED ALL")
    reply = phone.text(f"KILL ALL {app.kill(-2)}")
    assert house.cut_scopes() == ["ALL"]
    assert "LATE" in reply, reply


def test_the_generic_channel_speaks_standard_webhooks(house):
    phone, app = house.generic(), house.app()
    status = phone.post("STATUS", sender="local")
    assert status.status_code == 200 and status.json()["reply"], status.text
    proven(phone.text(f"KILL LLM {app.kill()}"), "LLM")
    assert phone.text(f"RESTORE LLM {app.restore()}").startswith("RESTORED LLM")


def test_the_generic_channel_refuses_what_is_forged_or_stale(house):
    phone, app = house.generic(), house.app()
    code = app.kill()
    now = datetime.datetime.now(tz=datetime.timezone.utc)
    stale = phone.post(f"KILL {code}", at=now - datetime.timedelta(minutes=6))
    early = phone.post(f"KILL {code}", at=now + datetime.timedelta(minutes=6))
    assert (stale.status_code, early.status_code) == (403, 403)
    assert house.cut_scopes() == []
    message = "msg_replayed"
    first = phone.post(f"KILL {code}", message=message)
    proven(first.json()["reply"], "ALL")
    assert phone.post(f"KILL {code}", message=message).json() == first.json()


def test_our_own_command_signs_and_sends_like_any_webhook(house):
    sent = house.cli("text", f"KILL {house.codes()['kill']}")
    assert sent.returncode == 0, sent.stderr
    assert re.search(r"CUT ALL .*probes \d+/\d+ dead", sent.stdout), sent.stdout
    assert house.cut_scopes() == ["ALL"]
    sent = house.cli("text", f"RESTORE ALL {house.codes()['restore_next']}")
    assert "RESTORED ALL" in sent.stdout, sent
    until("the gateway to open", lambda: house.code_of_models() is None)
