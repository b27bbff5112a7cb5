"""The page in a real browser: signs in by the link, sees a cut live, uses the red button and the restore form."""

import os
from pathlib import Path

import pytest
from browser import Browser, missing
from streams import RawStream
from test_dashboard import sign_in_link

pytestmark = pytest.mark.skipif(bool(missing()), reason=f"needs {missing()}: apt-get install chromium chromium-driver")

# Where to keep pictures of the page, if anywhere.
PICTURES = os.environ.get("PORTCULLIS_PICTURES")


@pytest.fixture
def window(house, tmp_path):
    browser = Browser(tmp_path)
    browser.open(sign_in_link(house))
    browser.click("button.main")
    browser.sees("location.pathname == '/' && document.body.dataset.live == 'on'")
    yield browser
    browser.close()


def keep(window, name):
    if PICTURES:
        window.picture(Path(PICTURES) / f"{name}.png")


def test_the_red_button_needs_its_word_and_the_page_is_live(house, window):
    stream = RawStream(house).flowing()
    window.sees("document.querySelector('[data-part=exchanges]').innerText.includes('steady')")
    keep(window, "open")
    window.click("#do-LLM")
    window.sees("document.activeElement.id == 'cut-confirm' && document.getElementById('cut-scope').value == 'LLM'")
    window.type("#cut-confirm", "LL")
    window.type("#cut-why", "it loops")
    window.click("#cut-button")
    window.sees("document.querySelector('#outcome').innerText.includes('Nothing was cut')")
    assert house.cut_scopes() == []
    # What was chosen and typed is still there, but the confirmation must be typed anew.
    assert window.run("return [document.getElementById('cut-scope').value, document.getElementById('cut-why').value, document.getElementById('cut-confirm').value]") == ["LLM", "it loops", ""]
    window.type("#cut-confirm", "llm")
    window.click("#cut-button")
    window.type("#restore-scope", "LL")
    window.sees("document.querySelector('#outcome').innerText.includes('LLM') && document.title.startsWith('Cut: LLM')")
    assert stream.end().last()["error"]["code"] == "cut"
    assert house.cut_scopes() == ["LLM"]
    # Parts of the page were drawn anew meanwhile; what was being typed was not taken away.
    assert window.run("return document.getElementById('restore-scope').value") == "LL"
    keep(window, "cut")
    window.click("#do-LLM")
    window.sees("document.activeElement.id == 'restore-code' && document.getElementById('restore-scope').value == 'LLM'")
    window.type("#restore-code", house.app().kill())
    window.click("#restore-button")
    window.sees("document.querySelector('#outcome').innerText.includes('Nothing was restored')")
    window.type("#restore-code", house.app().restore())
    window.click("#restore-button")
    window.sees("document.querySelector('.verdict').innerText.includes('Open')")
    assert house.cut_scopes() == []
    assert window.complaints() == []


def test_a_cut_from_elsewhere_shows_without_reloading_also_on_a_phone(house, window):
    window.resize(400, 900)
    house.cut("agent", why="<img src=x onerror=alert(1)>")
    window.sees("document.querySelector('.verdict').innerText.includes('agent')")
    window.sees("document.querySelector('[data-part=incidents]').innerText.includes('<img src=x')")
    assert window.run("return document.querySelectorAll('main img[src=x]').length") == 0
    assert window.run("return document.documentElement.scrollWidth <= innerWidth"), "the page is wider than the screen"
    keep(window, "phone")
    assert window.complaints() == []


def test_a_drill_and_a_check_in_are_one_click_and_cut_nothing(house, window):
    window.sees("document.querySelector('[data-part=watch]').innerText.includes('local')")
    window.click("#drill button")
    window.sees("document.getElementById('outcome').innerText.includes('Nothing was cut')")
    window.sees("document.querySelector('[data-part=watch]').innerText.includes('by dashboard')")
    keep(window, "drilled")
    window.click("#check-in button")
    window.sees("document.getElementById('outcome').innerText.includes('Checked in')")
    assert house.cut_scopes() == []
