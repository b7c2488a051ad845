"""HT4: speaks HTTP/2."""
import struct

DEED = "opens with HTTP/2's preface, upgrades to h2c, and floods resets, continuations and compressed heads behind it"
EXPECTED = "HTTP/2 is off: no switch of protocols, no frame in answer, memory and descriptors as before"
CLASS = "exhaustion by frames"
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes((kind, flags)) + struct.pack(">I", stream) + payload


SETTINGS = frame(4, 0, 0)
RESETS = b"".join(frame(1, 5, stream, b"\x82\x86\x84\x41\x01x") + frame(3, 0, stream, bytes(4)) for stream in range(1, 20_000, 2))
CONTINUED = frame(1, 1, 1, b"\x82") + b"".join(frame(9, 0, 1, b"\x40\x01a\x7f\xff" + b"b" * 1000) for _ in range(2_000))
UPGRADE = (b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: %s\r\n"
           b"HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n")


def judge(outside):
    before, descriptors = outside.memory_bytes(), outside.descriptors()
    for flood in (b"", RESETS, CONTINUED):
        for opening in (PREFACE, UPGRADE % b"h2c" + PREFACE, UPGRADE % b"websocket" + PREFACE, UPGRADE % b"TLS/1.0" + PREFACE):
            said = outside.talk(opening + SETTINGS + flood, timeout=0.25)
            outside.held(b" 101 " not in said[:20], f"it switched: {said[:100]!r}")
            outside.held(not said or said.startswith(b"HTTP/1."), f"it answered with frames: {said[:40]!r}")
            outside.held(not opening.startswith(b"PRI") or not said.startswith(b"HTTP/1.1 2"), f"{said[:100]!r}")
    outside.held(outside.memory_bytes() - before < 32 << 20, f"the daemon grew by {outside.memory_bytes() - before} bytes")
    outside.held(outside.descriptors() - descriptors < 10, "descriptors are left open")
