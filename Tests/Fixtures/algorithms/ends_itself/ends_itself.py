"""Ends its own process, which is the first of its box, in the way it is told."""
import os
import signal
import time


def apply(how):
    if how == "abort":
        os.abort()
    if how == "names":  # Which the kernel has to forget before the process is gone.
        for folder, folders, files in os.walk("/usr"):
            for name in files:
                os.path.lexists(os.path.join(folder, name))
                os.path.lexists(os.path.join(folder, name + "?"))
        os._exit(3)
    os.kill(os.getpid(), getattr(signal, how))
    time.sleep(0.05)
    return "still there"
