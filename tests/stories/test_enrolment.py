"""A person added on the page to the end: the QR codes scanned off it, a first code of each key, a RESTORE code of somebody who agrees;
then a cut and a restore with the new keys. And the houses in which nobody is added by a page."""

from contextlib import contextmanager

import httpx
from phone import proven
from scanner import Scanned
from test_dashboard import form_for, send
from test_people import post, sign_in


@contextmanager
def browser_of(house):
    """Signed in by a fresh one-time link."""
    with httpx.Client(follow_redirects=True, timeout=40, trust_env=False) as client:
        sign_in(client, house)
        yield client


def people(house):
    return (house.data / "killswitch" / "people.json").read_bytes()


def test_somebody_is_added_on_the_page_and_cuts_and_restores_without_a_restart(house):
    with browser_of(house) as client:
        added_to_the_end(house, client)


def added_to_the_end(house, browser):
    before = people(house)
    keys = post(browser, house, "/people", name="ada", senders="+4915112345678", check_in="on")
    assert keys.status_code == 200, keys.text
    app = Scanned(keys.text)
    assert set(app.keys) == {"KILL", "RESTORE", "CHECK-IN"}
    form = form_for(keys, "finish")
    shown = {label: app.code(label) for label in app.keys}

    slip = send(browser, keys, form, **{**shown, "KILL": "00000000"}, vouch=house.app().restore())
    assert slip.status_code == 403 and "KILL code" in slip.text, slip.text
    alone = send(browser, keys, form, **shown, vouch=app.restore())
    assert alone.status_code == 403, "nobody agrees to be added by himself"
    assert people(house) == before

    shown = {label: app.code(label) for label in app.keys}
    added = send(browser, keys, form, **shown, vouch=house.app().restore())
    assert added.status_code == 200 and "ada is added" in added.text, added.text
    assert "owner agreed" in added.text
    twice = send(browser, keys, form, **shown, vouch=house.app().restore())
    assert twice.status_code == 404, "what was scanned is spent"

    proven(house.generic().text(app.kill()), "ALL")
    assert house.cut_scopes() == ["ALL"]
    opened = house.cli("restore", "ALL", stdin=app.restore() + "\n")
    assert opened.returncode == 0, opened.stderr
    assert house.cut_scopes() == []

    record = browser.get(f"{house.dashboard}/journal/changes").text
    assert "person.add" in record and "ada" in record and "does not fit" not in record
    for text in (record, house.journal(), house.log()):
        assert not [key for key in app.keys.values() if key["secret"] in text], "no key stands anywhere but with its owner"


def refuses_people(house, browser):
    """Looks, and tries every change of people with a code that would do elsewhere."""
    before = people(house)
    keys = post(browser, house, "/people", name="ada")
    assert keys.status_code == 200, keys.text
    app = Scanned(keys.text)
    shown = {label: app.code(label) for label in app.keys}
    code = house.app().restore()
    added = send(browser, keys, form_for(keys, "finish"), **shown, vouch=code)
    cards = post(browser, house, "/people/owner/cards", count="2", vouch=code)
    revoked = post(browser, house, "/people/owner/revoke", confirm="owner", only_cards="on", vouch=code)
    for answer in (added, cards, revoked):
        assert answer.status_code == 422, (answer.status_code, answer.text)
        assert "changed at the machine" in answer.text, answer.text
    assert people(house) == before
    assert "vouched" not in house.journal(), "and no code was looked at"


def restarted_with(house, rule):
    house.stop()
    house.config.write_text(house.config.read_text().replace("[killswitch]\n", f"[killswitch]\n{rule}\n", 1))
    house.start(proven=False)


def test_a_house_that_asks_for_two_people_changes_them_at_the_machine_alone(house):
    assert house.cli("codes", "add", "ben", "--no-check", "--json").returncode == 0
    restarted_with(house, "two_person = true")
    with browser_of(house) as client:
        refuses_people(house, client)


def test_a_house_that_knows_duress_codes_changes_people_at_the_machine_alone(house):
    restarted_with(house, "duress = true")
    with browser_of(house) as client:
        refuses_people(house, client)
