"""Sign-in by a real OpenID Connect provider: roles by group, refresh, logout in both directions, and what must not let anybody in."""

import httpx
import pytest
from browser import Browser
from browser import missing as no_browser
from oidc import Provider, back_of, missing, person, signed_in
from test_dashboard import Forms, sign_in_link
from waiting import until

pytestmark = pytest.mark.skipif(bool(missing()), reason=f"needs {missing()}")

GROUPS = {"ada": ["house-admins"], "otto": ["house-operators"], "vera": ["family"], "nina": ["strangers"]}


@pytest.fixture
def place(build, scripted, tmp_path):
    house = build([("box", "local", scripted)], [("chat", ["*"], ["box"])])
    provider = Provider(tmp_path, house.dashboard, GROUPS)
    house.rules = provider.config(house.secret("oidc.secret", provider.secret))
    house.write_config()
    house.start()
    house.provider = provider
    yield house
    provider.stop()


def cookies(browser):
    return [(cookie.name, cookie.value, cookie.domain, cookie.path) for cookie in browser.cookies.jar]


def put(browser, kept):
    for name, value, domain, path in kept:
        browser.cookies.set(name, value, domain, path)


def post(browser, place, path, **form):
    return browser.post(f"{place.dashboard}{path}", data=form, headers={"sec-fetch-site": "same-origin"})


def state(browser, place):
    return browser.get(f"{place.dashboard}/api/v1/state").status_code


def test_each_group_has_its_role_and_nobody_else_gets_in(place):
    allowed = {}
    for name in ("ada", "otto", "vera"):
        browser = signed_in(place.dashboard, name)
        assert state(browser, place) == 200
        allowed[name] = [
            post(browser, place, "/cut", scope="LLM", confirm="no").status_code,
            post(browser, place, "/restore", scope="LLM", code="").status_code,
        ]
    # What is allowed is refused for what it says; what is not allowed, for who says it.
    assert allowed == {"ada": [422, 422], "otto": [422, 403], "vera": [403, 403]}
    stranger = person()
    answer = stranger.get(back_of(stranger, place.dashboard, "nina"))
    assert answer.status_code == 403 and "no group of yours has a role" in answer.text
    assert state(stranger, place) == 401
    # The journal names who cut.
    otto = signed_in(place.dashboard, "otto")
    post(otto, place, "/cut", scope="LLM", confirm="LLM", why="too loud")
    [incident] = signed_in(place.dashboard, "vera").get(f"{place.dashboard}/api/v1/incidents").json()["items"]
    assert incident["by"] == "oidc otto (lever)" and incident["why"] == "otto by OIDC from 127.0.0.1: too loud"


def test_only_the_browser_that_began_a_sign_in_ends_it_and_only_once(place):
    began, other = person(), person()
    back = back_of(began, place.dashboard, "ada")
    for browser, address in [(other, back), (began, back.replace("state=", "state=x")), (began, back.replace("state=", "stat="))]:
        kept = cookies(began)
        answer = browser.get(address)
        assert answer.status_code == 403 and "was not begun in this browser" in answer.text, answer.text
        assert state(browser, place) == 401
        put(began, kept)
    # A code that was issued for another sign-in of the same browser: the nonce and the verifier are not its own.
    second = back_of(began, place.dashboard, "ada")
    stolen = second.replace(httpx.URL(second).params["code"], httpx.URL(back).params["code"])
    answer = began.get(stolen)
    assert answer.status_code == 403 and "does not hold" in answer.text, answer.text
    # As it was meant, and then again with all that the browser had.
    begun = person()
    third = back_of(begun, place.dashboard, "ada")
    kept = cookies(begun)
    assert begun.get(third).status_code == 200 and state(begun, place) == 200
    again = person()
    put(again, kept)
    answer = again.get(third)
    assert answer.status_code == 403 and state(again, place) == 401, answer.text


