"""With every process of ours killed, the kernel alone ends what was permitted: five routers at once, ten times each."""

import subprocess
import time

from net import Worker, run, until

PAIRS, ROUNDS = 5, 10
# Measured from when the agent gave its challenge, which is the same for a second.
LEASE, EVERY = 2.0, 0.2
# The kernel counts in ticks, and bytes that wait in the receiver's queue are read after they came; the machine is shared.
LATE = 0.15


class Pair:
    """A red host and a peer with a router between them, whose node agent is told by a kill switch with short leases."""

    def __init__(self, net, programs, number):
        self.net, self.programs, self.number = net, programs, number
        self.router = net.router(f"l{number}r")
        self.red, self.peer = net.space(f"l{number}a"), net.space(f"l{number}b")
        net.join(self.red, self.router, 30)
        net.join(self.peer, self.router, 20)
        self.workers = [Worker(net, space, f"l{number}-{at}") for at, space in enumerate((self.red, self.peer))]
        folder = net.folder / f"l{number}"
        folder.mkdir()
        public = run(programs / "lab_orders", "--to", "127.0.0.1:1", "--lease-ms", 1, "--every-ms", 1, "--first", 1, "--public")
        (folder / "order.pub").write_text(public)
        self.config = folder / "node-agent.toml"
        self.config.write_text(
            '[agent]\nname = "edge"\nstate = "state"\nkillswitch_keys = ["order.pub"]\n'
            '[fence]\n[[fence.zones]]\nname = "red"\ninterfaces = ["vlan30"]\nnets = ["198.18.30.0/24", "fd00:30::/64"]\n'
        )
        self.seq = 1

    def begin(self):
        agent = self.net.start(self.router, f"l{self.number}-agent", self.programs / "node-agent", "run", "--config", self.config)
        orders = self.net.start(
            self.router, f"l{self.number}-orders", self.programs / "lab_orders", "--to", "127.0.0.1:7413", "--lease-ms",
            int(LEASE * 1000), "--every-ms", int(EVERY * 1000), "--first", self.seq, stdout=subprocess.PIPE, text=True,
        )
        self.seq += 1_000_000
        self.ours = [agent, orders]

    def permitted(self):
        assert self.ours[1].stdout.readline() == "permitted\n", "no order was taken"

    def seen(self, peer):
        return self.workers[1].ask(do="seen", port=443, peer=peer)

    def flows(self):
        counts = []
        for _ in range(2):
            counts.append([self.seen(peer)[1] for peer in ("198.18.30.2", "fd00:30::2")])
            time.sleep(0.03)
        return all(after > before for before, after in zip(*counts))


def check(net, programs):
    """Gives how long after the kill the last byte came, in seconds, each time and family."""
    pairs = [Pair(net, programs, number) for number in range(PAIRS)]
    took = []
    for _ in range(ROUNDS):
        for pair in pairs:
            pair.begin()
        for pair in pairs:
            pair.permitted()
            for address in ("198.18.20.2", "fd00:20::2"):
                until("the zone to open", lambda: pair.workers[0].ask(do="probe", tries=[["tcp", address, 443]]) == [True])
                pair.workers[0].ask(do="stream", address=address, port=443)
        killed = []
        for pair in pairs:
            until("both streams to flow", pair.flows)
            for child in pair.ours:
                child.kill()
            killed.append(time.monotonic())
            for child in pair.ours:
                child.wait()
        time.sleep(LEASE + 2 * LATE)
        for pair, at in zip(pairs, killed):
            for peer in ("198.18.30.2", "fd00:30::2"):
                last, count = pair.seen(peer)
                took.append(last - at)
                assert last - at <= LEASE + LATE, f"traffic went on for {last - at:.3f} s"
                assert pair.seen(peer)[1] == count, "traffic goes on"
            assert pair.workers[0].ask(do="probe", tries=[["tcp", "198.18.20.2", 443], ["udp", "fd00:20::2", 53]]) == [False, False]
    assert len(took) == 2 * PAIRS * ROUNDS
    return took
