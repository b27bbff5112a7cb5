"""A TWIN of APISIX as a process: not APISIX. `levers` is what only the twin has: what is stored, and faults on demand."""

import json
import secrets

import httpx
from peers import built
from waiting import Child, until


class ApisixTwin:
    def __init__(self, folder):
        self.key = "key-" + secrets.token_hex(16)
        self.key_file = folder / "apisix-admin.key"
        self.key_file.write_text(self.key + "\n")
        self.key_file.chmod(0o600)
        self.child = Child([built("apisix_twin"), "--admin-key-file", self.key_file], folder, "apisix-twin")
        line = until("the twin's ports", lambda: self.child.out.read_text().splitlines()[:1])
        self.at = json.loads(line[0])
        self.data = f"http://{self.at['data']}"

    def pull(self, lever, **asked):
        answer = httpx.post(f"http://{self.at['levers']}/{lever}", json=asked, trust_env=False)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def state(self):
        return httpx.get(f"http://{self.at['levers']}/state", trust_env=False).json()

    def stored(self, path):
        return httpx.get(f"http://{self.at['levers']}/stored/{path}", trust_env=False).json()

    def status(self, path, key=None):
        headers = {"authorization": f"Bearer {key}"} if key else {}
        return httpx.get(f"{self.data}{path}", headers=headers, timeout=10, trust_env=False).status_code

    def stop(self):
        self.child.kill()
