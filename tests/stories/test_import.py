"""An existing set-up is read, shown, written as a configuration that passes the check, and not touched."""

import http.server
import json
import subprocess
import threading
import tomllib

import httpx
import pytest
import yaml
from house import House
from peers import built
from twin import ApisixTwin

LITELLM = """
model_list:
  - model_name: chat
    litellm_params: {model: ollama_chat/qwen2.5:14b, api_base: "http://10.0.20.5:11434"}
  - model_name: chat
    litellm_params: {model: openai/gpt-4o, api_key: os.environ/OPENAI_API_KEY}
  - model_name: gemini-2.5-flash
    litellm_params: {model: gemini/gemini-2.5-flash, api_key: sk-in-the-file-itself}
general_settings: {master_key: sk-master-0123456789}
litellm_settings: {drop_params: true}
"""

# As an APISIX 3 answers, recorded by its documentation: each object in a list, under `value`.
ADMIN = {
    "routes": [
        {"id": "1", "name": "chat", "uri": "/v1/*", "upstream_id": "7", "plugins": {"key-auth": {}, "prometheus": {}}},
        {"id": "2", "name": "shop", "uri": "/shop/*", "upstream": {"nodes": {"127.0.0.1:80": 1}}},
    ],
    "upstreams": [{"id": "7", "nodes": [{"host": "10.0.20.6", "port": 8000, "weight": 1}]}],
    "consumers": [{"username": "jack", "plugins": {"key-auth": {"key": "Bearer sk-of-jack-0123456789"}}}],
}


def portcullis(folder, *words):
    command = [built("portcullis"), "--data", folder / "d", *words]
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=30, env=House.env(), cwd=folder, check=False)


def checked(folder, path):
    """Makes the files that the configuration names, and has it checked."""
    config = tomllib.loads(path.read_text())["gateway"]
    for entry in config["targets"] + config["consumers"]:
        for key in ("secret_file", "key_file"):
            if key in entry:
                file = folder / entry[key]
                file.parent.mkdir(exist_ok=True)
                file.write_text(f"made-for-{entry['name']}")
                file.chmod(0o600)
    done = portcullis(folder, "config", "check", "--config", path)
    assert done.returncode == 0, done.stdout + done.stderr
    return config


def test_a_litellm_file_becomes_a_configuration_that_passes_the_check(tmp_path):
    source = tmp_path / "config.yaml"
    source.write_text(LITELLM)
    shown = portcullis(tmp_path, "import", "litellm", "--file", source)
    assert shown.returncode == 0 and "Nothing was written" in shown.stdout, shown.stderr
    for words in ("http://10.0.20.5:11434/v1", "general_settings.master_key", "secrets/openai.key", "OPENAI_API_KEY"):
        assert words in shown.stdout, shown.stdout
    lines = shown.stdout.splitlines()
    for head, column, first in (("target", "class", "ollama"), ("route", "models", "chat")):
        at = next(n for n, line in enumerate(lines) if line.startswith(head + " "))
        start = lines[at].index(column)
        assert lines[at + 1].startswith(first) and lines[at + 1][start - 1] == " " != lines[at + 1][start], shown.stdout
    written = tmp_path / "new.toml"
    done = portcullis(tmp_path, "import", "litellm", "--file", source, "--write", written)
    assert done.returncode == 0, done.stderr
    for text in (shown.stdout, done.stdout, written.read_text()):
        assert "sk-in-the-file-itself" not in text and "sk-master" not in text
    assert written.stat().st_mode & 0o777 == 0o600
    # Not without saying so.
    again = portcullis(tmp_path, "import", "litellm", "--file", source, "--write", written)
    assert again.returncode == 1 and "is there already" in again.stderr, again.stderr
    assert "replaced" in portcullis(tmp_path, "import", "litellm", "--file", source, "--write", written, "--replace").stdout
    config = checked(tmp_path, written)
    assert [route["targets"] for route in config["routes"]] == [["ollama", "openai"], ["litellm"]]
    assert source.read_text() == LITELLM


