"""The map of the first page, with a gateway on another host: an nginx that its agent drives follows a cut, and then cannot."""

from pathlib import Path

import pytest
from browser import missing
from estate import NGINX, Estate
from test_pages import AXE, go, serious, window  # noqa: F401, a fixture

pytestmark = [
    pytest.mark.skipif(bool(missing()), reason=f"needs {missing()}: apt-get install chromium chromium-driver"),
    pytest.mark.skipif(not Path(NGINX).exists(), reason=f"no {NGINX}"),
]

MAP = "document.querySelector('[data-part=map]')"
WORDS = f"{MAP}.querySelector('details').textContent"


@pytest.fixture
def estate(build, scripted):
    estate = Estate(build([("lab", "local", scripted)], [("chat", ["*"], ["lab"])]), scripted)
    yield estate
    estate.stop()


@pytest.fixture
def house(estate):
    return estate.start().house


def texts(window):  # noqa: F811
    return window.run(f"return Array.from({MAP}.querySelectorAll('svg text'), (it) => it.firstChild.textContent)")


def test_a_gateway_of_another_host_stands_on_the_map_and_shows_what_it_holds(house, estate, window):  # noqa: F811
    follows = f"{WORDS}.includes('Gateway edge (nginx) on gw1, zone inference: follows, leads to lab (local), sky (cloud).')"
    window.sees(follows, 60)
    for said in ("edge", "nginx on gw1", "follows", "sky", "cloud"):
        assert said in texts(window), texts(window)

    house.cut("ALL")
    window.sees(f"{WORDS}.includes('follows, ALL cut, leads to lab (local, closed), sky (cloud, closed)')", 60)
    assert "follows, ALL cut" in texts(window)
    crosses = f"{MAP}.querySelectorAll('path.cross').length"
    # Each zone to ours, ours to its route, that to its target; and both ways of the nginx.
    assert window.run(f"return {crosses}") == 3 + 1 + 1 + 2
    for width, height in ((1280, 900), (360, 740)):
        window.resize(width, height)
        assert window.run("return document.documentElement.scrollWidth <= innerWidth"), "the page is wider than the screen"
        assert window.run(f"return parseFloat(getComputedStyle({MAP}.querySelector('svg')).width) >= 900"), "letters keep their size"
        if AXE.exists():
            assert serious(window) == []

    # An nginx that is gone cannot be seen to hold anything.
    estate.edge.nginx.stop()
    window.sees(f"{WORDS}.includes('on gw1, zone inference: does not follow, leads to lab (local), sky (cloud)')", 60)
    assert "does not follow" in texts(window)
    assert window.run(f"return {crosses}") == 3 + 1 + 1
    go(window, house, "/")
    assert "does not follow" in texts(window), "and so says a page that is opened anew"
    assert window.complaints() == []
