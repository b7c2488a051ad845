"""RS104: takes memory that lies in pipes and sockets."""
import fcntl
import os
import socket
import time

DEED = "fills the buffers of pipes, made as large as they may be, and the queues of Unix sockets in twenty processes"
EXPECTED = "no space, or the end by the memory limit; all of it is counted in the box, never beyond its limit"
CLASS = "exhaustion of memory"
OPTIONS = ("--memory", 64, "--timeout", 3)
MIB, BLOCK = 1 << 20, b"x" * 65_536
F_SETPIPE_SZ = 1031
kept = []


def pipes():
    while True:
        kept.append(os.pipe())
        try:
            fcntl.fcntl(kept[-1][1], F_SETPIPE_SZ, MIB)
        except PermissionError:
            pass
        os.set_blocking(kept[-1][1], False)
        yield from until_full(lambda: os.write(kept[-1][1], BLOCK))


def queues():
    while True:
        pair = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        kept.append(pair)
        for end in pair:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 30)
            end.setblocking(False)
            yield from until_full(lambda: end.send(BLOCK))


def until_full(write):
    try:
        while True:
            yield write()
    except BlockingIOError:
        pass


def apply(kind):
    for _ in range(20):
        if os.fork() == 0:
            break
    try:
        for _ in globals()[kind]():
            pass
    except OSError as error:
        found = error.errno
    time.sleep(0.3 if os.getpid() == 1 else 60)
    return found


def judge(outside):
    for kind in ("pipes", "queues"):
        with outside.watch(outside.box_bytes, every=0.002) as seen:
            reply = outside.call(kind)
        ended = (reply.json.get("error") or {}).get("error_type")
        outside.held("result" in reply.json or ended in ("OutOfMemoryError", "DiskLimitError"), f"{kind}: {reply.body[:200]!r}")
        outside.held_within(seen, reply, 64 * MIB, 2 * MIB, kind)
        outside.gone()
