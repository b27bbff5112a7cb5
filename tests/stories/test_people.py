"""Consumers and people on the dashboard, used as a browser without scripts would: a key's whole life at the gateway, and no change
of people without a RESTORE code that the kill switch itself has checked and spent."""

import html
import re
from pathlib import Path

import httpx
import pytest
from phone import proven
from test_dashboard import form_for, send, sign_in_link


@pytest.fixture
def browser(house):
    """Signed in by a fresh one-time link."""
    with httpx.Client(follow_redirects=True, timeout=40, trust_env=False) as client:
        sign_in(client, house)
        yield client


def sign_in(client, house):
    page = client.get(sign_in_link(house))
    assert send(client, page, form_for(page, "sign-in")).status_code == 200


def post(client, house, path, **values):
    return client.post(f"{house.dashboard}{path}", data=values, headers={"origin": house.dashboard, "sec-fetch-site": "same-origin"})


def key_on(page):
    assert page.status_code == 200, page.text
    [key] = re.findall(r'<code class="break" id="key">(pck_[0-9a-f]{64})</code>', page.text)
    return key


def calls(house, key):
    """What the gateway answers to this key: the status of a list, and of a real call."""
    headers = {"authorization": f"Bearer {key}"}
    with httpx.Client(base_url=house.gateway, headers=headers, timeout=10, trust_env=False) as agent:
        listed = agent.get("/v1/models").status_code
        body = {"model": "steady", "max_tokens": 3, "messages": [{"role": "user", "content": "hello"}]}
        return listed, agent.post("/v1/chat/completions", json=body).status_code


OPEN, REFUSED = (200, 200), (401, 401)


def test_a_key_made_on_the_page_opens_until_it_is_replaced_or_revoked_also_after_a_restart(house, browser):
    first = key_on(post(browser, house, "/consumers", name="ada", routes="chat", local="on"))
    assert calls(house, first) == OPEN
    assert first not in browser.get(f"{house.dashboard}/consumers").text, "a key is shown once"
    again = post(browser, house, "/consumers", name="ada", routes="chat", local="on")
    assert again.status_code == 422 and "is there already" in again.text, again.text
    theirs = post(browser, house, "/consumers/agent", **{"do": "revoke", "confirm": "agent"})
    assert theirs.status_code == 422 and "change it there" in theirs.text, theirs.text

    second = key_on(post(browser, house, "/consumers/ada", **{"do": "rotate", "hours": "1"}))
    assert calls(house, first) == calls(house, second) == OPEN, "for an hour both count"
    third = key_on(post(browser, house, "/consumers/ada", **{"do": "rotate", "hours": "0"}))
    assert calls(house, first) == calls(house, second) == REFUSED
    assert calls(house, third) == OPEN

    house.stop()
    house.start(proven=False)
    assert calls(house, second) == REFUSED and calls(house, third) == OPEN, "kept over a restart"
    assert house.code_of_models() is None, "who stands in the file is as before"
    sign_in(browser, house)
    slip = post(browser, house, "/consumers/ada", **{"do": "revoke", "confirm": "adda"})
    assert slip.status_code == 422 and calls(house, third) == OPEN
    gone = post(browser, house, "/consumers/ada", **{"do": "revoke", "confirm": "ada"})
    assert gone.status_code == 200, gone.text
    assert calls(house, third) == REFUSED
    assert house.code_of_models() is None

    kept = [path.read_bytes() for folder in (house.data, house.folder) for path in Path(folder).rglob("*") if path.is_file()]
    assert not [key for key in (first, second, third) if any(key.encode() in data for data in kept)], "a key is kept nowhere"


def test_nobody_gets_or_loses_codes_without_a_restore_code_and_one_agrees_once(house, browser):
    people = house.data / "killswitch" / "people.json"
    before = people.read_bytes()
    for path, form in (
        ("/people/owner/cards", {"count": "2"}),
        ("/people/owner/revoke", {"confirm": "owner", "only_cards": "on"}),
    ):
        for wrong in ("", "00000000", house.app().kill()):
            answer = post(browser, house, path, **form, vouch=wrong)
            assert answer.status_code in (403, 409, 422), (path, answer.status_code, answer.text)
            assert people.read_bytes() == before, (path, wrong)
        house.cli("codes", "unlock")
    assert "vouched" not in house.journal()

    code = house.app().restore()
    page = post(browser, house, "/people/owner/cards", count="2", vouch=code)
    assert page.status_code == 200, page.text
    cards = [html.unescape(card) for card in re.findall(r"<li><b>\d+</b><code>([^<]+)</code>", page.text)]
    assert len(cards) == 2 and people.read_bytes() != before
    assert '"vouched"' in house.journal() and cards[0] not in house.journal()

    twice = post(browser, house, "/people/owner/revoke", confirm="owner", only_cards="on", vouch=code)
    assert twice.status_code in (403, 409, 422), twice.text
    proven(house.generic().text(cards[0]), "ALL")
    assert house.cut_scopes() == ["ALL"], "a card that was made on the page cuts, at once and without a restart"