@pytest.fixture
def admin():
    """Recorded answers of an APISIX's admin API; keeps what it was asked."""
    asked = []

    class Answers(http.server.BaseHTTPRequestHandler):
        def answer(self):
            asked.append((self.command, self.path))
            kind = self.path.removeprefix("/apisix/admin/")
            known = self.headers.get("x-api-key") == "the-admin-key"
            status = 401 if not known else 200 if kind in ADMIN else 404
            listed = {"list": [{"key": f"/apisix/{kind}/{n}", "value": value} for n, value in enumerate(ADMIN.get(kind, []))]}
            body = json.dumps(listed if status == 200 else {"error_msg": "failed to check token"}).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = answer

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_apisix_is_read_by_get_alone_and_its_keys_stay_there(tmp_path, admin):
    url, asked = admin
    key = tmp_path / "admin.key"
    key.write_text("the-admin-key")
    key.chmod(0o600)
    written = tmp_path / "new.toml"
    done = portcullis(tmp_path, "import", "apisix", "--at", url, "--key-file", key, "--write", written, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["found"]
    assert {left["what"] for left in found["left"]} >= {"route shop", "plugin prometheus of route chat"}, found
    assert "sk-of-jack" not in done.stdout + written.read_text()
    config = checked(tmp_path, written)
    assert config["consumers"] == [{"name": "jack", "key_file": "secrets/jack.key", "routes": ["chat"]}]
    assert {method for method, _ in asked} == {"GET"}, asked
    key.write_text("another-key")
    refused = portcullis(tmp_path, "import", "apisix", "--at", url, "--key-file", key)
    assert refused.returncode == 1 and "refuses the key" in refused.stderr and "another-key" not in refused.stderr


def whole(twin):
    """Everything an APISIX holds, with the numbers that each write would change."""
    kinds = ("routes", "upstreams", "consumers", "services", "global_rules", "plugin_configs", "ssls", "consumer_groups", "stream_routes", "secrets", "protos")
    told = {}
    for kind in kinds:
        answer = httpx.get(f"http://{twin.at['admin']}/apisix/admin/{kind}", headers={"x-api-key": twin.key}, trust_env=False)
        told[kind] = answer.json() if answer.status_code == 200 else answer.status_code
    return {path: twin.stored(path) for path in twin.state()["paths"]}, told


def test_an_apisix_that_serves_is_imported_and_stays_as_it_was(tmp_path):
    """Against the twin of APISIX: what its admin API tells, not what was written down of it."""
    twin = ApisixTwin(tmp_path)
    try:
        for kind in ("upstreams", "routes"):
            for entry in ADMIN[kind]:
                twin.pull("place", path=f"{kind}/{entry['id']}", value=entry)
        for entry in ADMIN["consumers"]:
            twin.pull("place", path=f"consumers/{entry['username']}", value=entry)
        twin.pull("place", path="global_rules/g", value={"plugins": {"prometheus": {}}})
        before, asked = whole(twin), len(twin.state()["calls"])
        written = tmp_path / "new.toml"
        words = ("import", "apisix", "--at", f"http://{twin.at['admin']}", "--key-file", twin.key_file, "--write", written)
        done = portcullis(tmp_path, *words)
        assert done.returncode == 0, done.stderr
        for shown in ("http://10.0.20.6:8000/v1", "jack", "secrets/jack.key", "route shop"):
            assert shown in done.stdout, done.stdout
        for text in (done.stdout, done.stderr, written.read_text()):
            assert "sk-of-jack" not in text and twin.key not in text
        config = checked(tmp_path, written)
        assert [(route["name"], len(route["targets"])) for route in config["routes"]] == [("chat", 1)], config
        calls = twin.state()["calls"][asked:]
        assert calls and {method for method, *_ in calls} == {"GET"}, calls
        assert whole(twin) == before
    finally:
        twin.stop()


def test_a_configuration_for_litellm_is_made_from_ours_and_holds_no_secret(tmp_path):
    (tmp_path / "sky.key").write_text("sk-very-secret")
    (tmp_path / "sky.key").chmod(0o600)
    (tmp_path / "portcullis.toml").write_text(
        '[[gateway.targets]]\nname = "box"\nclass = "local"\nkind = "ollama"\nbase_url = "http://10.0.20.5:11434/v1"\n'
        '[[gateway.targets]]\nname = "sky"\nclass = "cloud"\nbase_url = "https://api.example/v1"\nsecret_file = "sky.key"\n'
        '[[gateway.routes]]\nname = "chat"\nmodels = ["llama3.2"]\ntargets = ["box", "sky"]\n'
    )
    done = portcullis(tmp_path, "export", "litellm")
    assert done.returncode == 0, done.stderr
    assert "sk-very-secret" not in done.stdout and "os.environ/PORTCULLIS_SKY_KEY" in done.stdout
    config = yaml.safe_load(done.stdout)
    assert [entry["litellm_params"]["model"] for entry in config["model_list"]] == ["ollama_chat/llama3.2", "openai/llama3.2"]
    # And back again.
    (tmp_path / "litellm.yaml").write_text(done.stdout)
    back = json.loads(portcullis(tmp_path, "import", "litellm", "--file", "litellm.yaml", "--json").stdout)["found"]
    assert [target["base_url"] for target in back["targets"]] == ["http://10.0.20.5:11434/v1", "https://api.example/v1"]
