"""PR25: exhausts timers, watches and signals of the kernel."""
import ctypes
import os
import select
import signal
import time

DEED = "makes timers, watches and pending signals in twenty processes until something refuses"
EXPECTED = "a limit of the box refuses or ends it; its memory stays in its limit and the host's kernel memory as it was"
CLASS = "exhaustion of the kernel"
OPTIONS = ("--memory", 64, "--timeout", 1)
MIB = 1 << 20


def timers():
    libc, made = ctypes.CDLL(None, use_errno=True), ctypes.c_long()
    while libc.syscall(ctypes.c_long(222), ctypes.c_long(0), None, ctypes.byref(made)) == 0:
        yield


def watches():
    """With epoll, where it is there; else the pipes alone, a page of the kernel each."""
    try:
        polls = [select.epoll() for _ in range(60)]
    except OSError:
        polls = [select.poll()]
    for poll in polls:
        for _ in range(180):
            left, right = os.pipe()
            os.write(right, b"x" * 4096)
            poll.register(os.dup(left), select.POLLIN)
            yield


def signals():
    signal.pthread_sigmask(signal.SIG_BLOCK, range(34, 64))
    while True:
        for number in range(34, 64):
            os.kill(os.getpid(), number)
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
    time.sleep(max(0, end - time.monotonic()))  # What was refused at once is looked at all the same.
    if os.getpid() != first:
        time.sleep(0.3)
        os._exit(0)
    return count


def judge(outside):
    for kind in ("timers", "watches", "signals"):
        before = outside.host_kilobytes("SUnreclaim")
        with outside.watch(outside.box_bytes) as seen, outside.watch(lambda: outside.host_kilobytes("SUnreclaim")) as slabs:
            reply = outside.call(kind)
        outside.held("result" in reply.json or reply.error["error_type"] in ("OutOfMemoryError", "TimeoutError", "AlgorithmError"),
                     f"{kind}: {reply.body[:200]!r}")
        outside.held_within(seen, reply, 64 * MIB, -1, kind)
        grown = max(slabs, default=before) - before
        outside.held(grown < 200 * 1024, f"{kind}: kernel memory grew by {grown} KiB")
        outside.gone()
