"""HT103: bodies that are announced and never sent."""
import socket
import time

DEED = "announces bodies of 10 MiB and archives of 100 MiB on 120 connections of one account, and sends a byte of each"
EXPECTED = "what is announced and not sent takes no room: the account and others send 10 MiB all the while"
CLASS = "exhaustion of memory for bodies"
MOST = 10 << 20


def apply(body):
    return len(body)


def judge(outside):
    daemon = outside.daemon
    manager = daemon.key(outside.attacker.name, "management")["key"]
    outside.answered(outside.call(b"x", outside.victim), 1)
    memory, descriptors, opened = outside.memory_bytes(), outside.descriptors(), []
    try:
        for number in range(120):
            raw = socket.create_connection(("127.0.0.1", daemon.port), timeout=2)
            opened.append(raw)
            path, key, length = (f"/v1/algo/{outside.algorithm}", outside.attacker.key, MOST) if number % 3 else (
                "/v1/manage/algorithms/attacker/never/versions", manager, 100 << 20)
            ways = f"Content-Length: {length}" if number % 2 else "Transfer-Encoding: chunked"
            raw.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {key}\r\nContent-Type: application/octet-stream\r\n"
                        f"{ways}\r\n\r\n1".encode())
        time.sleep(0.3)
        for user in (outside.attacker, outside.victim) * 3:
            outside.answered(outside.call(bytes(MOST), user), MOST)
        outside.held(outside.memory_bytes() - memory < 128 << 20, f"the daemon grew by {outside.memory_bytes() - memory} bytes")
    finally:
        for raw in opened:
            raw.close()
    end = time.monotonic() + 3
    while outside.descriptors() - descriptors >= 20:
        outside.held(time.monotonic() < end, "descriptors are left open 3 s after the connections were closed")
        time.sleep(0.02)
