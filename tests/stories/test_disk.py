"""A full disk, a disk that takes no writes, and one that hangs: the cut happens all the same, a restore does not."""

import os
import subprocess
import tempfile
import time
from pathlib import Path

import httpx
import pytest
from phone import proven
from streams import RawStream
from waiting import until


def run(*command):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)


def needs(what, *command):
    """Runs a privileged command; where that is not possible the story is skipped with the reason."""
    done = run(*command)
    if done.returncode != 0:
        pytest.skip(f"{what} is not possible here: {done.stderr.strip() or done.returncode}")


@pytest.fixture
def disk():
    """A file system of its own, 24 MB, that can be filled and frozen."""
    if os.geteuid() != 0:
        pytest.skip("a file system of its own needs root")
    image = Path(tempfile.mkstemp(prefix="pc-disk-")[1])
    folder = Path(tempfile.mkdtemp(prefix="pc-m-"))
    image.write_bytes(b"")
    os.truncate(image, 24 << 20)
    try:
        needs("making a file system", "mkfs.ext4", "-q", "-m", "0", image)
        needs("mounting it", "mount", "-o", "loop", image, folder)
        yield folder
        until("the file system to be free", lambda: run("umount", folder).returncode == 0)
    finally:
        image.unlink()
        folder.rmdir()


def fill(folder):
    """Leaves no byte free."""
    for size in (1 << 20, 1 << 12, 1):
        with open(folder / f"fill-{size}", "wb", buffering=0) as heap:
            try:
                while True:
                    heap.write(b"\0" * size)
            except OSError:
                continue


def empty(folder):
    for path in folder.glob("fill-*"):
        path.unlink()


@pytest.fixture
def cramped(build, scripted, disk):
    """A house whose state stands on that disk."""
    house = build([("lab", "local", scripted)], [("chat", ["*"], ["lab"])], data=disk / "d").start()
    until("all parts", lambda: (house.data / "run.json").exists() and httpx.get(f"{house.dashboard}/healthz", trust_env=False))
    yield house, disk
    house.child.kill()


def test_on_a_full_disk_a_cut_happens_and_holds(cramped):
    house, disk = cramped
    stream = RawStream(house).flowing()
    fill(disk)
    incident, streams = proven(house.twilio().text(f"KILL LLM {house.app().kill()}"), "LLM")
    assert streams == 1
    assert stream.end().last()["error"]["incident"] == incident
    assert house.code_of_models() == "cut"
    # Space was set aside for the latch beforehand: it outlives the process even here.
    house.child.kill()
    empty(disk)
    house.start(proven=False)
    assert "LLM" in house.cut_scopes() or "ALL" in house.cut_scopes()
    assert house.code_of_models() == "cut"


def test_a_full_disk_is_told_and_many_cuts_still_happen(cramped):
    house, disk = cramped
    fill(disk)
    # Enough of them to use up what was set aside.
    for number in range(60):
        house.cut("LLM" if number % 2 else "ALL", why="x" * 150)
        fill(disk)
    assert house.cut_scopes() == ["ALL", "LLM"]
    assert house.code_of_models() == "cut"
    house.child.kill()
    empty(disk)
    house.start(proven=False)
    assert house.code_of_models() == "cut"
    assert house.cli("journal", "verify").returncode == 0


def test_it_starts_on_a_full_disk_and_the_cut_holds(cramped):
    house, disk = cramped
    house.cut("LLM")
    house.child.kill()
    fill(disk)
    house.start(proven=False)
    assert house.cut_scopes() == ["LLM"]
    assert house.code_of_models() == "cut"
    assert house.twilio().text(f"KILL ALL {house.app().kill()}").startswith("CUT ALL")
    # Still there a while later: nothing that could not be written ended the process.
    time.sleep(1)
    assert house.code_of_models() == "cut"


@pytest.fixture
def frozen_state(house):
    """State files that refuse every write, also through what is open already (the immutable flag)."""
    marked = []

    def freeze():
        for folder in (house.data / "killswitch", house.data / "agent"):
            for path in [*(p for p in folder.iterdir() if p.is_file() and not p.is_socket()), folder]:
                needs("the immutable flag", "chattr", "+i", path)
                marked.append(path)

    yield freeze
    for path in reversed(marked):
        run("chattr", "-i", path)


def test_with_read_only_state_a_cut_happens_and_a_restore_does_not(house, frozen_state):
    house.cut("CLOUD")
    stream = RawStream(house).flowing()
    frozen_state()
    reply = house.twilio().text(f"KILL LLM {house.app().kill()}")
    assert reply.startswith("CUT LLM") and "PARTIAL" not in reply and "NOT ON DISK" in reply, reply
    assert stream.end().last()["error"]["code"] == "cut"
    assert house.code_of_models() == "cut"
    warnings = " ".join(house.state()["warnings"])
    assert "written" in warnings or "journal" in warnings, warnings
    assert house.cli("status").stdout.count("written") or "journal" in house.cli("status").stdout
    refused = house.twilio().text(f"RESTORE LLM {house.app().restore()}")
    assert refused is None or not refused.startswith("RESTORED"), refused
    assert house.cut_scopes() == ["CLOUD", "LLM"]
    assert house.code_of_models() == "cut"


def test_a_disk_that_hangs_does_not_delay_a_cut(cramped):
    house, disk = cramped
    stream = RawStream(house).flowing()
    # Thaws by itself, should this story be ended in the middle.
    thaw = subprocess.Popen(["sh", "-c", f"sleep 40; fsfreeze -u {disk}"], stderr=subprocess.DEVNULL)
    needs("freezing a file system", "fsfreeze", "-f", disk)
    try:
        began = time.monotonic()
        reply = house.twilio().text(f"KILL LLM {house.app().kill()}")
        answered = time.monotonic()
        stream.end()
        assert reply.startswith("CUT LLM"), reply
        print(f"stream ended {1000 * (stream.ended - began):.0f} ms, reply came {1000 * (answered - began):.0f} ms after the text")
        assert stream.ended - began < 1.5, "the cut waited for the disk"
        assert house.code_of_models() == "cut"
    finally:
        run("fsfreeze", "-u", disk)
        thaw.kill()
        thaw.wait()
    until("the record to catch up", lambda: '"is":"cut"' in house.journal())
