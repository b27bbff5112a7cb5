"""Every page in a real browser: the red button held by mouse, finger and keyboard, grey when it would not work; axe finds nothing
serious; nothing breaks the page's own policy. With PORTCULLIS_SCREENS=docs/screens each page is kept as a picture."""

import os
from pathlib import Path

import pytest
from browser import Browser, missing
from streams import RawStream
from test_dashboard import sign_in_link
from waiting import until

pytestmark = pytest.mark.skipif(bool(missing()), reason=f"needs {missing()}: apt-get install chromium chromium-driver")

AXE = Path(__file__).resolve().parents[1] / "peers/node_modules/axe-core/axe.min.js"
SCREENS = os.environ.get("PORTCULLIS_SCREENS")
PAGES = {
    "overview": "/",
    "stop": "/stop",
    "hosts": "/hosts",
    "mesh": "/mesh",
    "alerts": "/alerts",
    "jobs": "/jobs",
    "consumers": "/consumers",
    "consumer": "/consumers/agent",
    "people": "/people",
    "channels": "/channels",
    "settings": "/settings",
    "targets": "/targets",
    "spend": "/spend?span=30d",
    "incidents": "/incidents",
    "incident": "/incidents/1",
    "journal": "/journal",
    "offline": "/stop/offline",
}
# Longer than the button is held.
HELD_MS = 1900


@pytest.fixture
def window(house, tmp_path):
    browser = Browser(tmp_path)
    browser.open(sign_in_link(house))
    browser.click("button.main")
    browser.sees("location.pathname == '/' && document.body.dataset.live == 'on'")
    yield browser
    browser.close()


def go(window, house, path):
    window.open(f"{house.dashboard}{path}")
    if path != "/stop/offline":
        window.sees("document.body.dataset.live == 'on'")


def element_id(window):
    return {"element-6066-11e4-a52e-4f735466cecf": window.element("#hold")}


def pointer(window, kind, held_ms):
    steps = [
        {"type": "pointerMove", "duration": 0, "origin": element_id(window), "x": 0, "y": 0},
        {"type": "pointerDown", "button": 0},
        {"type": "pause", "duration": held_ms},
        {"type": "pointerUp", "button": 0},
    ]
    window.post("/actions", actions=[{"type": "pointer", "id": f"a {kind}", "parameters": {"pointerType": kind}, "actions": steps}])


def keyboard(window, key, held_ms):
    steps = [{"type": "keyDown", "value": key}, {"type": "pause", "duration": held_ms}, {"type": "keyUp", "value": key}]
    window.post("/actions", actions=[{"type": "key", "id": "keys", "actions": steps}])


def restore(house, window, scope):
    window.click("#restore-box summary")
    window.type("#restore-scope", scope)
    window.type("#restore-code", house.app().restore())
    window.click("#restore-button")
    window.sees("document.querySelector('#outcome').innerText.includes('Restored')")
    until("nothing cut", lambda: house.cut_scopes() == [], 10)


@pytest.mark.parametrize("kind,width,height", [("mouse", 1280, 900), ("touch", 360, 740)])
def test_the_button_is_held_to_cut_and_letting_go_early_does_nothing(house, window, kind, width, height):
    window.resize(width, height)
    go(window, house, "/stop")
    stream = RawStream(house).flowing()
    window.sees("!document.getElementById('hold').disabled")
    pointer(window, kind, 400)
    assert not window.run("return document.getElementById('hold').classList.contains('held')")
    assert house.cut_scopes() == []
    pointer(window, kind, HELD_MS)
    window.sees("document.querySelector('#outcome').innerText.includes('Cut and proven: ALL')")
    assert house.cut_scopes() == ["ALL"]
    assert stream.end().last()["error"]["code"] == "cut"
    window.sees("document.querySelector('[data-part=now]').innerText.includes('Cut: ALL')")
    window.sees("document.querySelector('[data-part=proofs]').innerText.includes('refused now')")
    assert window.run("return document.documentElement.scrollWidth <= innerWidth"), "the page is wider than the screen"
    restore(house, window, "ALL")
    assert window.complaints() == []


def test_by_keyboard_alone_one_comes_from_any_page_to_a_cut(house, window):
    go(window, house, "/incidents")
    keyboard(window, "!", 10)
    window.sees("location.pathname == '/stop' && document.body.dataset.live == 'on'")
    window.sees("!document.getElementById('hold').disabled")
    for _ in range(25):
        if window.run("return document.activeElement.id == 'hold'"):
            break
        keyboard(window, "\ue004", 10)
    assert window.run("return document.activeElement.id") == "hold"
    keyboard(window, " ", 300)
    assert house.cut_scopes() == []
    keyboard(window, " ", HELD_MS)
    window.sees("document.querySelector('#outcome').innerText.includes('Cut and proven')")
    assert house.cut_scopes() == ["ALL"]
    restore(house, window, "ALL")
    go(window, house, "/")
    for key in ("g", "j"):
        keyboard(window, key, 10)
    window.sees("location.pathname == '/journal'")
    assert window.complaints() == []


def test_the_button_is_grey_as_soon_as_nobody_answers(house, window):
    go(window, house, "/stop")
    window.sees("!document.getElementById('hold').disabled")
    house.child.kill()
    window.sees("document.getElementById('hold').disabled && document.body.dataset.live == 'lost'", 20)
    assert "Cannot cut" in window.run("return document.getElementById('hold').innerText")


def serious(window):
    """What axe finds that keeps somebody out."""
    window.run(AXE.read_text() + "; return true")
    found = window.http.post(
        f"{window.session}/execute/async",
        json={
            "script": "const done = arguments[0]; axe.run(document, {resultTypes: ['violations']}).then((all) => done(all.violations.filter((it) => it.impact == 'serious' || it.impact == 'critical').map((it) => it.id + ': ' + it.nodes.map((node) => node.html.slice(0, 160) + ' ' + node.failureSummary).join(' | '))));",
            "args": [],
        },
    ).json()["value"]
    return found


@pytest.fixture
def lived_in(house, window):
    """A house with an incident that ended and one that goes on."""
    RawStream(house).flowing()
    house.cut("LLM", why="it answers itself in a loop")
    house.cli("restore", "LLM", stdin=house.app().restore() + "\n")
    house.cut("agent", why="asked for the tax folder")
    return house


LOOKS = [("light", 1280, 900), ("dark", 1280, 900), ("phone", 360, 740)]


def test_every_page_keeps_nobody_out_and_fits_a_phone(lived_in, window):
    troubles = []
    for look, width, height in LOOKS:
        window.resize(width, height)
        window.run(f"localStorage.setItem('theme', '{'dark' if look == 'dark' else 'light'}')")
        for name, path in PAGES.items():
            go(window, lived_in, path)
            if SCREENS:
                window.picture(Path(SCREENS) / f"{name}-{look}.png")
            if AXE.exists():
                troubles += [f"{name} {look}: {found}" for found in serious(window)]
            if not window.run("return document.documentElement.scrollWidth <= innerWidth"):
                troubles.append(f"{name} {look}: wider than the screen")
            troubles += [f"{name} {look}: {text}" for text in window.complaints()]

            weight = window.run("return performance.getEntriesByType('resource').concat(performance.getEntriesByType('navigation')).filter((it) => !it.name.includes('/events')).reduce((sum, it) => sum + it.encodedBodySize, 0)")
            if weight > 200_000:
                troubles.append(f"{name} {look}: {weight} bytes")
    assert not troubles, "\n".join(troubles)
