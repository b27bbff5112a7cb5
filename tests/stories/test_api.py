"""The API as its own document describes it: schemathesis makes requests out of it, against a running house."""

import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import httpx
from waiting import until

# What may be said of any answer. Whether data is accepted depends on codes and names that no document knows.
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance"

# An endless stream; a drill and a cut wait for their proof, and each has a story of its own.
APART = ["/api/v1/events", "/api/v1/drill", "/api/v1/cut", "/api/v1/usage/{source}"]


def token(house, name="story", role="admin"):
    path = house.folder / f"{name}.token"
    path.write_text(house.cli_json("tokens", "create", name, "--role", role)["token"])
    return path


def test_no_request_of_the_document_breaks_the_house_and_every_answer_is_as_described(house):
    secret = token(house).read_text()
    report = house.folder / "schemathesis.xml"
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "run", f"{house.dashboard}/api/v1/openapi.json"),
        *("--header", f"Authorization: Bearer {secret}"),
        *("--checks", CHECKS, "--phases", "examples,coverage,fuzzing", "--max-examples", "15", "--seed", "7"),
        *("--request-timeout", "30", "--report", "junit", "--report-junit-path", str(report)),
        *("--generation-database", "none", "--no-color"),
    ]
    for path in APART:
        command += ["--exclude-path", path]
    env = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, cwd=house.folder, env=env, check=False)
    said = done.stdout.replace(secret, "[secret]")
    assert done.returncode == 0, said[-8000:] + done.stderr[-2000:]
    cases = list(ElementTree.parse(report).iter("testcase"))
    assert len(cases) >= 15, said[-2000:]


def test_a_token_from_elsewhere_cuts_and_explains_and_restores_only_with_a_code(house):
    path = token(house, "night-watch", "admin")
    elsewhere = ("--url", house.dashboard, "--token-file", str(path))
    client = house.openai()
    model = "steady"
    client.chat.completions.create(model=model, messages=[{"role": "user", "content": "hi"}])
    report = house.cli_json(*elsewhere, "cut", "ALL", "--why", "a story")
    assert report["scope"] == "ALL" and house.cut_scopes() == ["ALL"]
    refused = httpx.post(
        f"{house.gateway}/v1/chat/completions",
        headers={"authorization": f"Bearer {house.keys['agent']}", "x-request-id": "story/1"},
        json={"model": model, "messages": []},
        trust_env=False,
    )
    assert refused.status_code == 503 and refused.headers["x-request-id"] == "story/1"
    own = refused.headers["x-portcullis-request-id"]
    assert refused.json()["error"]["request_id"] == own

    def explained():
        done = house.cli(*elsewhere, "explain", own, "--json")
        return done.returncode == 0 and json.loads(done.stdout)

    told = until("the story of the refusal", explained)
    decided = next(step for step in told["steps"] if step["verdict"] == "refused")
    assert (decided["stage"], decided["rule"]) == ("latch", "ALL"), told
    assert decided["incident"] == report["incident"]
    for name in (own, "story/1"):
        assert house.cli_json("explain", name)["id"] == own
    wrong = house.cli(*elsewhere, "restore", "ALL", stdin="00000000\n")
    assert wrong.returncode == 1 and house.cut_scopes() == ["ALL"], wrong.stderr
    code = house.cli("codes", "now", "--restore", "--next").stdout
    done = house.cli(*elsewhere, "restore", "ALL", stdin=code)
    assert done.returncode == 0 and not house.cut_scopes(), done.stderr
    assert house.cli("tokens", "revoke", "night-watch").returncode == 0
    assert house.cli(*elsewhere, "status").returncode == 1


