"""Waits for a state with a time limit; finds free ports; runs child processes that are ended by their own id."""

import random
import signal
import socket
import subprocess
import time
from pathlib import Path


def until(what, check, limit=15.0, every=0.05):
    """The first true answer of `check`, or a failure that names what was waited for and the last trouble."""
    end = time.monotonic() + limit
    trouble = None
    while time.monotonic() < end:
        try:
            answer = check()
            if answer:
                return answer
            trouble = f"last answer: {answer!r}"
        except (OSError, AssertionError, LookupError, ValueError) as error:
            trouble = f"last trouble: {error!r}"
        except Exception as error:  # an HTTP client's own errors while a server starts
            if type(error).__module__.split(".")[0] not in ("httpx", "httpcore", "openai"):
                raise
            trouble = f"last trouble: {error!r}"
        time.sleep(every)
    raise AssertionError(f"waited {limit} s for {what}; {trouble}")


def free_ports(count):
    """Ports below the range the system hands out by itself, so that no client socket takes one meanwhile."""
    held = []
    while len(held) < count:
        port = random.randrange(15000, 32000)
        held_one = socket.socket()
        try:
            held_one.bind(("127.0.0.1", port))
        except OSError:
            held_one.close()
            continue
        held.append(held_one)
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


class Child:
    """One process with its output in files; stopped by its own id."""

    def __init__(self, command, folder, name, env=None):
        self.out = Path(folder) / f"{name}.out"
        self.err = Path(folder) / f"{name}.err"
        with open(self.out, "ab") as out, open(self.err, "ab") as err:
            self.process = subprocess.Popen(
                [str(part) for part in command], stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=env
            )

    def running(self):
        return self.process.poll() is None

    def stop(self, limit=20.0):
        """Asks to stop; a process that does not is killed and counts as a failure."""
        if not self.running():
            return self.process.returncode
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(limit)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.process.args[0]} did not stop within {limit} s") from None

    def kill(self):
        """No warning, no clean-up: as a power cut would."""
        if self.running():
            self.process.kill()
        return self.process.wait(10)
