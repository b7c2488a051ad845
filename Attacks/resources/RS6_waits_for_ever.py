"""RS6: waits for ever."""
import os
import select
import time

DEED = "sleeps for years, reads a pipe that nobody writes, opens a named pipe, takes a lock twice"
EXPECTED = "each ends with the timeout, in time, and waiting is metered as next to nothing"
CLASS = "holding a worker"
OPTIONS = ("--timeout", 1)


def apply(kind):
    if kind == "sleep":
        time.sleep(10**9)
    elif kind == "pipe":
        os.read(os.pipe()[0], 1)
    elif kind == "named pipe":
        os.mkfifo("/tmp/pipe")
        open("/tmp/pipe").close()
    elif kind == "poll":
        select.poll().poll()


def judge(outside):
    for kind in ("sleep", "pipe", "named pipe", "poll"):
        began = time.monotonic()
        reply = outside.call(kind)
        seconds = time.monotonic() - began
        outside.failed(reply, "TimeoutError")
        outside.free(reply)
        outside.held(0.9 < seconds < 2.5, f"{kind} ended after {seconds:.1f} s, not 1 s")
        outside.held(outside.metered(reply) < 100_000, f"{kind} was metered with {outside.metered(reply)} us")
        outside.gone(within=0.5)
