"""RS18: keeps the kernel busy instead of the processor."""
import _thread
import os
import signal
import time

DEED = "lets timers fire every microsecond, and makes processes and threads that end at once, in many processes"
EXPECTED = "the kernel's work for it is its own time: within one processor, and metered"
CLASS = "taking the host's time"
OPTIONS = ("--cpus", 1, "--timeout", 2)
SECONDS, PERIOD = 1.0, 0.1


def alarms():
    signal.signal(signal.SIGALRM, lambda *_: None)
    signal.setitimer(signal.ITIMER_REAL, 1e-6, 1e-6)
    return lambda: None


def threads():
    def one():
        try:
            _thread.start_new_thread(int, ())
        except RuntimeError:
            pass
    return one


def processes():
    def one():
        try:
            os.waitpid(os.posix_spawn("/usr/bin/true", ["true"], {}), 0)
        except OSError:
            pass
    return one


def apply(kind):
    end = time.monotonic() + SECONDS
    for _ in range(7):
        if os.fork() == 0:
            break
    time.sleep(0.1)  # Or the first storm keeps the others from being forked.
    one = globals()[kind]()
    while time.monotonic() < end:
        one()
    if os.getpid() != 1:
        os._exit(0)
    signal.setitimer(signal.ITIMER_REAL, 0)
    for _ in range(7):
        os.wait()
    return "done"


def judge(outside):
    for kind in ("alarms", "threads", "processes"):
        reply = outside.call(kind)
        is_limited = reply.error.get("error_type") in ("ProcessLimitError", "TimeoutError")
        outside.held("result" in reply.json or is_limited, f"{kind}: {reply.body[:200]!r}")
        seconds, metered = int(reply.headers["X-Faasd-Run-Us"]) / 1e6, outside.metered(reply)
        outside.held(metered <= (seconds + 2 * PERIOD) * 1.05e6, f"{kind} used {metered} us of one processor in {seconds:.3f} s")
        outside.held(metered > 0.1e6, f"{kind} were metered with {metered} us")
        outside.gone()
