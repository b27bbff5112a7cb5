"""A cut outlives reloads, restarts, dead parts and damaged state."""

import re
import shutil

import httpx
import pytest
from phone import proven
from streams import RawStream
from waiting import until


def test_a_cut_outlives_a_reload_and_a_restart(house):
    incident = house.cut("ALL")["incident"]
    house.routes.append(("extra", ["extra*"], ["lab"]))
    house.consumers[0] = ("agent", ["chat", "extra"])
    house.write_config()
    house.reload()
    until("the new route to be known", lambda: "extra" in house.observe()["routes"])
    assert house.code_of_models() == "cut"
    house.stop()
    house.start(proven=False)
    assert house.code_of_models() == "cut"
    assert [latch["incident"] for latch in house.state()["latches"]] == [incident]
    house.child.kill()
    house.start(proven=False)
    assert house.code_of_models() == "cut"
    assert house.twilio().text(f"RESTORE ALL {house.app().restore()}").startswith("RESTORED ALL")
    assert house.code_of_models() is None


def test_a_reload_touches_no_open_stream_and_a_bad_file_changes_nothing(house):
    stream = RawStream(house).flowing()
    good = house.config.read_text()
    house.config.write_text(good + "\n[gatewy]\nlisten = 7\n")
    house.reload()
    until("the problem in the log", lambda: "gatewy" in house.child.err.read_text())
    assert house.code_of_models() is None
    check = house.cli("config", "check")
    assert check.returncode != 0 and "gatewy" in check.stdout + check.stderr
    house.config.write_text(good)
    house.reload()
    seen = len(stream.text)
    until("the stream to go on", lambda: len(stream.text) > seen + 500)
    assert stream.ended is None


def deleted(folder):
    for name in ("latch.a", "latch.b"):
        (folder / name).unlink()


def one_deleted(folder):
    (folder / "latch.a").unlink()


def garbled(folder):
    for name in ("latch.a", "latch.b"):
        (folder / name).write_bytes(b"\0garbage\xff" * 100)


def emptied(folder):
    for name in ("latch.a", "latch.b"):
        (folder / name).write_bytes(b"")


def journal_deleted(folder):
    (folder / "journal.jsonl").unlink()


def journal_changed(folder):
    path = folder / "journal.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    lines[0] = lines[0].replace("started", "Started", 1)
    path.write_text("".join(lines))


def all_deleted(folder):
    deleted(folder)
    journal_deleted(folder)


@pytest.mark.parametrize("damage", [deleted, one_deleted, garbled, emptied, journal_deleted, all_deleted])
def test_damaged_state_comes_up_cut_and_says_why(house, damage):
    house.stop()
    damage(house.data / "killswitch")
    house.start(proven=False)
    assert house.code_of_models() == "cut"
    assert house.cut_scopes() == ["ALL"]
    warnings = " ".join(house.state()["warnings"])
    assert re.search("latch|journal|state", warnings), warnings
    shown = house.cli("status")
    assert shown.returncode == 0 and "ALL" in shown.stdout and re.search("latch|journal|state", shown.stdout), shown.stdout
    assert re.search('"(doubts|why)":', house.journal())
    # Cut means cut: it is opened like any other, and the incident is a new one.
    assert house.twilio().text(f"RESTORE ALL {house.app().restore()}").startswith("RESTORED ALL")
    assert house.code_of_models() is None


def test_a_changed_journal_is_found(house):
    house.cut("LLM")
    house.stop()
    assert house.cli("journal", "verify").returncode == 0
    journal_changed(house.data / "killswitch")
    broken = house.cli("journal", "verify")
    assert broken.returncode == 1
    assert re.search(r"line 1\b", broken.stdout + broken.stderr), broken


def test_the_agent_alone_keeps_the_cut_when_its_own_state_is_lost(house):
    house.cut("ALL")
    house.child.kill()
    deleted(house.data / "agent")
    house.start(proven=False)
    assert house.code_of_models() == "cut"


def test_a_lost_kill_switch_folder_opens_nothing(house):
    house.cut("ALL")
    house.child.kill()
    shutil.rmtree(house.data / "killswitch")
    house.spawn()
    until("a clear refusal to start", lambda: not house.child.running(), 20)
    assert house.child.process.returncode not in (0, None)
    assert "killswitch" in house.child.err.read_text()


def test_parts_without_a_control_plane_still_cut(house):
    house.stop()
    house.start("serve", "killswitch", "agent", "gateway")
    with pytest.raises(httpx.TransportError):
        httpx.get(f"{house.dashboard}/healthz", trust_env=False)
    stream = RawStream(house).flowing()
    assert house.cli("cut", "ALL").returncode == 0
    assert stream.end().last()["error"]["code"] == "cut"
    proven_reply = house.twilio().text(f"KILL LLM {house.app().kill()}")
    proven(proven_reply, "LLM")
    assert house.code_of_models() == "cut"


def test_a_broken_database_stops_no_cut(house):
    house.stop()
    for name in ("portcullis.db", "portcullis.db-wal", "portcullis.db-shm"):
        (house.data / "controlplane" / name).unlink(missing_ok=True)
    (house.data / "controlplane" / "portcullis.db").write_bytes(b"this is no database" * 500)
    house.start()
    stream = RawStream(house).flowing()
    proven(house.twilio().text(f"KILL ALL {house.app().kill()}"), "ALL")
    assert stream.end().last()["error"]["code"] == "cut"


def test_a_second_start_prints_no_secret(house):
    until("the first start to have told everything", lambda: "sign-in?token=" in house.child.out.read_text())
    house.stop()
    house.start(proven=False)
    until("the second start to have told everything", lambda: "dashboard" in house.child.out.read_text())
    second = house.child.out.read_text() + house.child.err.read_text()
    people = (house.data / "killswitch" / "people.json").read_text()
    secrets = re.findall(r'"secret":\s*"([A-Z2-7]+)"', people)
    assert len(secrets) == 2
    channel = (house.data / "killswitch" / "channels" / "local.secret").read_text().strip()
    for secret in [*secrets, *house.keys.values(), channel]:
        assert secret not in second
    assert "otpauth" not in second and "token=" not in second


def test_only_one_may_run_on_a_state_folder(house):
    again = house.cli("up", limit=20)
    assert again.returncode == 1, again
    assert str(house.data) in again.stderr + again.stdout
    assert house.code_of_models() is None
