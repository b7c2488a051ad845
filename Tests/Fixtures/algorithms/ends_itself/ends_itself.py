"""Ends its own process, which is the first of its box, in the way it is told."""
import os
import signal
import time


def apply(how):
    if how == "abort":
        os.abort()
    os.kill(os.getpid(), getattr(signal, how))
    time.sleep(0.05)
    return "still there"
