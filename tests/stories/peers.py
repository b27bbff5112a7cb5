"""The servers behind the gateway: a real small model, a real LiteLLM proxy, and the scripted upstream."""

import json
import os
import re
import secrets
import sys
from pathlib import Path

import httpx
import yaml
from streams import ENDLESS
from waiting import Child, free_ports, until

REPO = Path(__file__).resolve().parents[2]
PEERS = REPO / "tests" / "peers"


def built(program):
    """A program of this workspace, as the test command built it."""
    folder = os.environ.get("PORTCULLIS_BIN_DIR") or os.path.join(os.environ.get("CARGO_TARGET_DIR", REPO / "target"), "debug")
    path = (REPO / folder / program).resolve()
    assert path.exists(), f"{path} is missing; tests/run builds it"
    return path


class Upstream:
    """What a story needs of an upstream: where it is, which model to ask for, and the end of it."""

    key = None
    # What to ask for so that a stream outlives its story.
    endless = ENDLESS
    # As the configuration calls it; `None`: what a target is when nothing is said.
    kind = None

    def stop(self):
        self.child.kill()

    def log(self):
        return self.child.err.read_text(errors="replace")[-4000:]


class Scripted(Upstream):
    """Ground truth: says what it was asked, what it sent and how each answer ended."""

    name, model = "scripted", "steady"

    def __init__(self, folder):
        (self.port,) = free_ports(1)
        self.base = f"http://127.0.0.1:{self.port}/v1"
        self.log_file = Path(folder) / f"scripted-{self.port}.jsonl"
        self.child = Child(
            [built("scripted_upstream"), "--listen", f"127.0.0.1:{self.port}", "--log", self.log_file],
            folder,
            f"scripted-{self.port}",
        )
        until("the scripted upstream", lambda: httpx.get(f"{self.base}/models", trust_env=False).status_code == 200)

    def exchanges(self):
        """Every ended exchange, in the order of their ends."""
        if not self.log_file.exists():
            return []
        return [json.loads(line) for line in self.log_file.read_text().splitlines()]


class ScriptedOllama:
    """The same server, asked as if it were an Ollama: in its own API as well as in the others'."""

    kind = "ollama"

    def __init__(self, scripted):
        self.scripted = scripted

    def __getattr__(self, name):
        return getattr(self.scripted, name)


class SmallModel(Upstream):
    """SmolLM2 behind llama.cpp's own server."""

    name, model = "model", "smollm2:135m"
    # It comes to an end of its own within seconds, unless told not to; a slot holds 2,048 tokens, prompt included.
    endless = {"max_tokens": 1900, "extra_body": {"ignore_eos": True}}

    def __init__(self, folder):
        (self.port,) = free_ports(1)
        self.base = f"http://127.0.0.1:{self.port}/v1"
        self.child = Child([sys.executable, PEERS / "small_model.py", self.port], folder, "model")

    def wait(self):
        until("the small model", lambda: httpx.get(f"http://127.0.0.1:{self.port}/health", trust_env=False).status_code == 200, 120)
        return self


def documented():
    """The configuration of LiteLLM that docs/fallback.md gives."""
    (block,) = re.findall(r"^```yaml\n(model_list:.*?)^```", (REPO / "docs" / "fallback.md").read_text(), re.M | re.S)
    return yaml.safe_load(block)


class LiteLlm(Upstream):
    """A LiteLLM proxy without a database: one canned model, one that leads on to the scripted upstream.

    It also has the models that the documents give as an example, which no story asks for.
    """

    name, model, canned = "litellm", "litellm-steady", "litellm-mock"

    def __init__(self, folder, scripted):
        (self.port,) = free_ports(1)
        self.base = f"http://127.0.0.1:{self.port}/v1"
        self.key = "sk-" + secrets.token_hex(24)
        self.scripted = scripted
        config = yaml.safe_load((PEERS / "litellm.yaml").read_text())
        config["model_list"] += documented()["model_list"]
        path = Path(folder) / "litellm.yaml"
        path.write_text(yaml.safe_dump(config))
        env = dict(os.environ, GEMINI_API_KEY="unused", AWS_ACCESS_KEY_ID="unused", AWS_SECRET_ACCESS_KEY="unused")
        env.update(LITELLM_LOCAL_MODEL_COST_MAP="True", LITELLM_MASTER_KEY=self.key, SCRIPTED_BASE=scripted.base)
        litellm = Path(sys.executable).parent / "litellm"
        self.child = Child(
            [sys.executable, litellm, "--config", path, "--host", "127.0.0.1", "--port", self.port, "--telemetry", "False"],
            folder,
            "litellm",
            env,
        )

    def wait(self):
        until("LiteLLM", lambda: httpx.get(f"http://127.0.0.1:{self.port}/health/liveliness", trust_env=False).status_code == 200, 180)
        return self

    def exchanges(self):
        return self.scripted.exchanges()
