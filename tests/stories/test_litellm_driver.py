"""A real LiteLLM without a database: what the driver sees of it, what it cannot cut, whose usage stands in the ledger.

What needs LiteLLM's database (keys, blocks, its own ledger) cannot be had here; the driver's own tests play that with a double.
"""

import json
import os
import re
import secrets
import sqlite3
import sys
import threading

import httpx
import pytest
import yaml
from peers import REPO, Upstream
from streams import ENDLESS, QUESTION
from waiting import Child, free_ports, until

CALLS = 20


class TellingLiteLlm(Upstream):
    """A LiteLLM that posts what it did to the control plane, as docs/litellm.md sets it up."""

    kind = "litellm"

    def __init__(self, folder, endpoint, token):
        (self.port,) = free_ports(1)
        self.at = f"127.0.0.1:{self.port}"
        self.base = f"http://{self.at}/v1"
        self.key = "sk-" + secrets.token_hex(24)
        models = [
            # A price that the house knows, and one that nobody does.
            {"model_name": "priced", "litellm_params": {"model": "openai/gpt-4o", "api_key": "unused", "mock_response": "A canned answer."}},
            {"model_name": "strange", "litellm_params": {"model": "openai/nobody-knows", "api_key": "unused", "mock_response": "Another."}},
        ]
        config = {
            "model_list": models,
            "general_settings": {"master_key": "os.environ/LITELLM_MASTER_KEY"},
            **documented(endpoint),
        }
        self.file = folder / "litellm.yaml"
        self.file.write_text(yaml.safe_dump(config))
        env = dict(os.environ, LITELLM_LOCAL_MODEL_COST_MAP="True", LITELLM_MASTER_KEY=self.key)
        env.update(GENERIC_LOGGER_HEADERS=f"Authorization=Bearer {token}", DEFAULT_BATCH_SIZE="1")
        litellm = [sys.executable, os.path.join(os.path.dirname(sys.executable), "litellm"), "--config", self.file]
        self.child = Child([*litellm, "--host", "127.0.0.1", "--port", self.port, "--telemetry", "False"], folder, "telling", env)

    def wait(self):
        until("LiteLLM", lambda: httpx.get(f"http://{self.at}/health/liveliness", trust_env=False).status_code == 200, 180)
        return self

    def ask(self, model, stream=False):
        body = {"model": model, "stream": stream, "messages": [{"role": "user", "content": "hello there"}]}
        if stream:
            body["stream_options"] = {"include_usage": True}
        answer = httpx.post(f"{self.base}/chat/completions", json=body, headers={"authorization": f"Bearer {self.key}"}, timeout=30, trust_env=False)
        assert answer.status_code == 200, answer.text
        if not stream:
            return answer.json()["usage"]
        lines = [line[6:] for line in answer.text.splitlines() if line.startswith("data: {")]
        return next(usage for line in reversed(lines) if (usage := json.loads(line).get("usage")))


def documented(endpoint):
    """What docs/litellm.md gives for telling of usage, with this house's address."""
    (block,) = re.findall(r"^```yaml\n(litellm_settings:.*?)^```", (REPO / "docs" / "litellm.md").read_text(), re.M | re.S)
    config = yaml.safe_load(block)
    config["callback_settings"]["portcullis"]["endpoint"] = endpoint
    return config


def ledger(house):
    query = "select source, id, model, prompt_tokens, completion_tokens, cost, consumer from usage where source <> 'gateway' order by at"
    with sqlite3.connect(f"file:{house.data}/controlplane/portcullis.db?mode=ro", uri=True) as database:
        return database.execute(query).fetchall()


def rows_of(house, count):
    def enough():
        found = ledger(house)
        assert len(found) >= count, f"{len(found)} rows"
        return found

    return until(f"{count} rows", enough, 30)


@pytest.fixture
def telling(build, scripted, tmp_path):
    """A house that is told of usage, and the LiteLLM that tells."""
    token = secrets.token_hex(24)
    house = build([("lab", "local", scripted)], [("chat", ["*"], ["lab"])])
    source = '[[controlplane.usage_sources]]\nname = "proxy"\nkind = "litellm"\n'
    house.rules = f"{source}token_file = {json.dumps(house.secret('usage.token', token))}\n"
    house.write_config()
    house.start(proven=False)
    proxy = TellingLiteLlm(tmp_path, f"{house.dashboard}/api/v1/usage/proxy", token)
    try:
        yield house, proxy.wait()
    finally:
        proxy.stop()


