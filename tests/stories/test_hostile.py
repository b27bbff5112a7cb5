"""Rubbish on every port, bodies without end, connections that never finish: the house stays up and a text still cuts."""

import os
import random
import socket
import time

import httpx
import pytest
from phone import proven
from streams import QUESTION, RawStream
from waiting import until


def raw(port, data, limit=2.0):
    """Sends bytes, gives what comes back until the other side closes or falls silent."""
    with socket.create_connection(("127.0.0.1", port), timeout=limit) as end:
        back = b""
        try:
            end.sendall(data)
            while chunk := end.recv(65536):
                back += chunk
                if len(back) > 1 << 20:
                    break
        except OSError:
            pass
        return back


def test_rubbish_on_every_port_changes_nothing(house):
    chance = random.Random(7)
    blobs = [
        b"\0" * 4096,
        os.urandom(8192),
        b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 5000 + b"\r\n",
        b"POST /v1/orders HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999999999999\r\n\r\n",
        b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"GET /../../etc/passwd HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        bytes(chance.randrange(256) for _ in range(300)) + b"\r\n\r\n",
    ]
    stream = RawStream(house).flowing()
    for port in house.ports.values():
        for blob in blobs:
            raw(port, blob, 0.3)
    assert house.child.running()
    assert house.cut_scopes() == [] and house.code_of_models() is None
    assert stream.ended is None
    proven(house.twilio().text(f"KILL ALL {house.app().kill()}"), "ALL")


def test_rubbish_on_the_owners_sockets_changes_nothing(house):
    lines = [b"\n", b"{}\n", b'{"ask":"cut"}\n', b'{"ask":"cut","scope":"no such scope!","by":"x","why":"y"}\n', b"\xff" * 100 + b"\n", b"[" * 5000 + b"\n"]
    for path in ("killswitch/lever.sock", "gateway/control.sock"):
        for line in lines:
            with socket.socket(socket.AF_UNIX) as end:
                end.settimeout(3)
                end.connect(str(house.data / path))
                try:
                    end.sendall(line)
                    end.recv(4096)
                except OSError:
                    pass
    assert house.cut_scopes() == [] and house.code_of_models() is None
    assert (house.data / "killswitch" / "lever.sock").stat().st_mode & 0o077 == 0
    assert (house.data / "gateway" / "control.sock").stat().st_mode & 0o077 == 0


def test_unsigned_orders_are_refused(house):
    address = f"http://127.0.0.1:{house.ports['agent']}/v1/orders"
    order = "portcullis-order 1\nseq 99999999999999\nissued 0\nexpires 99999999999999\nlease 99999999999999\nnonce " + "0" * 32 + "\nsig " + "0" * 128 + "\n"
    for body in ("", "x", order, order * 400):
        answer = httpx.post(address, content=body, trust_env=False)
        assert answer.status_code in (400, 403, 413), (len(body), answer.status_code)
    assert house.code_of_models() is None


def test_bodies_past_their_bound_are_refused(house):
    form = house.twilio().form("x" * 70_000)
    assert house.twilio().post(form).status_code == 413
    headers = {"authorization": f"Bearer {house.keys['agent']}", "content-type": "application/json"}
    body = b'{"model":"steady","messages":[{"role":"user","content":"' + b"x" * (33 << 20) + b'"}]}'
    try:
        answer = httpx.post(f"{house.gateway}/v1/chat/completions", content=body, headers=headers, timeout=30, trust_env=False)
        assert answer.status_code == 413
    except httpx.WriteError:
        pass  # refused before all of it was read
    for wrong in (b"", b"[]", b"{}", b'{"model":7}', b"\xff"):
        answer = httpx.post(f"{house.gateway}/v1/chat/completions", content=wrong, headers=headers, trust_env=False)
        assert answer.status_code == 400, (wrong, answer.text)
        assert answer.json()["error"]["message"]


def test_connections_that_never_finish_do_not_delay_a_text(house):
    held = []
    for port in (house.ports["killswitch"], house.ports["gateway"]):
        for _ in range(150):
            end = socket.create_connection(("127.0.0.1", port), timeout=2)
            end.sendall(b"POST /v1/inbound/twilio HTTP/1.1\r\nhost: x\r\n")
            held.append(end)
    stream = RawStream(house).flowing()
    began = time.monotonic()
    proven(house.twilio().text(f"KILL ALL {house.app().kill()}"), "ALL")
    took = time.monotonic() - began
    stream.end()
    print(f"a text among 300 unfinished connections took {1000 * took:.0f} ms")
    for end in held:
        end.close()


def test_a_client_that_stops_reading_is_cut_and_its_upstream_let_go(house, scripted):
    body = b'{"model":"flood","stream":true,"messages":[]}'
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {house.keys['agent']}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", house.ports["gateway"])) as end:
        end.sendall(head.encode() + body)
        end.recv(1024)
        before = len(scripted.exchanges())
        _, streams = proven(house.twilio().text(f"KILL LLM {house.app().kill()}"), "LLM")
        assert streams == 1
        until("the upstream to be let go", lambda: [one for one in scripted.exchanges()[before:] if one["model"] == "flood"], 2)
    ended = [one for one in scripted.exchanges()[before:] if one["model"] == "flood"][-1]
    assert ended["end"] == "aborted"


def test_a_client_that_leaves_ends_its_upstream(house, scripted):
    before = len(scripted.exchanges())
    with pytest.raises(httpx.TimeoutException):
        headers = {"authorization": f"Bearer {house.keys['agent']}"}
        httpx.post(
            f"{house.gateway}/v1/chat/completions",
            json={"model": "silent", "messages": QUESTION},
            headers=headers,
            timeout=0.5,
            trust_env=False,
        )
    until("the upstream to notice", lambda: [one for one in scripted.exchanges()[before:] if one["model"] == "silent"], 3)
