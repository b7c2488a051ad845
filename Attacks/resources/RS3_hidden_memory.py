"""RS3: takes memory that is files."""
import errno
import os

DEED = "fills /tmp and /dev/shm, and keeps the files; asks for anonymous files"
EXPECTED = "no space, or the end by the memory limit; all of it is counted in the box, never beyond its limit; no anonymous files"
CLASS = "exhaustion of memory"
OPTIONS = ("--memory", 64, "--timeout", 3)
MIB, BLOCK = 1 << 20, b"x" * 65_536
kept = []


def files(folder):
    for number in range(100):
        with open(f"{folder}/{number}", "wb", buffering=0) as file:
            for _ in range(64):
                yield file.write(BLOCK)


def memories(_):
    kept.append(os.memfd_create("x"))
    yield os.write(kept[-1], BLOCK)


def apply(order):
    kind, argument = order
    try:
        for _ in globals()[kind](argument):
            pass
    except OSError as error:
        return error.errno


def judge(outside):
    outside.answered(outside.call(("memories", "")), errno.ENOSYS)
    for order in (("files", "/tmp"), ("files", "/dev/shm")):
        with outside.watch(outside.box_bytes, every=0.002) as seen:
            reply = outside.call(order)
        kind = " ".join(order)
        outside.held("result" in reply.json or reply.error["error_type"] in ("OutOfMemoryError", "DiskLimitError"),
                     f"{kind}: {reply.body[:200]!r}")
        outside.held_within(seen, reply, 64 * MIB, 10 * MIB, kind)
        outside.gone()
