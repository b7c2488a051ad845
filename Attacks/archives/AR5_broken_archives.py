"""AR5: lies in headers, and breaks archives at random."""
import gzip
import os
import random
import tarfile

from archives import APPLY, archive, member, pack

DEED = "uploads archives whose sizes, sums, versions and ends are wrong, other formats, and 20 with bytes changed at random"
EXPECTED = "each is answered 201 or 422 in words of the rules; none crashes the daemon or leaves half a version"
CLASS = "parser confusion"
SEED = 20_240_229
GOOD = pack([member("main.py", APPLY), member("data/x.bin", bytes(range(256)) * 8)], compress=False)


def patched(at, field, body=GOOD):
    """One header field of the first member changed, its sum put right."""
    header = bytearray(body[:at] + field + body[at + len(field) : 512])
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return gzip.compress(bytes(header) + body[512:], 1)


def lies():
    for size in (b"77777777777\0", b"-0000000001\0", b"\x80" + b"\xff" * 11, b"\xff" * 12,
                 b"0x000000010\0", b"00000000001 ", b"99999999999\0", b"\0" * 12):
        yield patched(124, size)
    yield from (patched(100, b"zzzzzzz\0"), patched(257, b"GNUtar\0\0"), patched(345, b"../" * 40))
    for records in (b"-5 path=x\n", b"99 size=1\n", b"0 \n", b"12 size=-100\n", b"13 size=1e400\n",
                    b"20 size=99999999999\n", b"11 path=\0\0\0\n", b"6 a=b"):
        info = tarfile.TarInfo("x")
        info.type, info.size = tarfile.XHDTYPE, len(records)
        yield gzip.compress(info.tobuf() + records.ljust(512, b"\0") + GOOD, 1)
    whole = gzip.compress(GOOD, 6)
    yield from (whole[:40], whole[:-4], whole + b"trailing", whole + whole, whole[:3] + b"\xff" + whole[4:])
    yield from (b"\x1f\x8b", b"", bytes(1000), b"PK\3\4" + whole, b"#!/bin/sh\n" + whole, b"BZh91AY&SY" + bytes(50), b"\xfd7zXZ\0" + bytes(50),
                b"\x28\xb5\x2f\xfd" + bytes(50), GOOD)


def damaged():
    dice = random.Random(SEED)
    for number in range(20):
        body = bytearray(GOOD if number % 2 else gzip.compress(GOOD, 6, mtime=0))
        for _ in range(dice.randint(1, 8)):
            body[dice.randrange(len(body))] = dice.randrange(256)
        yield gzip.compress(bytes(body), 1, mtime=0) if number % 2 else bytes(body)


def judge(outside):
    daemon = outside.daemon
    folders = len(os.listdir(daemon.state + "/store"))
    for number, payload in enumerate([*lies(), *damaged()]):
        reply = daemon.post_archive("attacker/ar5", payload)
        outside.held(reply.status in (201, 422), f"archive {number} was answered {reply!r:.300}")
        outside.held("Traceback" not in reply.body.decode(), f"archive {number} broke the reader: {reply.body[:300]!r}")
        folders += reply.status == 201
        outside.held(len(os.listdir(daemon.state + "/store")) == folders, f"archive {number} left something in the store")
    outside.held(daemon.process.poll() is None, "the daemon ended")
    reply = daemon.post_archive("attacker/ar5", archive({"main.py": APPLY}))
    outside.held(reply.status == 201, f"the honest deploy was answered {reply!r:.300}")
    outside.answered(outside.call("x", algorithm="attacker/ar5"), "x")
