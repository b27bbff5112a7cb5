"""A real Mosquitto with users of its own, and its own command-line clients as the house's panels and buttons."""

import json
import secrets
import shutil
import subprocess
from pathlib import Path

from waiting import Child, free_ports, until

# What each may do; Portcullis itself needs no more than this.
RIGHTS = """
user portcullis
topic read portcullis/house/cut/+
topic read portcullis/house/text
topic write portcullis/house/availability
topic write portcullis/house/state/+
topic write portcullis/house/warnings
topic write portcullis/house/reply
topic write homeassistant/+/portcullis_house/+/config

user panel
topic read portcullis/house/#
topic read homeassistant/#
topic write portcullis/house/cut/+
topic write portcullis/house/text

user lamp
topic read portcullis/house/#
topic write lamp/#
"""


def missing():
    """The first program that is not there."""
    programs = ("mosquitto", "mosquitto_pub", "mosquitto_sub", "mosquitto_passwd")
    return next((name for name in programs if not (shutil.which(name) or shutil.which(f"/usr/sbin/{name}"))), None)


class Broker:
    def __init__(self, folder, tls=None):
        self.folder, self.tls = Path(folder), tls
        (self.port,) = free_ports(1)
        self.passwords = {user: secrets.token_hex(12) for user in ("portcullis", "panel", "lamp")}
        users = self.folder / "users"
        for user, password in self.passwords.items():
            flags = [] if users.exists() else ["-c"]
            subprocess.run(["mosquitto_passwd", *flags, "-b", users, user, password], check=True, capture_output=True)
        (self.folder / "rights").write_text(RIGHTS)
        lines = [f"listener {self.port} 127.0.0.1", f"acl_file {self.folder}/rights", "user root", "persistence false"]
        if tls:
            lines += [f"cafile {tls}/ca.pem", f"certfile {tls}/broker.pem", f"keyfile {tls}/broker.key"]
            lines += ["require_certificate true", "use_identity_as_username true"]
        else:
            lines += ["allow_anonymous false", f"password_file {users}"]
        self.config = self.folder / "mosquitto.conf"
        self.config.write_text("\n".join(lines) + "\n")
        self.runs = 0
        self.start()

    def start(self):
        self.runs += 1
        command = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        self.child = Child([command, "-v", "-c", self.config], self.folder, f"mosquitto-{self.runs}")
        until("the broker", lambda: "running" in self.child.err.read_text() + self.child.out.read_text())

    def stop(self):
        self.child.stop()

    def client(self, program, user):
        if self.tls:
            identity = ["--cafile", f"{self.tls}/ca.pem", "--cert", f"{self.tls}/{user}.pem", "--key", f"{self.tls}/{user}.key"]
        else:
            identity = ["-u", user, "-P", self.passwords[user]]
        return [program, "-h", "localhost" if self.tls else "127.0.0.1", "-p", str(self.port), *identity]

    def publish(self, topic, content, *flags, user="panel"):
        words = ["-m", content] if content else ["-n"]
        command = [*self.client("mosquitto_pub", user), "-q", "1", "-t", topic, *words, *flags]
        subprocess.run(command, check=True, capture_output=True, timeout=20)

    def press(self, scope, *flags, user="panel"):
        self.publish(f"portcullis/house/cut/{scope}", "PRESS", *flags, user=user)

    def say(self, text, **more):
        self.publish("portcullis/house/text", json.dumps({"text": text, **more}))

    def retained(self, topic):
        """What the broker holds under a topic, as one who comes now would get it."""
        command = [*self.client("mosquitto_sub", "panel"), "-t", topic, "-F", "%r %t %p", "--retained-only", "-W", "1"]
        lines = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False).stdout.splitlines()
        found = dict(line.split(" ", 2)[1:] for line in lines if line.startswith("1 "))
        return {name: content if content in ("online", "offline") else json.loads(content) for name, content in found.items()}

    def listen(self, topic):
        """What is published from now on, line by line."""
        self.runs += 1
        # Line by line, though what it writes goes to a file.
        child = Child(["stdbuf", "-oL", *self.client("mosquitto_sub", "panel"), "-t", topic, "-d", "-F", ">%p"], self.folder, f"sub-{self.runs}")
        until("the subscription", lambda: "Subscribed" in child.out.read_text())
        heard = lambda: [line[1:] for line in child.out.read_text().splitlines() if line.startswith(">")]  # noqa: E731
        return child, heard
