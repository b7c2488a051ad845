"""WP101: a published algorithm that answers before it is asked."""
import concurrent.futures

DEED = "floods /tmp/algoout from a thread with answers that nobody asked for, in one version with those of other calls in them"
EXPECTED = "each caller gets what its own worker wrote, nobody's input reaches another; the daemon neither grows nor hangs"
CLASS = "answers of a published algorithm"
SOURCE = """
import json, threading, time
told = []
def flood():
    while True:
        answer = {"result": ["ahead", *told], "metadata": {"content_type": "json"}}
        with open("/tmp/algoout", "w") as fifo:
            for _ in range(PIECES):
                fifo.write(json.dumps(answer) + "\\n")
        time.sleep(PAUSE)
def apply(text):
    if not told:
        threading.Thread(target=flood, daemon=True).start()
    told.append(text)
    time.sleep(0.05)
    return ["asked", *told]
"""


def judge(outside):
    for name, pieces, pause in (("slow", 1, 0.01), ("fast", 2_000, 0)):
        algorithm = outside.publish(name, SOURCE.replace("PIECES", str(pieces)).replace("PAUSE", str(pause)))
        before, descriptors = outside.memory_bytes(), outside.descriptors()
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            users = (outside.attacker, outside.victim) * 4
            replies = list(pool.map(lambda user: outside.call(user.name, user, "?timeout=2", algorithm), users))
        for user, reply in zip(users, replies):
            record, result = outside.usage(reply), reply.json.get("result", [""])
            outside.held(record["outcome"] != "platform-fault" and reply.status == 200, f"{name}: {reply.body[:200]!r}")
            outside.held(set(result) <= {"", "ahead", "asked", user.name}, f"{user.name} was answered {result}")
            outside.held(record["outcome"] in ("ok", "timeout-caller") or record["amount_microcredits"] == 0,
                         f"{name}: a failed call cost {record['amount_microcredits']}")
        outside.held(outside.memory_bytes() - before < 64 << 20, f"the daemon grew by {outside.memory_bytes() - before} bytes")
        outside.held(outside.descriptors() - descriptors < 100, "the daemon's descriptors are used up")
