"""HT110: bodies that are announced and never sent, by two accounts together."""
import socket
import time

DEED = "announces as many bytes of bodies as may be in memory, half of them from a second account, and sends a byte of each"
EXPECTED = "a third account is served, at least with a small body"
CLASS = "exhaustion of memory for bodies"
SIZES = [10 << 20] * 51 + [1 << 20] + [64 << 10] * 15
"""Nearly 512 MiB, the half of one account."""
SMALL = 256 << 10


def apply(body):
    return len(body)


def judge(outside):
    accomplice = outside.daemon.user(f"accomplice{time.monotonic_ns()}")
    outside.answered(outside.call(b"x", outside.victim), 1)
    opened = []
    try:
        for user in (outside.attacker, accomplice):
            for size in SIZES:
                raw = socket.create_connection(("127.0.0.1", outside.daemon.port), timeout=2)
                opened.append(raw)
                raw.sendall(f"POST /v1/algo/{outside.algorithm} HTTP/1.1\r\nHost: x\r\nAuthorization: {user.key}\r\n"
                            f"Content-Type: application/octet-stream\r\nContent-Length: {size}\r\n\r\n1".encode())
        time.sleep(0.3)
        reply = outside.call(bytes(SMALL), outside.victim)
    finally:
        for raw in opened:
            raw.close()
    outside.answered(reply, SMALL)
