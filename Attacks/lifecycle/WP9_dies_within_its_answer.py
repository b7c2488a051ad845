"""WP9: dies at every place of its own answer."""
import ctypes
import os
import struct
import sys

DEED = "dies, by exit and by fault, after each number of bytes of a good answer"
EXPECTED = "no half answer is passed on, no call hangs; a whole one counts"
CLASS = "half of an answer"
ANSWER = b'"whole"'
PLACES = (*range(0, 16 + len(ANSWER), 3), 15, 16, 16 + len(ANSWER) - 1, 16 + len(ANSWER))


def apply(task):
    count, way = task
    here = sys._getframe()
    while "nonce" not in here.f_locals:
        here = here.f_back
    frame = struct.pack("<HBBIQ", 0xFA5D, 0x82, 1, len(ANSWER), here.f_locals["nonce"]) + ANSWER
    if count:
        os.write(4, frame[:count])
    if way == "exit":
        os._exit(0)
    ctypes.string_at(8)


def judge(outside):
    for number, count in enumerate(PLACES):
        reply = outside.call([count, ("exit", "fault")[number % 2]])
        if count == 16 + len(ANSWER):
            outside.answered(reply, "whole")
        else:
            outside.free(reply)
            outside.held(outside.usage(reply)["outcome"] in ("exit", "signal"), f"after {count} bytes: {reply.body[:200]!r}")
