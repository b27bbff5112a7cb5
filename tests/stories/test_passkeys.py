"""A passkey in a real browser: the driver plays the phone's own (WebAuthn's virtual authenticator). In by link, a passkey added,
out, in again with a finger, and the red button held; axe and the page's own policy find nothing on the way."""

from pathlib import Path

import pytest
from browser import Browser, missing
from test_dashboard import sign_in_link
from test_pages import AXE, HELD_MS, LOOKS, SCREENS, pointer, serious
from waiting import until

pytestmark = pytest.mark.skipif(bool(missing()), reason=f"needs {missing()}: apt-get install chromium chromium-driver")


@pytest.fixture
def place(build, scripted):
    house = build([("lab", "local", scripted)], [("chat", ["*"], ["lab"])])
    # Browsers make passkeys for names: this machine's is the one that needs no certificate.
    house.named = f"http://localhost:{house.ports['controlplane']}"
    house.rules = f'[controlplane.passkeys]\nbase_url = "{house.named}"\n'
    house.write_config()
    return house.start()


@pytest.fixture
def phone(place, tmp_path):
    window = Browser(tmp_path, 360, 740)
    window.resize(360, 740)
    window.authenticator = window.post(
        "/webauthn/authenticator",
        protocol="ctap2",
        transport="internal",
        hasResidentKey=True,
        hasUserVerification=True,
        isUserVerified=True,
        isUserConsenting=True,
    )
    yield window
    window.close()


def verified(window, answer):
    """Whether the finger fits from now on."""
    window.post(f"/webauthn/authenticator/{window.authenticator}/uv", isUserVerified=answer)


def held_passkeys(window):
    answer = window.http.get(f"{window.session}/webauthn/authenticator/{window.authenticator}/credentials")
    return answer.json()["value"]


def clean(window, where):
    found = [f"{where}: {line}" for line in window.complaints()]
    if AXE.exists():
        found += [f"{where}: {line}" for line in serious(window)]
    if not window.run("return document.documentElement.scrollWidth <= innerWidth"):
        found.append(f"{where}: wider than the screen")
    return found


def look(window, name):
    """Keeps a picture of each look, where somebody wants them; the last is a phone's."""
    for look, width, height in LOOKS if SCREENS else []:
        window.resize(width, height)
        window.run(f"localStorage.setItem('theme', '{'dark' if look == 'dark' else 'light'}')")
        window.open(window.run("return location.href"))
        window.sees("document.readyState == 'complete'")
        window.picture(Path(SCREENS) / f"{name}-{look}.png")


def by_link(window, place):
    window.open(sign_in_link(place).replace(place.dashboard, place.named))
    window.click("button.main")
    window.sees("location.pathname == '/' && document.body.dataset.live == 'on'")


def press(window, css):
    """As a thumb would: away from the red button, which stays at the lower edge."""
    window.run(f"document.querySelector({css!r}).scrollIntoView({{block: 'center'}})")
    window.click(css)


def add(window, place, name):
    window.open(f"{place.named}/account")
    window.sees("!document.getElementById('passkey-add').hidden && document.body.dataset.live == 'on'")
    window.type("#passkey-name", name)
    press(window, "#passkey-add button")


def sign_out(window, place):
    window.open(f"{place.named}/account")
    window.sees("document.querySelector('form[action=\"/sign-out\"] button')")
    window.run("document.querySelector('form[action=\"/sign-out\"] button').click()")
    window.sees("location.pathname == '/sign-in'")


def test_a_phone_signs_in_with_a_passkey_and_holds_to_cut(place, phone):
    troubles = []
    by_link(phone, place)
    add(phone, place, "my phone")
    phone.sees("document.querySelector('form[action=\"/account/passkeys/remove\"]') && document.body.innerText.includes('my phone')")
    troubles += clean(phone, "account")
    [kept] = held_passkeys(phone)
    assert kept["isResidentCredential"] and kept["rpId"] == "localhost"
    # One that is there already is not made again.
    add(phone, place, "again")
    phone.sees("document.getElementById('passkey-said').innerText.includes('holds a passkey of yours already')")
    assert len(held_passkeys(phone)) == 1
    sign_out(phone, place)

    # Whoever wanted the red button is led to it.
    phone.open(f"{place.named}/stop")
    phone.sees("location.pathname == '/sign-in' && !document.getElementById('passkey-enter').hidden")
    troubles += clean(phone, "sign-in")
    look(phone, "sign-in")
    # The wrong finger lets nobody in.
    verified(phone, False)
    phone.click("#passkey-enter")
    phone.sees("document.getElementById('passkey-said').innerText.includes('No passkey was used')")
    verified(phone, True)
    phone.click("#passkey-enter")
    phone.sees("location.pathname == '/stop' && document.body.dataset.live == 'on'")
    phone.sees("!document.getElementById('hold').disabled")
    pointer(phone, "touch", HELD_MS)
    phone.sees("document.querySelector('#outcome').innerText.includes('Cut and proven: ALL')")
    assert place.cut_scopes() == ["ALL"]
    troubles += clean(phone, "stop")
    assert not troubles, "\n".join(troubles)
    # Opening again asks for a code, as for everybody.
    phone.click("#restore-box summary")
    phone.type("#restore-scope", "ALL")
    phone.type("#restore-code", place.app().kill())
    phone.click("#restore-button")
    phone.sees("document.querySelector('#outcome').innerText.length > 0 && !document.getElementById('restore-button').disabled")
    assert place.cut_scopes() == ["ALL"]
    phone.type("#restore-code", place.app().restore())
    phone.click("#restore-button")
    until("nothing cut", lambda: place.cut_scopes() == [], 10)


def test_a_removed_passkey_is_out_at_once_and_lets_nobody_in(place, phone):
    by_link(phone, place)
    add(phone, place, "lost phone")
    phone.sees("document.querySelector('form[action=\"/account/passkeys/remove\"]')")
    sign_out(phone, place)
    phone.click("#passkey-enter")
    phone.sees("location.pathname == '/' && document.body.dataset.live == 'on'")
    phone.open(f"{place.named}/account")
    phone.sees("document.querySelector('form[action=\"/account/passkeys/remove\"] button')")
    press(phone, "form[action='/account/passkeys/remove'] button")
    phone.sees("location.pathname == '/sign-in' && !document.getElementById('passkey-enter').hidden")
    assert len(held_passkeys(phone)) == 1, "the phone does not know"
    phone.click("#passkey-enter")
    phone.sees("document.getElementById('passkey-said').innerText.includes('not known here, or was removed')")


def test_at_another_address_of_the_house_the_page_says_where_passkeys_count(place, phone):
    phone.open(f"{place.dashboard}/sign-in")
    phone.sees("!document.getElementById('passkey-elsewhere').hidden")
    assert phone.run("return document.getElementById('passkey-enter').hidden")
    assert phone.run("return document.querySelector('#passkey-elsewhere a').href") == f"{place.named}/sign-in"
    assert clean(phone, "sign-in") == []
