"""WP106: says again and again that its child ended before the call."""
import concurrent.futures

DEED = "reports that its child had ended before the call, alone, and with many warm workers that all do"
EXPECTED = "the call gets another worker, and then is the author's failure: free, and never blamed on the platform"
CLASS = "blaming the platform"
SOURCE = """
import os, struct, sys, time
calls = 0
def apply(text):
    global calls
    calls += 1
    if calls == 1 and text == "warm":
        time.sleep(0.2)
        return "warm"
    here = sys._getframe()
    while "nonce" not in here.f_locals:
        here = here.f_back
    os.write(4, struct.pack("<HBBIQi", 0xFA5D, 0x85, 1, 4, here.f_locals["nonce"], 0))
    time.sleep(60)
"""


def judge(outside):
    algorithm = outside.deploy("lost", {"main.py": SOURCE})
    outside.answered(outside.call("warm", algorithm=algorithm), "warm")
    for _ in range(8):
        outside.free(outside.call("x", algorithm=algorithm))
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for reply in pool.map(lambda _: outside.call("warm", algorithm=algorithm), range(8)):
            outside.answered(reply, "warm")
    replies = [outside.call("x", algorithm=algorithm) for _ in range(6)]
    faults = sum(reply.status != 200 for reply in replies)
    outside.held(faults == 0, f"{faults} of 6 calls with 8 warm workers are blamed on the platform: "
                              f"{next((reply.body[:200] for reply in replies if reply.status != 200), b'')!r}")
