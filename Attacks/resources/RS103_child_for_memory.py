"""RS103: lets a child die for it."""
import os
import time

DEED = "lets a child in a session of its own take memory until it is killed, and answers with a result"
EXPECTED = "whose process was killed has met its limit: the call is a memory failure, and the box is not used again"
CLASS = "exhaustion of memory"
OPTIONS = ("--memory", 64, "--timeout", 5)


def apply(_):
    child = os.fork()
    if child == 0:
        os.setsid()
        blocks = []
        while True:
            blocks.append(bytearray(b"x") * (1 << 20))
    os.waitpid(child, 0)
    time.sleep(0.05)
    return "honest"


def judge(outside):
    reply = outside.call()
    outside.failed(reply, "OutOfMemoryError")
    outside.free(reply)
    outside.gone(within=0.5)
    outside.held(not outside.boxes(), f"the boxes {outside.boxes()} are kept")
