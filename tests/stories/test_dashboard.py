"""The page, used as a browser without scripts would: sign in by link, cut by form, restore with a code."""

import re
import threading
from html.parser import HTMLParser
from urllib.parse import urljoin

import httpx
import pytest
from streams import RawStream
from waiting import until


class Forms(HTMLParser):
    """Every form of a page with its fields and their present values."""

    def __init__(self, text):
        super().__init__()
        self.forms, self.select = [], None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "form":
            self.forms.append({"action": attrs.get("action") or attrs.get("hx-post") or "", "method": attrs.get("method", "get"), "fields": {}, "options": {}})
        elif self.forms and tag == "input" and attrs.get("name"):
            self.forms[-1]["fields"][attrs["name"]] = attrs.get("value", "")
        elif self.forms and tag == "textarea" and attrs.get("name"):
            self.forms[-1]["fields"][attrs["name"]] = ""
        elif self.forms and tag == "select":
            self.select = attrs.get("name")
            self.forms[-1]["fields"][self.select] = ""
            self.forms[-1]["options"][self.select] = []
        elif self.forms and tag == "option" and self.select:
            self.forms[-1]["options"][self.select].append(attrs.get("value", ""))

    def handle_endtag(self, tag):
        if tag == "select":
            self.select = None


def form_for(page, word):
    """The form whose action holds `word`."""
    found = [form for form in Forms(page.text).forms if word in form["action"]]
    assert found, f"no form for {word} on {page.url}"
    return found[0]


def send(browser, page, form, **values):
    assert form["method"].lower() == "post", form
    address = urljoin(str(page.url), form["action"] or str(page.url))
    origin = f"{page.url.scheme}://{page.url.host}:{page.url.port}"
    return browser.post(address, data={**form["fields"], **values}, headers={"origin": origin, "sec-fetch-site": "same-origin"})


@pytest.fixture
def browser(house):
    """Signed in by a fresh one-time link."""
    with httpx.Client(follow_redirects=True, timeout=20, trust_env=False) as client:
        link = sign_in_link(house)
        page = client.get(link)
        assert page.status_code == 200, page.text
        page = send(client, page, form_for(page, "sign-in"))
        assert page.status_code == 200, page.text
        yield client


def sign_in_link(house):
    done = house.cli("sign-in")
    assert done.returncode == 0, done.stderr
    return re.search(r"http://\S+/sign-in\?token=\S+", done.stdout).group(0)


def test_a_link_signs_in_once_and_looking_at_it_spends_nothing(house):
    link = sign_in_link(house)
    with httpx.Client(follow_redirects=True, trust_env=False) as first, httpx.Client(follow_redirects=True, trust_env=False) as second:
        httpx.get(link, trust_env=False)  # a preview
        page = first.get(link)
        send(first, page, form_for(page, "sign-in"))
        assert first.get(house.dashboard).url.path == "/"
        page = second.get(link)
        forms = [form for form in Forms(page.text).forms if "sign-in" in form["action"]]
        if forms:
            send(second, page, forms[0])
        assert second.get(house.dashboard).url.path != "/"


def test_without_a_session_nothing_is_shown_and_nothing_can_be_done(house):
    page = httpx.get(house.dashboard, trust_env=False, follow_redirects=True)
    assert page.url.path.startswith("/sign-in")
    assert httpx.get(f"{house.dashboard}/events", trust_env=False).status_code in (401, 403)
    assert httpx.get(f"{house.dashboard}/api/v1/state", trust_env=False).status_code in (401, 403)
    for path in ("/cut", "/restore"):
        answer = httpx.post(f"{house.dashboard}{path}", data={"scope": "ALL", "confirm": "ALL"}, trust_env=False)
        assert answer.status_code in (401, 403, 404), (path, answer.status_code)
    assert house.cut_scopes() == []


def test_the_red_button_cuts_and_a_code_restores(house, browser):
    stream = RawStream(house).flowing()
    page = browser.get(house.dashboard)
    assert page.status_code == 200
    form = form_for(page, "cut")
    wrong = send(browser, page, form, scope="LLM", confirm="nope", why="by a test")
    assert house.cut_scopes() == [], wrong.text
    done = send(browser, page, form, scope="LLM", confirm="LLM", why="by a test")
    assert done.status_code == 200, done.text
    assert house.cut_scopes() == ["LLM"]
    assert stream.end().last()["error"]["code"] == "cut"

    page = until("the incident on the page", lambda: "by a test" in (seen := browser.get(house.dashboard)).text and seen)
    form = form_for(page, "restore")
    send(browser, page, form, scope="LLM", code=house.app().kill())
    assert house.cut_scopes() == ["LLM"]
    done = send(browser, page, form, scope="LLM", code=house.app().restore())
    assert done.status_code == 200, done.text
    assert house.cut_scopes() == []


def test_the_page_is_told_of_a_cut_without_reloading(house, browser):
    seen = []

    def listen():
        try:
            with browser.stream("GET", f"{house.dashboard}/events", timeout=httpx.Timeout(20)) as events:
                assert events.headers["content-type"].startswith("text/event-stream")
                for text in events.iter_text():
                    seen.append(text)
        except httpx.HTTPError:
            pass  # the house goes down at the end

    threading.Thread(target=listen, daemon=True).start()
    until("the first event", lambda: seen or None)
    house.cut("LLM", why="seen live")
    until("the cut on the page", lambda: "seen live" in "".join(seen), 10)


def test_a_request_from_another_site_is_refused(house, browser):
    page = browser.get(house.dashboard)
    form = form_for(page, "cut")
    address = urljoin(str(page.url), form["action"])
    answer = browser.post(
        address,
        data={**form["fields"], "scope": "ALL", "confirm": "ALL"},
        headers={"origin": "https://evil.example", "sec-fetch-site": "cross-site"},
    )
    assert answer.status_code == 403
    rebound = browser.get(house.dashboard, headers={"host": "evil.example"})
    assert rebound.status_code in (400, 403, 421)
    assert house.cut_scopes() == []
