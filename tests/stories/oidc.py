"""A certified OpenID Connect provider, and a person who signs in at it with a browser that runs no scripts."""

import json
import secrets
import shutil
from urllib.parse import urljoin

import httpx
from peers import PEERS
from test_dashboard import Forms
from waiting import Child, free_ports, until

MODULES = PEERS / "node_modules" / "oidc-provider"


def missing():
    """What must be there first, or an empty text."""
    if not shutil.which("node"):
        return "node"
    return "" if MODULES.exists() else "npm install in tests/peers"


class Provider:
    """`localhost` for the provider and a literal address for the dashboard: two sites, as a browser sees it."""

    def __init__(self, folder, dashboard, groups):
        (self.port,) = free_ports(1)
        self.issuer = f"http://localhost:{self.port}"
        self.folder, self.dashboard, self.secret = folder, dashboard, secrets.token_hex(16)
        self.groups_file = folder / "groups.json"
        self.child, self.runs = None, 0
        self.groups(**groups)
        self.start()

    def groups(self, **groups):
        self.groups_file.write_text(json.dumps(groups))

    def start(self):
        self.runs += 1
        command = ["node", PEERS / "oidc_provider.mjs", str(self.port), self.dashboard, self.secret, self.groups_file]
        self.child = Child(command, self.folder, f"oidc-{self.runs}")
        well_known = f"{self.issuer}/.well-known/openid-configuration"
        until("the provider", lambda: httpx.get(well_known, trust_env=False).status_code == 200, 40)

    def stop(self):
        self.child.kill()

    def config(self, secret_file):
        return f"""
[controlplane.oidc]
issuer = "{self.issuer}"
base_url = "{self.dashboard}"
client_id = "portcullis"
client_secret_file = "{secret_file}"
scopes = ["profile", "groups"]
[controlplane.oidc.roles]
admin = ["house-admins"]
operator = ["house-operators"]
viewer = ["family"]
"""


def person():
    # No connection is used again: the provider closes idle ones, and a request may cross that.
    return httpx.Client(timeout=20, trust_env=False, limits=httpx.Limits(max_keepalive_connections=0))


def follow(browser, url):
    """Follows redirects as far as to the dashboard's callback or a page with a form."""
    for _ in range(12):
        if "/sign-in/oidc/back" in url:
            return url
        answer = browser.get(url)
        if answer.is_redirect:
            url = urljoin(url, answer.headers["location"])
            continue
        form = Forms(answer.text).forms[0]
        fields = dict(form["fields"])
        if "login" in fields:
            fields |= {"login": browser.name, "password": "any"}
        answer = browser.post(urljoin(url, form["action"]), data=fields)
        url = urljoin(url, answer.headers["location"])
    raise AssertionError(f"the provider leads nowhere: {url}")


def back_of(browser, dashboard, name):
    """Where the provider sends the browser back to, not yet opened."""
    browser.name = name
    answer = browser.get(f"{dashboard}/sign-in/oidc")
    assert answer.status_code == 303, answer.text
    return follow(browser, answer.headers["location"])


def signed_in(dashboard, name):
    browser = person()
    answer = browser.get(back_of(browser, dashboard, name))
    assert answer.status_code == 200 and "You are signed in" in answer.text, answer.text
    return browser
