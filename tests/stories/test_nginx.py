"""The real nginx, driven by an agent of its own: the official client streams through it, a text cuts, another restores.

nginx, `node-agent run` and `portcullis serve killswitch` are processes of their own, as in a house.
"""

import secrets
import signal
from pathlib import Path

import httpx
import pytest
from driven import BreakingStream, DrivenSite, may_sever
from house import House
from openai import APIStatusError, OpenAI
from peers import built
from streams import QUESTION
from waiting import Child, free_ports, until

NGINX = "/usr/sbin/nginx"

pytestmark = pytest.mark.skipif(not Path(NGINX).exists(), reason=f"no {NGINX}")


class Site(DrivenSite):
    """nginx; `claw` by `chat`, `paw` by `side`."""

    def __init__(self, scripted):
        (self.port,) = free_ports(1)
        super().__init__(scripted, {"claw": "chat", "paw": "side"}, f"127.0.0.1:{self.port}")
        self.folder.chmod(0o755)
        self.overlay = self.folder / "ours" / "overlay.conf"
        self.write_nginx(scripted)
        self.write_agent(f"""
kind = "nginx"
overlay = "{self.overlay}"
program = "{NGINX}"
conf = "{self.folder}/nginx.conf"
pid = "{self.folder}/nginx.pid"
""")
        self.write_kill_switch()

    def write_nginx(self, scripted):
        temporary = "".join(f"{what}_temp_path {self.folder}/{what};\n" for what in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        ways = "".join(
            f"location /{route}/ {{ proxy_pass http://127.0.0.1:{scripted.port}/; proxy_http_version 1.1; proxy_buffering off; }}\n"
            for route in ("chat", "side")
        )
        (self.folder / "nginx.conf").write_text(f"""
daemon off;
worker_processes 2;
pid {self.folder}/nginx.pid;
error_log {self.folder}/nginx.err;
events {{ worker_connections 256; }}
http {{
access_log off;
{temporary}
server {{
listen 127.0.0.1:{self.port};
include {self.overlay};
{ways}
}}
}}
""")

    def start(self):
        self.start_agent()
        until("the agent's file for nginx", self.overlay.exists, 20)
        self.nginx = Child([NGINX, "-c", self.folder / "nginx.conf"], self.folder, "nginx", House.env())
        self.start_kill_switch()
        self.until_proven()
        return self

    def client(self, name="claw", route="chat"):
        base = f"http://127.0.0.1:{self.port}/{route}/v1"
        return OpenAI(base_url=base, api_key=self.keys[name], max_retries=0, timeout=60)

    def status(self, name, route):
        key = {"authorization": f"Bearer {self.keys[name]}"}
        return httpx.get(f"http://127.0.0.1:{self.port}/{route}/v1/models", headers=key, trust_env=False).status_code

    def close(self):
        if hasattr(self, "nginx"):
            # Its workers end with it, where it is asked and not killed.
            self.nginx.process.send_signal(signal.SIGTERM)
            self.nginx.process.wait(10)
        super().close()


@pytest.fixture
def site(request, scripted):
    site = Site(scripted)
    request.node.houses = [site]
    try:
        yield site.start()
    finally:
        site.close()


def refused(site, name="claw", route="chat"):
    """What the official client is told: the incident, by header and by body."""
    with pytest.raises(APIStatusError) as told:
        site.client(name, route).chat.completions.create(model="steady", max_tokens=2, messages=QUESTION)
    answer = told.value.response
    assert answer.status_code == 503, answer.text
    error = answer.json()["error"]
    assert error["code"] == "cut" and answer.headers["retry-after"] == "30", answer.text
    assert answer.headers["x-portcullis-incident"] == str(error["incident"])
    return error["incident"]


def test_a_text_cuts_an_nginx_and_its_streams_with_proof_and_another_restores_it(site, scripted):
    stream = BreakingStream(site.client(), "steady").flowing()
    reply = site.phone().text(f"KILL ALL {site.app().kill()}")
    assert reply.startswith("CUT"), reply
    assert f"#{refused(site)}" in reply and f"#{refused(site, 'paw', 'side')}" in reply, reply
    if may_sever():
        assert isinstance(stream.end().error, httpx.TransportError)
        until("the upstream to be left", lambda: scripted.exchanges()[-1]["end"] == "aborted", 5)
        assert "PARTIAL" not in reply and "UNPROVEN" not in reply, reply
    else:
        # Nobody here may end sockets of others: then it is said, and never CUT alone.
        assert "PARTIAL" in reply, reply
        assert stream.ended is None
    reply = site.phone().text(f"RESTORE ALL {site.app().restore()}")
    assert reply.startswith("RESTORED ALL"), reply
    until("claw to be served again", lambda: site.status("claw", "chat") == 200, 10)


def test_a_cut_of_one_consumer_leaves_the_other_open_and_is_proven_by_its_own_way(site):
    reply = site.phone().text(f"KILL claw {site.app().kill()}")
    assert reply.startswith("CUT") and "PARTIAL" not in reply, reply
    refused(site)
    # A worker from before nginx was told of paw may answer once more; it closes what it does not know.
    until("paw to be served", lambda: site.status("paw", "side") == 200, 20)
    # Whoever comes with a key that nginx does not know might be it.
    site.keys["claw"] = "pck_" + secrets.token_hex(24)
    assert site.status("claw", "chat") == 503


def test_with_its_agent_dead_an_nginx_closes_by_itself_and_opens_when_it_is_back(site):
    assert site.status("claw", "chat") == 200
    site.agent_child.kill()
    until("the lease to run out", lambda: site.status("claw", "chat") == 503, 60, 0.5)
    again = Child([built("node-agent"), "run", "--config", site.agent], site.folder, "agent", House.env())
    site.children.append(again)
    until("claw to be served again", lambda: site.status("claw", "chat") == 200, 30)


def test_a_changed_file_is_taken_while_the_agent_runs_and_what_is_cut_stays_cut(site):
    assert site.phone().text(f"KILL claw {site.app().kill()}").startswith("CUT")
    log, good = site.folder / "agent.err", site.agent.read_text()
    site.agent.write_text(good.replace('class = "local"', 'class = "locl"').replace('models = ["*"]', 'moddels = ["*"]', 1))
    said = until("the mistakes", lambda: "was not taken" in log.read_text() and log.read_text(), 20)
    assert "locl" in said and "moddels" in said, said
    until("paw to be served", lambda: site.status("paw", "side") == 200, 20)
    assert site.status("claw", "chat") == 503, "what was in force stays"
    # While claw is cut, whoever comes with a key that nginx does not know might be it.
    old, site.keys["paw"] = site.keys["paw"], "pck_" + secrets.token_hex(24)
    assert site.status("paw", "side") == 503
    (site.folder / "paw.key").write_text(site.keys["paw"] + "\n")
    site.agent.write_text(good)
    until("paw by its new key", lambda: site.status("paw", "side") == 200, 40)
    assert site.status("claw", "chat") == 503
    site.keys["paw"] = old
    assert site.status("paw", "side") == 503, "the old key is nobody's"
