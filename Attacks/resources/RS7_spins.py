"""RS7: uses more than its processors."""
import os
import threading
import time

DEED = "spins in sixty processes, and then in sixty threads that leave the interpreter, with one processor"
EXPECTED = "together they get one processor; what the kernel counted is what is metered"
CLASS = "taking the host's time"
OPTIONS = ("--cpus", 1, "--timeout", 10)
SECONDS, PERIOD = 1.0, 0.1


def apply(kind):
    end = time.monotonic() + SECONDS
    if kind == "processes":
        for _ in range(55):
            if os.fork() == 0:
                break
        while time.monotonic() < end:
            pass
        if os.getpid() != 1:
            os._exit(0)
        for _ in range(55):
            os.wait()
    else:
        import hashlib
        block = bytes(1 << 20)
        threads = [threading.Thread(target=lambda: [hashlib.sha256(block) for _ in iter(lambda: time.monotonic() < end, False)])
                   for _ in range(55)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return "done"


def judge(outside):
    for kind in ("processes", "threads"):
        before = {box: outside.cpu_microseconds(box) for box in outside.boxes()}
        reply = outside.call(kind)
        outside.answered(reply, "done")
        outside.gone()
        seconds = int(reply.headers["X-Faasd-Run-Us"]) / 1e6
        used, metered = sum(outside.cpu_microseconds(box) for box in outside.boxes()) - sum(before.values()), outside.metered(reply)
        # A period's quota may be left over from before, and a processor takes its slice whole.
        bound = (seconds + 2 * PERIOD) * 1.05e6
        outside.held(metered <= bound, f"{kind} used {metered} us of one processor in {seconds:.3f} s")
        outside.held(metered > 0.3e6, f"{kind} were metered with {metered} us for a second of spinning")
        # The way back to its rest, after an answer, belongs to the next call.
        outside.held(-500 <= used - metered < 250_000, f"{kind}: the kernel counted {used} us, metered were {metered}")
