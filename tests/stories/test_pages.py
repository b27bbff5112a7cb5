"""Every page in a real browser: the red button held by mouse, finger and keyboard, grey when it would not work; axe finds nothing
serious; nothing breaks the page's own policy. With PORTCULLIS_SCREENS=docs/screens each page is kept as a picture."""

import os
import platform
import re
import time
from pathlib import Path

import httpx
import pytest
from browser import Browser, missing
from estate import NGINX, Estate
from openai import APIStatusError
from streams import QUESTION, RawStream
from test_dashboard import sign_in_link
from waiting import until

pytestmark = pytest.mark.skipif(bool(missing()), reason=f"needs {missing()}: apt-get install chromium chromium-driver")

AXE = Path(__file__).resolve().parents[1] / "peers/node_modules/axe-core/axe.min.js"
SCREENS = os.environ.get("PORTCULLIS_SCREENS")
PAGES = {
    "overview": "/",
    "stop": "/stop",
    "hosts": "/hosts",
    "host": f"/hosts/{platform.node().split('.')[0].lower()}",
    "mesh": "/mesh",
    "alerts": "/alerts",
    "jobs": "/jobs",
    "consumers": "/consumers",
    "consumer": "/consumers/agent",
    "people": "/people",
    "channels": "/channels",
    "settings": "/settings",
    "sessions": "/sessions",
    "tokens": "/tokens",
    "targets": "/targets",
    "spend": "/spend?span=30d",
    "incidents": "/incidents",
    "incident": "/incidents/1",
    "explain": "/explain",
    "explained": "/explain/asked-while-cut",
    "journal": "/journal",
    "changes": "/journal/changes",
    "account": "/account",
    "offline": "/stop/offline",
}
# Longer than the button is held.
HELD_MS = 1900


@pytest.fixture
def house(request, build, scripted):
    """The usual one. For the walk through every page one with hosts and another gateway, where there is an nginx."""
    targets = [("lab", "local", scripted)]
    if "lived_in" not in request.fixturenames or not Path(NGINX).exists():
        yield build(targets, [("chat", ["*"], ["lab"])]).start()
        return
    house = build([*targets, ("sky", "cloud", scripted)], [("chat", ["*"], ["lab", "sky"])])
    estate = Estate(house, scripted)
    try:
        yield estate.start().house
    finally:
        estate.stop()


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


def path_of(name):
    """Where a page stands. A host's own shows its last ten minutes: a young house has no more."""
    now = int(time.time() * 1000)
    return PAGES[name] + (f"?from={now - 600_000}&to={now}" if name == "host" else "")


@pytest.fixture
def lived_in(house, window):
    """A house that was asked and answered, with an incident that ended and one that goes on, and a program's token."""
    client = house.openai()
    for tokens in (40, 120, 80):
        client.chat.completions.create(model="steady", messages=QUESTION, max_tokens=tokens)
    stream = RawStream(house).flowing()
    house.cut("LLM", why="it answers itself in a loop")
    stream.end()
    with pytest.raises(APIStatusError):
        client.chat.completions.create(model="steady", messages=QUESTION, extra_headers={"x-request-id": "asked-while-cut"})
    house.cli("restore", "LLM", stdin=house.app().restore() + "\n")
    house.cut("CLOUD", why="it asks outside at night")
    made = house.cli("tokens", "create", "grafana")
    assert made.returncode == 0, made.stderr
    until("the explanation of what was refused", lambda: house.cli("explain", "asked-while-cut").returncode == 0, 30)
    if SCREENS:
        drawn = "return (document.querySelector('svg[data-from] polyline')?.getAttribute('points') || '').split(' ').length"
        until("a history to show", lambda: (go(window, house, path_of("host")) or True) and window.run(drawn) >= 20, 300, every=2)
    return house


LOOKS = [("light", 1280, 1100), ("dark", 1280, 1100), ("phone", 360, 740)]


def violations(house):
    """What the dashboard was told by browsers that kept something from its pages."""
    figures = httpx.get(f"{house.dashboard}/metrics", timeout=5, trust_env=False).text
    return int(re.search(r"^portcullis_csp_violations_total (\d+)$", figures, re.MULTILINE).group(1))


def test_every_page_keeps_nobody_out_and_fits_a_phone(lived_in, window):
    troubles = []
    for look, width, height in LOOKS:
        window.resize(width, height)
        window.run(f"localStorage.setItem('theme', '{'dark' if look == 'dark' else 'light'}')")
        for name in PAGES:
            go(window, lived_in, path_of(name))
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
    assert violations(lived_in) == 0


