"""A newcomer's first minutes: no target configured, and the lines that the first start prints are copied as they are."""

import re
import shutil
import subprocess

import httpx
import pytest
from house import House, toml
from waiting import until


class NewHouse(House):
    """Only where to listen is configured, because the usual ports may be taken here; everything else is built in."""

    def __init__(self):
        super().__init__([], [], consumers=[("agent", [])])

    def write_config(self):
        at = {part: toml(f"127.0.0.1:{port}") for part, port in self.ports.items()}
        text = "".join(f"[{part}]\nlisten = {address}\n" for part, address in at.items() if part != "killswitch")
        text += f"[killswitch]\nlisten = {at['killswitch']}\nagents = [{at['agent']}]\n"
        self.config = self.folder / "portcullis.toml"
        self.config.write_text(text)

    def shown(self):
        return self.child.out.read_text()

    def line_after(self, title):
        """The line to copy below a title."""
        lines = self.shown().splitlines()
        at = next(number for number, line in enumerate(lines) if line.startswith(title))
        return lines[at + 1].strip()


@pytest.fixture
def new_house(request):
    house = NewHouse()
    request.node.houses = [house]
    house.spawn()
    until("the first start to have told everything", lambda: house.child.running() and "Bring it back" in house.shown(), 30)
    house.keys["agent"] = (house.data / "gateway" / "keys" / "agent.key").read_text().strip()
    house.wait_ready()
    until("good canaries", house.canaries_good, 40)
    yield house
    house.close()


def shell(line):
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, (line, done.stdout, done.stderr)
    return done.stdout


def test_the_printed_lines_stream_cut_and_restore(new_house):
    if not shutil.which("curl"):
        pytest.skip("curl is not installed here")
    stream = new_house.line_after("Start a stream")
    out = new_house.folder / "stream.txt"
    with open(out, "w", encoding="utf-8") as target:
        curl = subprocess.Popen(["bash", "-c", "exec " + stream], stdout=target, stderr=subprocess.DEVNULL)
    try:
        until("the demo to speak", lambda: out.read_text().count("data: ") > 5, 20)
        assert "demo" in out.read_text()
        said = shell(new_house.line_after("Cut it"))
        assert re.search(r"CUT ALL .* 1 stream closed, probes (\d+)/\1 dead", said), said
        curl.wait(5)
    finally:
        curl.kill()
    last = out.read_text().rstrip().rsplit("data: ", 1)[1]
    assert '"code":"cut"' in last and '"incident":1' in last
    assert "RESTORED ALL" in shell(new_house.line_after("Bring it back"))
    assert new_house.code_of_models() is None


def test_the_first_start_shows_the_keys_once_and_keeps_everything_private(new_house):
    shown = new_house.shown()
    assert new_house.keys["agent"] in shown
    link = re.search(r"http://\S+/sign-in\?token=\S+", shown).group(0)
    assert httpx.get(link, trust_env=False).status_code == 200
    for verb in ("kill", "restore"):
        assert (new_house.data / "killswitch" / "enrol" / f"owner-{verb}.svg").read_text().lstrip().startswith("<")
    for path in [new_house.data, *new_house.data.rglob("*")]:
        assert path.stat().st_mode & 0o077 == 0, f"{path} is open to others"
    new_house.stop()
    new_house.spawn()
    new_house.wait_ready()
    until("the second start to have told everything", lambda: "is up" in new_house.shown())
    again = new_house.shown()
    assert new_house.keys["agent"] not in again and "token=" not in again


def test_every_answer_and_the_list_of_models_say_that_it_is_a_demo(new_house):
    client = new_house.openai()
    assert [model.id for model in client.models.list()] == ["portcullis-demo"]
    answer = client.chat.completions.create(model="portcullis-demo", messages=[{"role": "user", "content": "hello"}])
    assert answer.choices[0].message.content.startswith("[demo model]")