def test_a_session_follows_what_the_provider_says_when_it_renews_it(place):
    browser = signed_in(place.dashboard, "ada")
    assert post(browser, place, "/restore", scope="LLM", code="").status_code == 422
    place.provider.groups(**{**GROUPS, "ada": ["family"]})
    # A cut goes by what is remembered of her and asks nobody; whatever else she does has the provider asked.
    may_not_cut = lambda: post(browser, place, "/cut", scope="LLM", confirm="no").status_code == 403
    until("ada to be a viewer", lambda: state(browser, place) == 200 and may_not_cut(), 30, every=1)
    place.provider.groups(**{**GROUPS, "ada": []})
    until("ada to be out", lambda: state(browser, place) == 401, 30, every=1)
    # A provider that knows nothing of the session any more: its memory ends with it.
    otto = signed_in(place.dashboard, "otto")
    place.provider.stop()
    place.provider.start()
    until("otto to be out", lambda: state(otto, place) == 401, 40, every=1)


def test_signing_out_leads_to_the_provider_and_signing_out_there_ends_it_here(place):
    browser = signed_in(place.dashboard, "ada")
    page = post(browser, place, "/sign-out")
    assert page.status_code == 200 and f"{place.provider.issuer}/session/end?" in page.text
    assert state(browser, place) == 401
    # The other way round.
    browser = signed_in(place.dashboard, "ada")
    other = signed_in(place.dashboard, "otto")
    page = browser.get(f"{place.provider.issuer}/session/end")
    form = Forms(page.text).forms[0]
    browser.post(form["action"], data={**form["fields"], "logout": "yes"})
    until("the dashboard to be told", lambda: state(browser, place) == 401, 20)
    assert state(other, place) == 200
    for token in ("", "a.b.c", "eyJhbGciOiJub25lIn0.e30."):
        answer = httpx.post(f"{place.dashboard}/sign-in/oidc/logout", data={"logout_token": token}, trust_env=False)
        assert answer.status_code == 400


def test_with_the_provider_down_a_link_lets_in_and_who_is_in_goes_on(place):
    browser = signed_in(place.dashboard, "otto")
    place.provider.stop()
    place.stop()
    place.start()
    answer = person().get(f"{place.dashboard}/sign-in/oidc")
    assert answer.status_code == 503 and "A one-time link works without it" in answer.text
    with httpx.Client(follow_redirects=True, trust_env=False) as owner:
        link = sign_in_link(place)
        token = httpx.URL(link).params["token"]
        assert post(owner, place, "/sign-in", token=token).status_code == 200
        assert post(owner, place, "/restore", scope="LLM", code="").status_code == 422, "a link is an admin's"
    assert state(browser, place) == 200
    post(browser, place, "/cut", scope="LLM", confirm="LLM")
    assert place.cut_scopes() == ["LLM"]


@pytest.mark.skipif(bool(no_browser()), reason=f"needs {no_browser()}")
def test_a_real_browser_comes_back_signed_in(place, tmp_path):
    window = Browser(tmp_path)
    try:
        window.open(f"{place.dashboard}/sign-in")
        window.click("a[href='/sign-in/oidc']")
        window.sees("document.querySelector('input[name=login]')")
        window.type("input[name=login]", "ada")
        window.type("input[name=password]", "any")
        window.click("button[type=submit]")
        window.sees("location.pathname.startsWith('/interaction/') && !document.querySelector('input[name=login]')")
        window.click("button[type=submit]")
        window.sees("location.pathname == '/' && document.body.dataset.live == 'on'")
        assert "ada" in window.run("return document.getElementById('visitor').textContent")
        window.open(f"{place.dashboard}/sessions")
        window.sees("document.querySelector('form[action$=\"/end\"] button')")
        complaints = [line for line in window.complaints() if place.dashboard in line]
        assert complaints == []
        window.click("form[action$='/end'] button")
        window.sees("location.pathname == '/sign-in'")
    finally:
        window.close()