def test_what_breaks_a_page_s_policy_is_told_to_the_house(house, window):
    go(window, house, "/hosts")
    window.run("document.querySelector('main').insertAdjacentHTML('beforeend', '<p style=\"color:red\">no</p>'); return true")
    until("the report of the browser", lambda: violations(house) == 1, 20)
    assert "breaks its policy" in house.log()
    assert window.complaints() != [], "and the console says so, too"


def test_a_target_and_a_channel_are_tested_by_a_button_each(house, window):
    go(window, house, "/targets")
    window.click("#test-lab")
    window.sees("document.querySelector('#outcome').innerText.includes('lab: answered within')")
    window.sees("document.querySelector('#tests').innerText.includes('answered within')")
    assert window.run("return document.activeElement.id") == "test-lab", "who works by keyboard stays where he was"
    window.click("#test-lab")
    window.sees("document.querySelector('#outcome').innerText.includes('tested a moment ago')")
    go(window, house, "/channels")
    window.click("#test-local")
    window.sees("document.querySelector('#outcome').innerText.includes('Nothing was cut')")
    assert house.cut_scopes() == []
    go(window, house, "/journal/changes")
    window.sees("document.querySelector('main').innerText.includes('channel.test') && document.querySelector('main').innerText.includes('target.test')")
    window.click("form[action='/journal/changes/verify'] button")
    window.sees("document.querySelector('#outcome').innerText.includes('Every hash fits')")
    assert window.complaints() == []


def test_a_configuration_is_read_from_a_file_checked_shown_and_taken_over(house, window, tmp_path):
    go(window, house, "/settings")
    before = house.config.read_text()
    other = tmp_path / "other.toml"
    other.write_text(before + "\n[alerts]\ntexts_a_day = 3\n")
    window.type("#file", str(other))
    window.sees("document.querySelector('#text').value.includes('texts_a_day = 3')")
    assert house.config.read_text() == before, "choosing a file changes nothing"
    window.click("form[action='/settings/check'] button")
    window.sees("document.querySelector('#changes-title') && document.querySelector('main').innerText.includes('alerts.texts_a_day')")
    assert house.config.read_text() == before
    window.click("form[action='/settings/apply'] button")
    window.sees("document.querySelector('#outcome').innerText.includes('changed and in force')")
    assert "texts_a_day = 3" in house.config.read_text()
    binary = tmp_path / "no.toml"
    binary.write_bytes(b"\xff\xfe\x00")
    window.type("#file", str(binary))
    window.sees("document.querySelector('#file-trouble').innerText.includes('no text in UTF-8')")
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(house.config.read_text().replace("texts_a_day = 3", "texts_a_dya = 4"))
    window.type("#file", str(wrong))
    window.sees("document.querySelector('#text').value.includes('texts_a_dya')")
    window.click("form[action='/settings/check'] button")
    window.sees("document.querySelector('#outcome').innerText.includes('texts_a_dya')")
    assert not window.run("return !!document.querySelector('form[action=\"/settings/apply\"]')"), "what has mistakes cannot be applied"
    assert "texts_a_day = 3" in house.config.read_text()


def test_dragging_over_a_host_s_history_looks_closer(house, window):
    name = platform.node().split(".")[0].lower()
    until("a history", lambda: (go(window, house, f"/hosts/{name}") or True) and window.run("return document.querySelectorAll('svg[data-from] polyline').length"), 120)
    begins = "return Number(document.querySelector('svg[data-from]').dataset.from)"
    from_before = window.run(begins)
    [chart] = window.post("/element", using="css selector", value="svg[data-from]").values()
    origin = {"element-6066-11e4-a52e-4f735466cecf": chart}
    # A young house has its history at the right end, and whoever drags goes beyond it.
    right = window.run("return Math.floor(document.querySelector('svg[data-from]').getBoundingClientRect().width / 2) + 20")
    steps = [
        {"type": "pointerMove", "duration": 0, "origin": origin, "x": -40, "y": 0},
        {"type": "pointerDown", "button": 0},
        {"type": "pointerMove", "duration": 100, "origin": origin, "x": right, "y": 0},
        {"type": "pointerUp", "button": 0},
    ]
    window.post("/actions", actions=[{"type": "pointer", "id": "a mouse", "parameters": {"pointerType": "mouse"}, "actions": steps}])
    window.sees("location.search.includes('from=')")
    window.sees("document.body.dataset.live == 'on'")
    assert window.run(begins) > from_before
    assert window.complaints() == []
