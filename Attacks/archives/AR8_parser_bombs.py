"""AR8: uploads source that is hard to parse."""
import os
import time

from archives import APPLY, archive

DEED = "uploads entries of 64 MB, of one expression, nested without end, of one long number, and constants that fold"
EXPECTED = "the build box bears it alone: a refusal in time, or a version whose calls fail; the daemon stays as large as it was"
CLASS = "exhaustion by builds"
SECONDS_MAX = 5.0
MEMORY_MAX = 64 << 20
TAIL = b"\ndef apply(x):\n    return x\n"
SOURCES = {
    "one expression of 64 MB": b"x = 0" + b"+1" * (32 << 20),
    "one expression": b"x = 0" + b"+1" * (500 << 10),
    "a list": b"x = [" + b"[]," * (60 << 10) + b"]",
    "nested brackets": b"x = " + b"(" * (400 << 10) + b")" * (400 << 10),
    "nested operators": b"x = " + b"-" * (900 << 10) + b"1",
    "nested attributes": b"x = a" + b".a" * (400 << 10),
    "nested functions": b"".join(b" " * depth + b"def f():\n" for depth in range(99)) + b" " * 99 + b"pass",
    "a long number": b"x = " + b"9" * (900 << 10),
    "folded powers": b"x = " + b"**".join([b"9"] * 9) + b"\ny = " + b"((1<<127)*" * 60 + b"1" + b")" * 60,
    "a folded tuple": b"x = " + b"(((0,)*255)*255)*255",
    "f-strings": b"x = " + b'f"{' * 140 + b"1" + b'}"' * 140,
    "names": b";".join(b"a%d=1" % number for number in range(20_000)),
    "a NUL": b"x = 1\0",
}


def judge(outside):
    daemon = outside.daemon
    memory = outside.memory_bytes()
    for what, source in SOURCES.items():
        before = sorted(os.listdir(daemon.state + "/store"))
        payload = archive({"main.py": source + TAIL, "other.py": source[: 1 << 20]})
        began = time.monotonic()
        reply = daemon.post_archive("attacker/ar8", payload)
        seconds = time.monotonic() - began
        outside.held(reply.status in (201, 413, 422), f"{what} was answered {reply!r:.300}")
        outside.held(seconds < SECONDS_MAX, f"{what} took {seconds:.1f} s")
        after = sorted(os.listdir(daemon.state + "/store"))
        outside.held(reply.status == 201 or after == before, f"{what} left something in the store")
        grown = outside.memory_bytes() - memory
        outside.held(grown < MEMORY_MAX, f"{what} made the daemon {grown} bytes larger")
    reply = daemon.post_archive("attacker/ar8", archive({"main.py": APPLY}))
    outside.held(reply.status == 201, f"the honest deploy was answered {reply!r:.300}")
    outside.answered(outside.call("x", algorithm="attacker/ar8"), "x")
