"""Faults of the paths: addresses that change, streams that stall, ways round the gateway, hosts that lie."""

import json
import re
import secrets
import socket
import threading

import httpx
from fault import CannotInject, Fault
from house import PUBLIC_URL, TWILIO_TOKEN
from phone import TwilioPhone
from streams import RawStream


class SecretRotated(Fault):
    number, what = "F5", "the provider's secret was rotated: it signs with the next one"

    def prepare(self, site):
        self.next = secrets.token_hex(16)
        path = site.secret("next.token", self.next)
        site.extra["rotated"] = (
            f'[[killswitch.channels]]\nname = "rotated"\nkind = "twilio"\npublic_url = {json.dumps(PUBLIC_URL)}\n'
            f'secret_file = {json.dumps(site.secret("old.token", TWILIO_TOKEN))}\nnext_secret_file = {json.dumps(path)}'
        )
        site.write_config()

    def inject(self, site):
        site.by_twilio = lambda: TwilioPhone(site.kill_switch, "rotated", PUBLIC_URL, self.next).text(site.message())


class ProxyChanges(Fault):
    number, what = "F6", "the reverse proxy passes another host, port and scheme on"

    def inject(self, site):
        phone = site.twilio()

        def text():
            form = phone.form(site.message())
            headers = {
                "X-Twilio-Signature": phone.signature(form),
                "Host": "internal.lan:8443",
                "X-Forwarded-Host": "elsewhere.example",
                "X-Forwarded-Proto": "http",
                "X-Forwarded-Port": "81",
            }
            answer = httpx.post(phone.address, data=form, headers=headers, timeout=8, trust_env=False)
            assert answer.status_code == 200, answer.status_code
            return answer.text

        site.by_twilio = text


class WayRound(Fault):
    number, what = "F13", "an agent has a way past the gateway, and nothing closes it: the reply must name it"

    def prepare(self, site):
        self.listener = socket.create_server(("127.0.0.1", 0))
        address = json.dumps(f"127.0.0.1:{self.listener.getsockname()[1]}")
        agent = json.dumps(f"127.0.0.1:{site.ports['agent']}")
        site.rewrites.append(("[agent]\n", f"[agent]\ndirect = [{address}]\n"))
        site.late["direct"] = f'[[killswitch.direct]]\nname = "past"\nscope = "ALL"\nvia = {agent}\naddress = {address}'
        site.write_config()

    def afterwards(self, site):
        if site.said.startswith("CUT"):
            # A text has room for two names; where more is open, the rest is counted.
            named = "past" in site.said or re.search(r"\+\d", site.said)
            assert "PARTIAL" in site.said and "STILL OPEN" in site.said and named, site.said

    def mend(self, site):
        if hasattr(self, "listener"):
            self.listener.close()


class StalledStreams(Fault):
    number, what = "F12", "streams that say nothing, and clients that do not read"

    def inject(self, site):
        self.streams = []
        for model in ("stall", "steady"):
            body = json.dumps({"model": model, "stream": True, "max_tokens": 1_000_000, "messages": [{"role": "user", "content": "go on"}]})
            end = socket.create_connection(("127.0.0.1", site.ports["gateway"]), timeout=5)
            end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {site.keys['agent']}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
            end.sendall((head + body).encode())
            self.streams.append(end)

    def afterwards(self, site):
        # Whatever was in the sockets is read to an end: a stream that goes on would never end.
        for end in self.streams:
            end.settimeout(5)
            heard = b""
            try:
                while more := end.recv(65536):
                    heard = (heard + more)[-4096:]
            except ConnectionError:
                pass
            except TimeoutError:
                # A gateway that hung when it was asked took this for a new request: refused, on a connection that stays.
                assert heard.startswith(b"HTTP/1.1 503"), "a stream goes on"

    def mend(self, site):
        for end in getattr(self, "streams", []):
            end.close()


class ShellOnLabHost(Fault):
    number, what = "F19", "an agent with a shell sends orders, restores and rubbish of its own"

    def inject(self, site):
        for port in site.ports.values():
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=1) as end:
                    end.sendall(b"\0" * 2048)
            except OSError:
                pass
        self.forge(site)

    def forge(self, site):
        order = "portcullis-order 1\nseq 99999999999999\nissued 0\nexpires 99999999999999\nlease 99999999999999\nnonce " + "0" * 32 + "\nsig " + "0" * 128 + "\n"
        for address, content in (
            (f"http://127.0.0.1:{site.ports['agent']}/v1/orders", order),
            (f"{site.kill_switch}/v1/inbound/local", '{"text":"RESTORE ALL 12345678"}'),
            (f"{site.kill_switch}/v1/peer", "portcullis-peer 1\n"),
        ):
            try:
                answer = httpx.post(address, content=content, timeout=2, trust_env=False)
                assert answer.status_code >= 400, (address, answer.status_code)
            except httpx.HTTPError:
                pass

    def afterwards(self, site):
        self.forge(site)


class SecondPath(Fault):
    number, what = "F22", "the gateway is also reached over IPv6, with a stream there"

    def prepare(self, site):
        if not socket.has_ipv6:
            raise CannotInject("this machine has no IPv6")
        port = site.ports["gateway"]
        site.rewrites.append((f'[gateway]\nlisten = "127.0.0.1:{port}"', f'[gateway]\nlisten = "[::]:{port}"'))
        key = json.dumps(str(site.data / "gateway" / "probe.key"))
        site.late["vantages"] = "\n".join(
            f'[[killswitch.vantages]]\ngateway = "{host}:{port}"\nprobe_key_file = {key}' for host in ("127.0.0.1", "[::1]")
        )
        site.write_config()
        self.address = f"http://[::1]:{port}"

    def ask(self, site):
        headers = {"authorization": f"Bearer {site.keys['agent']}"}
        return httpx.get(f"{self.address}/v1/models", headers=headers, timeout=2, trust_env=False).status_code

    def inject(self, site):
        if site.parts["gateway"].running() and "killswitch" not in site.dead:
            try:
                assert self.ask(site) == 200, "IPv6 leads nowhere, so its closing would show nothing"
            except httpx.TimeoutException:
                pass  # the gateway hangs by another fault

    def afterwards(self, site):
        try:
            assert self.ask(site) != 200, "open over IPv6"
        except httpx.HTTPError:
            pass  # nobody listens any more


class ReplyCannotBeSent(Fault):
    number, what = "F20", "the provider takes no replies: the text is one whose reply goes by another call"

    def inject(self, site):
        site.broken |= {"twilio"}