def test_what_a_real_litellm_did_stands_in_the_ledger_once_also_over_a_restart(telling):
    house, proxy = telling
    used = [proxy.ask("priced", stream=n % 4 == 0) for n in range(CALLS)]
    rows = rows_of(house, CALLS)
    check(rows, used)
    # The price is the house's own: 2.50 and 10 dollars a million tokens.
    assert all(cost == -(-(asked * 25 + said * 100) // 10) for _, _, _, asked, said, cost, _ in rows), rows
    house.stop()
    # LiteLLM tries again until the control plane is back.
    used += [proxy.ask("strange") for _ in range(CALLS)]
    house.start(proven=False)
    rows = rows_of(house, 2 * CALLS)
    check(rows, used)
    assert {cost for _, _, model, _, _, cost, _ in rows if model == "strange"} == {None}, "an unknown price stays unknown"
    used += [proxy.ask("priced") for _ in range(CALLS)]
    check(rows_of(house, 3 * CALLS), used)
    told = house.cli_json("spend", "--by", "source")
    assert {row["name"]: row["totals"]["exchanges"] for row in told["rows"]}["proxy"] == 3 * CALLS
    assert house.cli_json("spend")["total"]["unknown_price"] == CALLS


def check(rows, used):
    assert {row[0] for row in rows} == {"proxy"} and len({row[1] for row in rows}) == len(rows) == len(used)
    wanted = sorted((usage["prompt_tokens"], usage["completion_tokens"]) for usage in used)
    assert sorted((asked, said) for _, _, _, asked, said, _, _ in rows) == wanted
    # Without a database everybody comes with the master key.
    assert {row[6] for row in rows} == {"proxy"}


def test_a_real_litellm_is_carried_over_from_its_file_and_from_its_api(telling, tmp_path):
    house, proxy = telling
    key = tmp_path / "litellm.key"
    key.write_text(proxy.key)
    key.chmod(0o600)
    from_api = house.cli_json("import", "litellm", "--at", f"http://{proxy.at}", "--key-file", key)["found"]
    from_file = house.cli_json("import", "litellm", "--file", proxy.file, "--serves", f"http://{proxy.at}")["found"]
    for found in (from_api, from_file):
        assert [route["name"] for route in found["routes"]] == ["priced", "strange"], found
        assert proxy.key not in json.dumps(found)
    # A canned answer is LiteLLM's own: it stays behind it.
    assert [target["kind"] for target in from_file["targets"]] == ["litellm"], from_file


class Direct:
    """A stream that goes to LiteLLM itself, past the house's gateway."""

    def __init__(self, litellm):
        self.pieces, self.broken, self.ended = 0, None, threading.Event()
        self.client = httpx.Client(timeout=60, trust_env=False)
        body = {"model": "litellm-steady", "stream": True, "messages": QUESTION, **ENDLESS}
        request = self.client.build_request("POST", f"{litellm.base}/chat/completions", json=body, headers={"authorization": f"Bearer {litellm.key}"})
        self.answer = self.client.send(request, stream=True)
        assert self.answer.status_code == 200, self.answer.read()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        try:
            for _ in self.answer.iter_raw():
                self.pieces += 1
        except httpx.TransportError as error:
            self.broken = error
        self.ended.set()


def driving(build, scripted, litellm, cut_by):
    """A house whose agent drives a LiteLLM beside the gateway."""
    house = build([("lab", "local", scripted)], [("chat", ["*"], ["lab"])])
    key = json.dumps(house.secret("master.key", litellm.key))
    at = json.dumps(f"127.0.0.1:{litellm.port}")
    house.rules = f'[[agent.drivers]]\nkind = "litellm"\nat = {at}\nmaster_key_file = {key}\ncut_by = "{cut_by}"\n'
    house.write_config()
    return house.start(proven=False)


@pytest.mark.parametrize("upstream", ["litellm"], indirect=True)
def test_streams_of_a_litellm_that_cannot_refuse_end_with_the_cut(build, scripted, upstream):
    house = driving(build, scripted, upstream, "none")
    stream = Direct(upstream)
    until("the stream to flow", lambda: stream.pieces > 3)
    reply = house.cut("ALL")
    if "streams go on: " in house.log():
        # Said wherever the kernel does not let the agent end them; then nobody may call it plainly cut.
        assert reply["outcome"] != "cut", reply
        pytest.skip("this machine's kernel does not end connections for others")
    assert stream.ended.wait(5), f"it still runs after {stream.pieces} pieces: {reply}\n{house.log()}"
    until("LiteLLM to leave its upstream", lambda: upstream.exchanges()[-1]["end"] == "aborted")
    # It refuses nobody by itself, and is never said to.
    assert "LiteLLM itself refuses nobody" in json.dumps(house.cli_json("config", "check", "--drivers"))


@pytest.mark.parametrize("upstream", ["litellm"], indirect=True)
def test_a_cut_that_litellm_cannot_carry_out_for_want_of_a_database_is_partial(build, scripted, upstream):
    house = driving(build, scripted, upstream, "keys")
    until("a look at it", lambda: house.state()["agents"][0]["problem"] is None, 30)
    reply = house.cut("ALL")
    assert reply["outcome"] != "cut", reply
    assert "no database" in until("the reason", lambda: "no database" in house.log() and house.log(), 10)
    # The embedded gateway is cut all the same.
    assert house.code_of_models() == "cut"
