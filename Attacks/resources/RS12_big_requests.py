"""RS12: sends inputs that are too large or too slow."""
import socket
import time

DEED = "announces 2 GB, sends 12 MB without saying so, and opens a hundred uploads that never go on"
EXPECTED = "too large is said before it is read; who waits holds neither a worker nor memory nor others"
CLASS = "exhaustion of the daemon"
UPLOADS, MIB = 100, 1 << 20


def apply(value):
    return "ran"


def judge(outside):
    key = outside.attacker.key
    head = f"POST /v1/algo/{outside.algorithm} HTTP/1.1\r\nHost: x\r\nAuthorization: {key}\r\nContent-Type: text/plain\r\n"
    before, descriptors = outside.memory_bytes(), outside.descriptors()
    for length in (2_000_000_000, 2**63, 2**64, 10 * MIB + 1):
        body = b"x" * (12 * MIB if length == 2**63 else 1)  # One that no signed number holds may be read up to the limit.
        said = outside.talk(f"{head}Content-Length: {length}\r\nConnection: close\r\n\r\n".encode() + body, timeout=1)
        outside.held(said.split(b" ")[1:2] in ([b"413"], [b"400"]), f"{length} bytes: {said[:200]!r}")
    chunks = b"".join(b"100000\r\n" + b"x" * MIB + b"\r\n" for _ in range(12)) + b"0\r\n\r\n"
    said = outside.talk(f"{head}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n".encode() + chunks, timeout=1)
    outside.held(said == b"" or said.split(b" ")[1] == b"413", f"12 chunks of a mebibyte: {said[:200]!r}")
    slow = [socket.create_connection(("127.0.0.1", outside.daemon.port)) for _ in range(UPLOADS)]
    try:
        for opened in slow:
            opened.sendall(f"{head}Content-Length: {9 * MIB}\r\n\r\nx".encode())
        time.sleep(0.5)
        outside.held(not outside.boxes(), f"uploads that are not whole hold the boxes {outside.boxes()}")
        began = time.monotonic()
        outside.answered(outside.call("x", user=outside.victim), "ran")
        outside.held(time.monotonic() - began < 2, "a caller had to wait for slow uploads")
        outside.held(outside.memory_bytes() - before < 200 * MIB, f"the daemon grew by {outside.memory_bytes() - before} bytes")
    finally:
        for opened in slow:
            opened.close()
    time.sleep(0.3)
    outside.held(outside.descriptors() - descriptors < 30, f"{outside.descriptors() - descriptors} descriptors are left")
