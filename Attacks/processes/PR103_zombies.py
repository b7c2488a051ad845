"""PR103: fills its process numbers with the dead."""
import os

DEED = "forks children that end and are never waited for, until there is no place, and answers as if nothing were"
EXPECTED = "the answer counts, the worker does not: each call is served by a new box, and nothing of the old is left"
CLASS = "exhaustion of processes"


def apply(_):
    count = 0
    while count < 1000:
        try:
            child = os.fork()
        except OSError:
            break
        if child == 0:
            os._exit(0)
        count += 1
    return count


def judge(outside):
    counts = []
    for _ in range(3):
        reply = outside.call()
        counts.append(reply.json.get("result"))
        outside.gone(within=0.5)
        outside.held(reply.start == "cold", "a worker without a free place was used again")
    outside.held(counts[0] in range(32, 64) and len(set(counts)) == 1, f"the calls could make {counts} processes")
    outside.held(not outside.boxes(), f"the boxes {outside.boxes()} are kept")
