"""Providers of texts: an HTTP server on loopback that keeps what it is asked, and answers as a story says."""

import http.server
import json
import threading
from urllib.parse import parse_qsl

from waiting import until


class Asked:
    """One request."""

    def __init__(self, method, path, headers, body):
        self.method, self.path, self.body = method, path, body
        self.headers = {name.lower(): value for name, value in headers.items()}

    def fields(self):
        """What the body says, whether it is JSON or a form."""
        if "json" in self.headers["content-type"]:
            return json.loads(self.body)
        return dict(parse_qsl(self.body.decode()))

    def json(self):
        return json.loads(self.body)


class Provider:
    """Answers every request with what `answer(asked)` gives: a status and an object for JSON."""

    def __init__(self, answer):
        self.asked = []
        self.answer = answer
        provider = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                asked = Asked(self.command, self.path, self.headers, body)
                provider.asked.append(asked)
                status, content = provider.answer(asked)
                content = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(content)))
                try:
                    self.end_headers()
                    self.wfile.write(content)
                except BrokenPipeError:
                    pass  # Who asked has stopped meanwhile.

            do_GET = do_POST

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.host = f"127.0.0.1:{self.server.server_port}"
        self.url = f"http://{self.host}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def wait(self, what, wanted, limit=30.0):
        return until(what, lambda: next((asked for asked in self.asked if wanted(asked)), None), limit)

    def newest(self, work):
        """Does the work; gives the one request it made."""
        before = len(self.asked)
        work()
        made = self.asked[before:]
        assert len(made) == 1, [(asked.method, asked.path) for asked in made]
        return made[0]

    def close(self):
        self.server.shutdown()
        self.server.server_close()