def test_a_token_from_elsewhere_shows_what_the_machine_of_the_house_shows(house):
    path = token(house, "far-away", "admin")
    elsewhere = ("--url", house.dashboard, "--token-file", str(path))
    client = house.openai()
    for _ in range(3):
        client.chat.completions.create(model="steady", messages=[{"role": "user", "content": "hi"}])
    until("three exchanges in the ledger", lambda: house.cli_json("spend")["total"]["exchanges"] >= 3)
    for by in ("consumer", "model", "day"):
        here, there = (house.cli_json(*where, "spend", "--by", by) for where in ((), elsewhere))
        assert (here["rows"], here["total"]) == (there["rows"], there["total"])
    drill = json.loads(house.cli(*elsewhere, "drill", "--json").stdout)
    assert drill["by"].endswith("far-away")
    channels = house.cli_json(*elsewhere, "channels")["channels"]
    assert [it["name"] for it in channels] == [it["name"] for it in house.cli_json("channels")["channels"]]
    assert house.cli_json(*elsewhere, "journal", "verify")["ok"] is True
    assert house.cli_json(*elsewhere, "jobs")["jobs"]
    for words in (("hosts", "list"), ("alerts",), ("zones",)):
        assert house.cli(*elsewhere, *words).returncode == 0, words
    assert house.cli_json(*elsewhere, "config", "reload")["good"] is True
    made = house.cli_json(*elsewhere, "tokens", "create", "made-there", "--days", "1")
    assert made["token"].startswith("pct_") and made["record"]["role"] == "viewer"
    assert house.cli(*elsewhere, "tokens", "revoke", "made-there").returncode == 0
    names = {it["name"]: it["revoked"] for it in house.cli_json("tokens", "list")["tokens"]}
    assert names == {"far-away": None, "made-there": names["made-there"]} and names["made-there"]
    assert house.cli_json(*elsewhere, "codes", "list") == house.cli_json("codes", "list")
    # What needs the machine says so.
    for words in (("codes", "now"), ("sign-in",), ("mesh", "release"), ("hosts", "agent-binary", "add", "node-agent")):
        refused = house.cli(*elsewhere, *words)
        assert refused.returncode == 1 and "machine of the house" in refused.stderr, refused
    for words in (("hosts", "invite", "gpu1", "--zone", "red"), ("config", "chekc")):
        assert house.cli(*elsewhere, *words).returncode == 2, words


def test_the_configuration_is_checked_where_the_house_stands(house):
    path = token(house, "far-away", "admin")
    elsewhere = ("--url", house.dashboard, "--token-file", str(path))
    assert house.cli_json(*elsewhere, "config", "check")["good"] is True
    good = house.config.read_text()
    house.config.write_text(good + "\n[gatewy]\nlisten = 7\n")
    bad = house.cli(*elsewhere, "config", "check", "--json")
    assert bad.returncode == 1, bad
    assert any("gatewy" in json.dumps(it) for it in json.loads(bad.stdout)["mistakes"]), bad.stdout
    people = house.cli(*elsewhere, "config", "check")
    assert people.returncode == 1 and "gatewy" in people.stdout and "nothing was changed" in people.stdout
    assert house.cli(*elsewhere, "config", "check", "--drivers").returncode == 1
    house.config.write_text(good)
    looks = token(house, "looks", "viewer")
    refused = house.cli("--url", house.dashboard, "--token-file", str(looks), "config", "check")
    assert refused.returncode == 1 and "403" in refused.stderr, refused.stderr


def test_the_journal_is_read_before_anybody_looks(house):
    for scope in ("LLM", "agent"):
        house.cut(scope, why="a story")
    entries = len((house.data / "killswitch" / "journal.jsonl").read_text().splitlines())
    house.stop()
    house.start(proven=False)

    def read():
        figures = httpx.get(f"{house.dashboard}/metrics", trust_env=False).text
        found = re.search(r"^portcullis_journal_entries_read (\d+)$", figures, re.MULTILINE)
        return found and int(found.group(1)) >= entries

    # No page was asked for since the start.
    until("the journal to be read", read)


def test_every_list_of_the_api_is_walked_to_its_end(house):
    secret = token(house, "walker", "viewer").read_text().strip()
    house.cut("LLM", why="a story")
    house.cli("restore", "LLM", stdin=house.app().restore() + "\n")
    house.cut("agent", why="another")
    http = httpx.Client(base_url=house.dashboard, headers={"authorization": f"Bearer {secret}"}, trust_env=False)
    paths = http.get("/api/v1/openapi.json").json()["paths"]
    lists = [path for path, way in paths.items() if any(it["name"] == "after" for it in way.get("get", {}).get("parameters", []))]
    assert {"/api/v1/hosts", "/api/v1/alerts", "/api/v1/jobs", "/api/v1/journal", "/api/v1/spend"} <= set(lists)
    for path in lists:
        if path == "/api/v1/events":
            continue
        seen, after = [], {}
        for _ in range(200):
            answer = http.get(path, params={"limit": 2, **after})
            assert answer.status_code == 200, f"{path}: {answer.text}"
            page = answer.json()
            assert len(page["items"]) <= 2
            seen += [json.dumps(it, sort_keys=True) for it in page["items"]]
            if page["next"] is None:
                break
            after = {"after": page["next"]}
        else:
            raise AssertionError(f"{path} has no end")
        assert len(set(seen)) == len(seen), path
    numbers = [it["incident"] for it in http.get("/api/v1/incidents").json()["items"]]
    assert len(numbers) == 2
    story = http.get(f"/api/v1/incidents/{numbers[1]}").json()
    assert story["steps"][0]["what"] == "Cut: LLM" and story["proven_ms"] >= story["severed_ms"]
