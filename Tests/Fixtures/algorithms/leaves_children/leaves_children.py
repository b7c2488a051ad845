import os
import time


def apply(status):
    """Leaves a process in a session of its own behind, which holds both output pipes, and exits."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(1_000_000)
        os._exit(0)
    os.wait()
    os._exit(int(status))
