"""RS102: takes memory of the kernel's own: tables for pages, and names."""
import errno
import mmap
import os

DEED = "touches one page in every two megabytes of a huge mapping, and makes empty files and folders without end"
EXPECTED = "the tables are counted and end it at its limit; the number of files is bounded"
CLASS = "exhaustion of memory"
OPTIONS = ("--memory", 64, "--timeout", 5)
MIB = 1 << 20


def apply(kind):
    if kind == "tables":
        space = mmap.mmap(-1, 1 << 40, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000)  # Without reserve.
        for at in range(0, 1 << 40, 2 * MIB):
            space[at]
        return "all touched"
    for number in range(10**6):
        try:
            os.mkdir(f"{kind}/{number:0250}")
        except OSError as error:
            return errno.errorcode[error.errno]


def judge(outside):
    with outside.watch(outside.box_bytes, every=0.002) as seen:
        tables = outside.call("tables")
    outside.failed(tables, "OutOfMemoryError")
    outside.held(max(seen, default=0) <= 64 * MIB, f"its box held {max(seen, default=0)} bytes")
    for folder in ("/tmp", "/dev/shm"):
        with outside.watch(outside.box_bytes, every=0.002) as seen:
            reply = outside.call(folder)
        outside.held(reply.json.get("result") == "ENOSPC" or reply.error.get("error_type") in ("OutOfMemoryError", "DiskLimitError"),
                     f"{folder}: {reply.body[:200]!r}")
        outside.held(max(seen, default=0) <= 64 * MIB, f"{folder}: its box held {max(seen, default=0)} bytes")
