"""RS16: overflows its stack."""
import sys
import threading

DEED = "recurses in the interpreter without end, in its own C code, in a thread, and in children too"
EXPECTED = "its process dies of it or an exception is told; the call is free, the next one is served"
CLASS = "crashing"
OPTIONS = ("--memory", 128, "--timeout", 5)


def apply(kind):
    if kind == "honest":
        return "served"
    sys.setrecursionlimit(2**31 - 1)
    if kind == "interpreter":
        return recurse()
    if kind == "c":
        return overflow()
    threading.stack_size(64 << 20)
    thread = threading.Thread(target=overflow)
    thread.start()
    thread.join()


def recurse():
    return [recurse()]


def overflow():
    nested = ()
    for _ in range(10**6):
        nested = (nested,)
    return hash(nested)


def judge(outside):
    for kind, types in (("interpreter", ("OutOfMemoryError", "SignalError")), ("c", ("SignalError",)),
                        ("thread", ("SignalError", "OutOfMemoryError"))):
        reply = outside.call(kind)
        outside.failed(reply, *types)
        outside.free(reply)
        outside.gone(within=0.5)
        outside.held(not outside.boxes(), f"{kind}: a box whose process died is kept")
    outside.answered(outside.call("honest"), "served")
