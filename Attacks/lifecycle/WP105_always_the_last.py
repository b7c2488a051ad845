"""WP105: says with each answer that it is the last."""
import concurrent.futures
import time

DEED = "answers every call with the flag of a last answer, by a published algorithm and by frames of its own"
EXPECTED = "every worker goes with its answer; seats, processes and descriptors are given back, loading is charged to nobody"
CLASS = "wearing the pool out"
PUBLISHED = """
import json
def apply(text):
    with open("/tmp/algoout", "w") as fifo:
        fifo.write(json.dumps({"result": text, "metadata": {"content_type": "text"}, "ends": True}) + "\\n")
    import time
    time.sleep(60)
"""
FRAMES = """
import os, struct, sys, time
def apply(text):
    here = sys._getframe()
    while "nonce" not in here.f_locals:
        here = here.f_back
    os.write(4, struct.pack("<HBBIQ", 0xFA5D, 0x82, 0x80, len(text), here.f_locals["nonce"]) + text.encode())
    time.sleep(60)
"""


def judge(outside):
    for algorithm in (outside.publish("ends", PUBLISHED), outside.deploy("ended", {"main.py": FRAMES})):
        descriptors, began = outside.descriptors(), time.monotonic()
        paid = outside.daemon.balance(outside.attacker.name)["spent_microcredits"]
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            replies = list(pool.map(lambda number: outside.call(str(number), algorithm=algorithm), range(12)))
        for number, reply in enumerate(replies):
            outside.answered(reply, str(number))
            outside.held(reply.start == "cold", f"call {number} met a worker that had ended")
        outside.gone(within=1)
        outside.held(not outside.boxes(), f"boxes {outside.boxes()} are left")
        outside.held(outside.descriptors() - descriptors < 10, "descriptors of the daemon are left open")
        paid = outside.daemon.balance(outside.attacker.name)["spent_microcredits"] - paid
        outside.held(paid == sum(reply.charge for reply in replies), "what was paid is not what the receipts say")
        longest = (time.monotonic() - began) * 4_000_000
        outside.held(paid < longest, f"{paid} microcredits were charged for at most {longest:.0f} µs of running")
