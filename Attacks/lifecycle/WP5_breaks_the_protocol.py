"""WP5: answers with what is no answer."""
import concurrent.futures
import os
import struct
import sys
import time

DEED = "writes garbage, half frames, lengths of 4 GiB, answers of other kinds, two answers and single bytes to the daemon"
EXPECTED = "each is refused or runs into the timeout; nothing forged is passed on, the daemon's memory stays flat"
CLASS = "a hostile peer of the protocol"
FRAMES = {
    "garbage": {"behind": os.urandom(65_536), "times": 0}, "zeros": {"behind": bytes(1 << 20), "times": 0},
    "half a header": {"first": 9, "hangs": b""}, "4 GiB": {"length": 0xFFFFFFFF}, "negative": {"length": 0x80000000},
    "the most, and nothing": {"length": 15_000_000, "hangs": b""}, "the most, byte by byte": {"length": 15_000_000, "hangs": b" "},
    "one more": {"length": 15_000_001}, "another request": {"nonce": 1}, "two": {"times": 2}, "bytes behind": {"behind": b"more"},
    "a READY": {"kind": 0x81}, "a FILE": {"kind": 0x90}, "a CALL": {"kind": 2}, "a short error": {"kind": 0x83},
    "an unknown kind": {"flags": 9}, "another protocol": {"magic": 0x4854},
}


def apply(name):
    how = FRAMES[name]
    here = sys._getframe()
    while "nonce" not in here.f_locals:
        here = here.f_back
    payload = b'"forged"'
    header = struct.pack("<HBBIQ", how.get("magic", 0xFA5D), how.get("kind", 0x82), how.get("flags", 1),
                         how.get("length", len(payload)), here.f_locals["nonce"] ^ how.get("nonce", 0))
    os.write(4, (header + payload)[:how.get("first")] * how.get("times", 1) + how.get("behind", b""))
    while "hangs" in how:
        os.write(4, how["hangs"])
        time.sleep(0.01)
    return "honest"


def judge(outside):
    before = outside.memory_bytes()
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        replies = dict(zip(FRAMES, pool.map(lambda name: outside.call(name, query="?timeout=1"), FRAMES)))
    for name, reply in replies.items():
        record = outside.usage(reply)
        outside.held(b"forged" not in reply.body, f"{name}: {reply.body[:200]!r}")
        outside.held(record["outcome"] in ("bad-output", "output-limit", "timeout-caller"), f"{name}: {record['outcome']}")
        outside.held(record["outcome"] == "timeout-caller" or record["amount_microcredits"] == 0, f"{name}: {record}")
    outside.held(outside.memory_bytes() - before < 96 << 20, f"the daemon grew by {outside.memory_bytes() - before} bytes")
