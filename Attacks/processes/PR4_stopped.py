"""PR4: stops instead of running."""
import os
import signal
import time

DEED = "ignores every signal, stops its children and itself with SIGSTOP, and never answers"
EXPECTED = "the timeout ends stopped processes as it ends others"
CLASS = "outliving the timeout"
OPTIONS = ("--timeout", 1)


def apply(_):
    for number in range(1, 65):
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            pass
    for _ in range(5):
        if os.fork() == 0:
            os.setsid()
            while True:
                os.kill(os.getpid(), signal.SIGSTOP)
    os.kill(0, signal.SIGSTOP)
    while True:
        time.sleep(60)


def judge(outside):
    began = time.monotonic()
    with outside.watch(outside.awake) as seen:
        reply = outside.call()
    seconds = outside.gone()
    outside.failed(reply, "TimeoutError")
    outside.held(max(map(len, seen), default=0) == 6, "its six processes were never seen")
    outside.held(seconds < 0.5, f"processes were there for {seconds:.3f} s")
    outside.held(time.monotonic() - began < 3, "the timeout of 1 s was not kept")
