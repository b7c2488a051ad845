"""PR105: exhausts locks of files and sockets in flight."""
import array
import fcntl
import os
import socket
import time

DEED = "locks every second byte of a file, and sends sockets within sockets, in twenty processes until something refuses"
EXPECTED = "a limit of the box refuses or ends it; its memory stays in its limit and the host's kernel memory as it was"
CLASS = "exhaustion of the kernel"
OPTIONS = ("--memory", 64, "--timeout", 1)
MIB = 1 << 20


def locks():
    with open("/tmp/locks", "w") as file:
        for at in range(10**7):
            fcntl.lockf(file, fcntl.LOCK_EX, 1, 2 * at)
            yield


def flights():
    """Sockets that are on their way in sockets that are on their way."""
    while True:
        left, right = socket.socketpair()
        rights = array.array("i", [left.fileno(), right.fileno()] * 60)
        left.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])
        del left, right
        yield


def apply(kind):
    first = os.getpid()
    for _ in range(20):
        if os.fork() == 0:
            break
    count, end = 0, time.monotonic() + 0.4
    try:
        for count, _ in enumerate(globals()[kind]()):
            if time.monotonic() > end:
                break
    except OSError:
        pass
    if os.getpid() != first:
        time.sleep(0.3)
        os._exit(0)
    return count


def judge(outside):
    for kind in ("locks", "flights"):
        before = outside.host_kilobytes("SUnreclaim")
        with outside.watch(outside.box_bytes) as seen, outside.watch(lambda: outside.host_kilobytes("SUnreclaim")) as slabs:
            reply = outside.call(kind)
        outside.held("result" in reply.json or reply.error["error_type"] in ("OutOfMemoryError", "TimeoutError", "AlgorithmError"),
                     f"{kind}: {reply.body[:200]!r}")
        outside.held_within(seen, reply, 64 * MIB, -1, kind)
        grown = max(slabs, default=before) - before
        outside.held(grown < 200 * 1024, f"{kind}: kernel memory grew by {grown} KiB")
        outside.gone()
