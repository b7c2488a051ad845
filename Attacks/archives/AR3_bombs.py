"""AR3: uploads little that becomes much."""
import gzip
import os
import tarfile
import time
import zlib

import archives

DEED = "uploads bombs: gigabytes of zeros, gzip in gzip, 110 000 folders, as many extended headers, huge ones"
EXPECTED = "each is refused at a bound of bytes or entries; daemon and store stay as large as they were"
CLASS = "exhaustion by archives"
SECONDS_MAX = 5.0
MEMORY_MAX = 96 << 20


def zeros(start, size):
    """A gzip file of some bytes and then zeros: one deflated mebibyte, again and again. Its sum is wrong, at its very end."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, 31)
    head = deflate.compress(start) + deflate.flush(zlib.Z_FULL_FLUSH)
    mebibyte = deflate.compress(bytes(1 << 20)) + deflate.flush(zlib.Z_FULL_FLUSH)
    return head + mebibyte * (size >> 20) + deflate.flush()


def member(name, size, kind=tarfile.REGTYPE):
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, size
    return info.tobuf(tarfile.GNU_FORMAT)


def bombs():
    good = archives.pack([archives.member("main.py", archives.APPLY)], compress=False)
    gigabyte = zeros(member("zeros", 1 << 30), 1 << 30)
    yield "a file of zeros", gigabyte
    yield "gzip in gzip", gzip.compress(gigabyte, 1)
    yield "a file that is left out", zeros(member("._zeros", 1 << 30), 1 << 30)
    yield "a huge extended header", zeros(member("x", 1 << 29, tarfile.XHDTYPE), 1 << 29)
    yield "a huge long name", zeros(member("x", 1 << 29, tarfile.GNUTYPE_LONGNAME), 1 << 29)
    yield "folders", gzip.compress(member("d/", 0, tarfile.DIRTYPE) * 110_000 + good, 1)
    yield "extended headers", gzip.compress(member("x", 0, tarfile.XGLTYPE) * 110_000 + good, 1)
    yield "empty gzip members", gzip.compress(b"") * 200_000


def judge(outside):
    state, daemon = outside.daemon.state, outside.daemon
    before, memory = sorted(os.listdir(state + "/store")), outside.memory_bytes()
    for what, payload in bombs():
        began = time.monotonic()
        reply = daemon.post_archive("attacker/ar3", payload)
        seconds = time.monotonic() - began
        outside.held(reply.status in (413, 422), f"{what} was answered {reply!r:.300}")
        outside.held(seconds < SECONDS_MAX, f"{what} took {seconds:.1f} s")
        grown = outside.memory_bytes() - memory
        outside.held(grown < MEMORY_MAX, f"{what} made the daemon {grown} bytes larger")
        outside.held(sorted(os.listdir(state + "/store")) == before, f"{what} left something in the store")
    reply = daemon.post_archive("attacker/ar3", archives.archive({"main.py": archives.APPLY}))
    outside.held(reply.status == 201, f"the honest deploy was answered {reply!r:.300}")
    outside.answered(outside.call("x", algorithm="attacker/ar3"), "x")
