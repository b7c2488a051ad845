"""HT107: connections that say little."""
import socket
import time

import wire

DEED = "keeps 400 connections open with nothing or half a head, and sends a byte of it now and then"
EXPECTED = "new connections are served at once; memory stays flat; all is given back when they close"
CLASS = "exhaustion of connections"
SERVED_SECONDS = 0.5


def judge(outside):
    port = outside.daemon.port
    memory, descriptors, opened = outside.memory_bytes(), outside.descriptors(), []
    try:
        for number in range(400):
            raw = socket.create_connection(("127.0.0.1", port), timeout=2)
            raw.sendall((b"", b"P", b"POST / HTTP/1.1\r\n", b"GET /healthz HTTP/1.1\r\nHost: x\r\nX")[number % 4])
            opened.append(raw)
        for raw in opened[:400:4]:
            raw.send(b"x")
        for _ in range(10):
            began = time.monotonic()
            outside.held(wire.ask(port, "GET", "/healthz").status == 200, "the daemon does not serve")
            outside.held(time.monotonic() - began < SERVED_SECONDS, f"a new connection waited {time.monotonic() - began:.2f} s")
        outside.held(outside.memory_bytes() - memory < 128 << 20, f"the daemon grew by {outside.memory_bytes() - memory} bytes")
    finally:
        for raw in opened:
            raw.close()
    end = time.monotonic() + 3
    while outside.descriptors() > descriptors + 20:
        outside.held(time.monotonic() < end, "descriptors are left open")
        time.sleep(0.02)
