"""HT108: callers that never read their answers."""
import socket
import time

DEED = "asks 60 times on as many connections for 15 MB, pays for it, and reads nothing"
EXPECTED = "the memory for answers that wait to be read is bounded, as that for bodies is"
CLASS = "exhaustion of memory for answers"
CONNECTIONS, BYTES = 60, 15_000_000
GROWN_BYTES_MAX = 640 << 20
"""Half a GiB, as one account may have of bodies, and what the daemon needs besides."""


def apply(_):
    return bytes(BYTES)


def judge(outside):
    outside.call("warm")
    before, opened = outside.memory_bytes(), []
    try:
        for _ in range(CONNECTIONS):
            raw = socket.create_connection(("127.0.0.1", outside.daemon.port), timeout=2)
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            raw.sendall(f"POST /v1/algo/{outside.algorithm}?output=raw HTTP/1.1\r\nHost: x\r\nAuthorization: {outside.attacker.key}\r\n"
                        "Content-Type: text/plain\r\nContent-Length: 1\r\n\r\nx".encode())
            opened.append(raw)
        end = time.monotonic() + 4
        while outside.daemon.balance(outside.attacker.name)["held_microcredits"] and time.monotonic() < end:
            time.sleep(0.05)
        time.sleep(0.5)
        grown = outside.memory_bytes() - before
    finally:
        for raw in opened:
            raw.close()
    outside.held(grown < GROWN_BYTES_MAX, f"{CONNECTIONS} answers of {BYTES} bytes that nobody reads take {grown} bytes")
