"""A mesh that is made up: the service of this machine behind a unix socket, and a Headscale server that speaks `/api/v1`."""

import json
import queue
import re
import socketserver
import tempfile
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

KEY = "hskey-api-of-the-tests"
NEVER = "0001-01-01T00:00:00Z"


class Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def say(self, value, status=200):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Service:
    """Tailscale's LocalAPI as it answers any local user: `status`, `prefs` and the stream of changes."""

    class Socket(socketserver.ThreadingUnixStreamServer):
        daemon_threads = True

    def __init__(self, own):
        self.path = Path(tempfile.mkdtemp(prefix="pc-mesh-")) / "s"
        self.changes = queue.Queue()
        service = self
        peer = {
            "ID": f"n{own['id']}CNTRL",
            "HostName": own["name"],
            "DNSName": f"{own['name']}.house.example.",
            "OS": "linux",
            "TailscaleIPs": own["ipAddresses"],
            "AllowedIPs": [f"{address}/32" for address in own["ipAddresses"]],
            "Online": True,
        }
        status = {"BackendState": "Running", "TailscaleIPs": own["ipAddresses"], "Self": peer, "Health": [], "Peer": None, "User": None}

        class Handler(Answering):
            def do_GET(self):
                question = self.path.removeprefix("/localapi/v0/").split("?")[0]
                if question == "watch-ipn-bus":
                    service.stream(self)
                elif question in ("status", "prefs"):
                    self.say({"status": status, "prefs": {"RouteAll": False, "RunSSH": False}}[question])
                else:
                    self.say({"error": "not found"}, 404)

        self.server = self.Socket(str(self.path), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stream(self, handler):
        handler.send_response(200)
        handler.send_header("transfer-encoding", "chunked")
        handler.end_headers()
        while (line := self.changes.get()) is not None:
            handler.wfile.write(f"{len(line):x}\r\n{line}\r\n".encode())
        handler.close_connection = True

    def change(self):
        """Tells whoever follows that a peer changed."""
        self.changes.put('{"PeerChangedPatch":[]}\n')

    def stop(self):
        self.changes.put(None)
        self.server.shutdown()
        self.server.server_close()
        self.path.unlink()
        self.path.parent.rmdir()


class Headscale:
    """Nodes, keys for joining and the policy (database mode), behind an API key. Notes every question."""

    def __init__(self, nodes, join_keys, policy):
        self.nodes = {node["id"]: node for node in nodes}
        self.join_keys, self.policy = join_keys, policy
        self.asked, self.lock = [], threading.Lock()
        headscale = self

        class Handler(Answering):
            def answer(self):
                length = int(self.headers.get("content-length") or 0)
                body = json.loads(self.rfile.read(length) or b"null")
                with headscale.lock:
                    headscale.asked.append(f"{self.command} {self.path}")
                    if self.headers.get("authorization") == f"Bearer {KEY}":
                        self.say(*headscale.answer(self.command, self.path, body))
                    else:
                        self.say({"code": 16, "message": "Unauthorized", "details": []}, 401)

            do_GET = do_POST = do_PUT = answer

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, method, path, body):
        match method, path.removeprefix("/api/v1/"):
            case "GET", "node":
                return ({"nodes": list(self.nodes.values())},)
            case "POST", step if found := re.fullmatch(r"node/(\d+)/(expire|approve_routes)", step):
                node = self.nodes.get(found[1])
                if node is None:
                    return {"code": 5, "message": "node not found", "details": []}, 404
                if found[2] == "expire":
                    node["expiry"] = datetime.now(UTC).isoformat()
                else:
                    node["approvedRoutes"] = node["subnetRoutes"] = body["routes"]
                return ({"node": node},)
            case "GET", "preauthkey":
                return ({"preAuthKeys": self.join_keys},)
            case "POST", "preauthkey/expire":
                self.join_keys = [key for key in self.join_keys if key["id"] != body["id"]]
                return ({},)
            case "GET", "policy":
                return ({"policy": self.policy, "updatedAt": NEVER},)
            case "POST", "policy/check":
                return ({},)
            case "PUT", "policy":
                self.policy = body["policy"]
                return ({"policy": self.policy, "updatedAt": NEVER},)
        return {"code": 12, "message": "Not Implemented", "details": []}, 501

    def changes(self):
        """What was asked that changes something."""
        return [asked for asked in list(self.asked) if not asked.startswith("GET ") and not asked.endswith("/check")]

    def looks(self):
        return self.asked.count("GET /api/v1/node")

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
