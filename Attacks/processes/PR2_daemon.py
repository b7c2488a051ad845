"""PR2: becomes a daemon and answers."""
import os
import signal
import time

DEED = "forks twice into a session of its own, ignores the polite signals, spins, and answers"
EXPECTED = "what is left behind stands still with its box, unbilled and alone, until it ends with the box"
CLASS = "running without paying"


def apply(_):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_IGN)
            while True:
                pass
        os._exit(0)
    os.wait()
    return "left"


def judge(outside):
    outside.answered(outside.call(), "left")
    outside.gone()
    (box,) = outside.boxes()
    before = outside.cpu_microseconds(box)
    time.sleep(0.4)
    outside.held(outside.cpu_microseconds(box) == before, "the daemon ran on after the answer")
    metered = 0
    for _ in range(10):  # Each call wakes the daemons of those before it.
        metered += outside.metered(outside.call())
        outside.gone()
    used = outside.cpu_microseconds(box) - before
    outside.held(used <= metered + 1_000, f"ten calls used {used} us and were metered with {metered}")
