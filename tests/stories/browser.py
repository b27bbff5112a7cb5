"""A real browser, driven over the W3C WebDriver protocol by Debian's chromedriver: looks at the page and uses it as a person would."""

import base64
import shutil
import time
from pathlib import Path

import httpx
from waiting import Child, free_ports, until

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def missing():
    """What must be installed first, or an empty text."""
    return " and ".join(name for name in ("chromedriver", "chromium") if not shutil.which(name))


class Browser:
    """One window. Every wait is for a state of the page."""

    def __init__(self, folder, width=1280, height=1400):
        [port] = free_ports(1)
        self.driver = Child(["chromedriver", f"--port={port}"], folder, "chromedriver")
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False)
        until("chromedriver", lambda: self.http.get("/status").status_code == 200, 20)
        options = {
            "goog:loggingPrefs": {"browser": "ALL"},
            "goog:chromeOptions": {"args": [*FLAGS, f"--window-size={width},{height}", f"--user-data-dir={Path(folder) / 'chromium'}"]},
        }
        self.session = ""
        self.session = f"/session/{self.post('/session', capabilities={'alwaysMatch': options})['sessionId']}"

    def post(self, path, **body):
        answer = self.http.post(f"{self.session}{path}", json=body)
        assert answer.status_code == 200, answer.text[:600]
        return answer.json()["value"]

    def open(self, url):
        self.post("/url", url=url)

    def run(self, script):
        return self.post("/execute/sync", script=script, args=[])

    def element(self, css):
        [found] = self.post("/element", using="css selector", value=css).values()
        return found

    def type(self, css, text):
        self.post(f"/element/{self.element(css)}/value", text=text)

    def click(self, css):
        self.post(f"/element/{self.element(css)}/click")

    def sees(self, condition, limit=15):
        """Waits until a condition in the page's own language holds."""
        end = time.monotonic() + limit
        while not self.run(f"return !!({condition})"):
            assert time.monotonic() < end, f"waited {limit} s for {condition}; the page says: {self.run('return document.body.innerText')[-600:]}"
            time.sleep(0.05)

    def complaints(self):
        """Errors on the browser's console, such as something its own policy blocked; not the answers that refuse on purpose."""
        lines = [line["message"] for line in self.post("/se/log", type="browser") if line["level"] == "SEVERE"]
        return [line for line in lines if "responded with a status of 4" not in line]

    def picture(self, path):
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(self.http.get(f"{self.session}/screenshot").json()["value"]))

    def resize(self, width, height):
        self.post("/window/rect", width=width, height=height)

    def close(self):
        if self.session:
            self.http.delete(self.session)
        self.driver.stop()
