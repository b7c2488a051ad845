"""WP108: works first, and then says that nothing had begun."""
import concurrent.futures
import os
import struct
import sys
import time

DEED = "burns CPU in a call, then reports that its child had ended before that call, so that another worker is tried"
EXPECTED = "the first worker that worked ends the call, and all of its CPU time is in the record"
CLASS = "work that nobody pays"
SECONDS, WARM = 0.3, 2
calls = 0


def apply(task):
    global calls
    calls += 1
    if task == "warm":
        time.sleep(0.2)
        return calls
    if task == "burn" and calls > 1:
        end = time.thread_time() + SECONDS
        while time.thread_time() < end:
            pass
        here = sys._getframe()
        while "nonce" not in here.f_locals:
            here = here.f_back
        os.write(4, struct.pack("<HBBIQi", 0xFA5D, 0x85, 1, 4, here.f_locals["nonce"], 0))
        time.sleep(60)
    return "done by another"


def judge(outside):
    with concurrent.futures.ThreadPoolExecutor(WARM) as pool:
        for reply in pool.map(lambda _: outside.call("warm"), range(WARM)):
            outside.answered(reply, 1)
    reply = outside.call("burn")
    outside.failed(reply, "SystemExit")
    told, burnt = outside.usage(reply)["cpu_us"], SECONDS * 1_000_000
    outside.held(told >= burnt, f"a worker burnt {burnt:.0f} µs, the record has {told} µs")
