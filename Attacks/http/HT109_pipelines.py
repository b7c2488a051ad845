"""HT109: one connection that asks for everything at once."""
import socket
import time

import wire

DEED = "pipelines requests on one connection for as long as the daemon takes them, and reads no answer"
EXPECTED = "the daemon stops reading from who does not read, and new connections are served at once all the while"
CLASS = "taking an event loop"
SERVED_SECONDS = 0.3
PIPELINED_BYTES = 16 << 20


def judge(outside):
    port, memory = outside.daemon.port, outside.memory_bytes()
    with socket.create_connection(("127.0.0.1", port), timeout=0.3) as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sent = 0
        try:
            while sent < PIPELINED_BYTES:
                sent += raw.send(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" * 500)
        except OSError:
            pass
        outside.held(sent < PIPELINED_BYTES, f"the daemon took {sent} bytes of requests whose answers nobody reads")
        for _ in range(40):
            began = time.monotonic()
            outside.held(wire.ask(port, "GET", "/healthz").status == 200, "the daemon does not serve")
            waited = time.monotonic() - began
            outside.held(waited < SERVED_SECONDS, f"beside {sent} bytes of pipelined requests a new connection waited {waited:.2f} s")
    outside.held(outside.memory_bytes() - memory < 64 << 20, f"the daemon grew by {outside.memory_bytes() - memory} bytes")
