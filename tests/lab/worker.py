"""Runs inside one network namespace: serves, probes and streams as it is told, a JSON line each way."""

import errno
import http.client
import json
import os
import selectors
import socket
import struct
import sys
import threading
import time

SERVED_TCP = (22, 443, 7415)
SERVED_UDP = 53
LIMIT = 0.35

# By port and the peer's address: when the last byte came, by the clock that all namespaces share.
last_byte = {}
bytes_of = {}
streams = []


def serve():
    """Takes whatever comes on the served ports, over both families."""
    ready = selectors.DefaultSelector()
    for port in SERVED_TCP:
        listener = socket.socket(socket.AF_INET6)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("::", port))
        listener.listen(128)
        listener.setblocking(False)
        ready.register(listener, selectors.EVENT_READ, ("accept", port))
    for family, any_address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
        echo = socket.socket(family, socket.SOCK_DGRAM)
        if family == socket.AF_INET6:
            echo.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        echo.bind((any_address, SERVED_UDP))
        echo.setblocking(False)
        ready.register(echo, selectors.EVENT_READ, ("echo", SERVED_UDP))
    while True:
        for key, _ in ready.select():
            what, port = key.data[:2]
            try:
                if what == "accept":
                    taken, peer = key.fileobj.accept()
                    taken.setblocking(False)
                    ready.register(taken, selectors.EVENT_READ, ("read", port, peer[0].removeprefix("::ffff:")))
                elif what == "echo":
                    content, peer = key.fileobj.recvfrom(2048)
                    key.fileobj.sendto(content, peer)
                else:
                    content = key.fileobj.recv(65536)
                    if not content:
                        raise ConnectionResetError
                    at = f"{port} {key.data[2]}"
                    last_byte[at] = time.monotonic()
                    bytes_of[at] = bytes_of.get(at, 0) + len(content)
            except BlockingIOError:
                pass
            except OSError:
                if what == "read":
                    ready.unregister(key.fileobj)
                    key.fileobj.close()


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def probe(tries):
    """Tries all at the same time; each answer says whether it was reached."""
    ready, found, open_ends = selectors.DefaultSelector(), [False] * len(tries), []
    for at, (protocol, address, port) in enumerate(tries):
        try:
            if protocol == "tcp":
                end = socket.socket(family_of(address))
                end.setblocking(False)
                end.connect_ex((address, port))
                ready.register(end, selectors.EVENT_WRITE, (at, protocol))
            elif protocol == "udp":
                end = socket.socket(family_of(address), socket.SOCK_DGRAM)
                end.setblocking(False)
                end.connect((address, port))
                end.send(b"ping")
                ready.register(end, selectors.EVENT_READ, (at, protocol))
            else:
                end = ping(address, at)
                ready.register(end, selectors.EVENT_READ, (at, protocol))
            open_ends.append(end)
        except OSError:
            continue
    until = time.monotonic() + LIMIT
    while ready.get_map() and time.monotonic() < until:
        for key, _ in ready.select(max(0.0, until - time.monotonic())):
            at, protocol = key.data
            reached = answered(key.fileobj, protocol, tries[at], at)
            if reached is None:
                continue
            found[at] = reached
            ready.unregister(key.fileobj)
    for end in open_ends:
        end.close()
    return found


def answered(end, protocol, one, at):
    try:
        if protocol == "tcp":
            return end.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
        if protocol == "udp":
            return end.recv(64) == b"ping"
        content, peer = end.recvfrom(2048)
    except BlockingIOError:
        return None
    except OSError:
        return False
    if peer[0] != one[1]:
        return None
    message = content if ":" in one[1] else content[(content[0] & 15) * 4 :]
    kind, number = message[0], struct.unpack(">H", message[6:8])[0]
    return True if kind in (0, 129) and number == at else None


def ping(address, number):
    six = ":" in address
    end = socket.socket(family_of(address), socket.SOCK_RAW, socket.IPPROTO_ICMPV6 if six else socket.IPPROTO_ICMP)
    end.setblocking(False)
    head = struct.pack(">BBHHH", 128 if six else 8, 0, 0, os.getpid() & 0xFFFF, number)
    if not six:
        total = sum(struct.unpack(">4H", head))
        total = (total >> 16) + (total & 0xFFFF)
        head = head[:2] + struct.pack(">H", ~(total + (total >> 16)) & 0xFFFF) + head[4:]
    end.sendto(head, (address, 0))
    return end


def stream(address, port):
    """Sends a little every millisecond until the connection fails; the place in the list is its number."""
    end = socket.create_connection((address, port), timeout=3)
    one = {"error": None}
    streams.append(one)

    def run():
        try:
            end.settimeout(None)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while True:
                end.sendall(b"x" * 64)
                time.sleep(0.001)
        except OSError as error:
            one["error"] = errno.errorcode.get(error.errno, str(error))

    threading.Thread(target=run, daemon=True).start()
    return len(streams) - 1


def post(address, path, body, headers):
    line = http.client.HTTPConnection(address, timeout=15)
    line.request("POST", path, body, headers)
    return line.getresponse().read().decode()


def main():
    threading.Thread(target=serve, daemon=True).start()
    for line in sys.stdin:
        ask = json.loads(line)
        try:
            if ask["do"] == "probe":
                reply = probe(ask["tries"])
            elif ask["do"] == "stream":
                reply = stream(ask["address"], ask["port"])
            elif ask["do"] == "post":
                reply = post(ask["address"], ask["path"], ask["body"], ask["headers"])
            elif ask["do"] == "error":
                reply = streams[ask["number"]]["error"]
            else:
                at = f"{ask['port']} {ask['peer']}"
                reply = [last_byte.get(at, 0.0), bytes_of.get(at, 0)]
            print(json.dumps({"reply": reply}), flush=True)
        except OSError as error:
            print(json.dumps({"failed": str(error)}), flush=True)


main()
