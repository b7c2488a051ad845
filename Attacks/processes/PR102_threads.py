"""PR102: makes threads for ever."""
import _thread
import time

DEED = "starts threads in a loop, and others that end at once and are started again"
EXPECTED = "the limit counts threads as it counts processes; the call ends as a process limit, and nothing is left"
CLASS = "exhaustion of processes"
OPTIONS = ("--timeout", 1)
LIMIT = 64


def apply(_):
    while True:
        try:
            _thread.start_new_thread(time.sleep, (0.5,))
            _thread.start_new_thread(int, ())
        except RuntimeError:
            pass


def judge(outside):
    import os

    def tasks():
        return sum(len(os.listdir(f"/proc/{pid}/task")) for pid in outside.awake())

    with outside.watch(tasks, every=0.005) as seen:
        reply = outside.call()
    seconds = outside.gone()
    outside.failed(reply, "ProcessLimitError")
    outside.held(LIMIT // 2 < max(seen, default=0) <= LIMIT, f"it had {max(seen, default=0)} threads, the limit is {LIMIT}")
    outside.held(seconds < 0.5, f"processes were there for {seconds:.3f} s")
