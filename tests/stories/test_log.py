"""Whoever reads the log may stop reading: nothing that acts waits for them."""

import os
import select
import subprocess

from streams import RawStream
from waiting import until


class Unread:
    """The house with its log going into a pipe that nobody empties."""

    def __init__(self, house):
        env = dict(house.env(), RUST_LOG="trace")
        self.process = subprocess.Popen(
            [str(part) for part in house.command("up")], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=env
        )

    def running(self):
        return self.process.poll() is None

    def full(self):
        """Whether no page of the pipe is free. Bytes tell less: long lines leave room behind them that the next does not fit into."""
        pipe = os.open(f"/proc/{self.process.pid}/fd/2", os.O_WRONLY | os.O_NONBLOCK)
        try:
            free = select.poll()
            free.register(pipe, select.POLLOUT)
            return not free.poll(0)
        finally:
            os.close(pipe)

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()


def test_a_log_that_nobody_reads_does_not_delay_a_cut(build, scripted):
    house = build([("lab", "local", scripted)], [("chat", ["*"], ["lab"])])
    house.child = Unread(house)
    house.wait_ready()
    until("good canaries", house.canaries_good, 40)

    # Each cut of what is not used here leaves a line of some hundred bytes in the log, until the pipe holds no more.
    until("a full log", lambda: house.cut("CLOUD") and house.child.full(), 60, every=0)
    stream = RawStream(house).flowing()
    reply = house.twilio().text(f"KILL {house.app().kill()}")
    assert reply.startswith("CUT ALL "), reply
    assert stream.end().last()["error"]["code"] == "cut"
    assert house.code_of_models() == "cut"
