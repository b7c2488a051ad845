"""WP104: ends its worker by signals."""

DEED = "sends pid 1 every signal, SIGINT among them, from an ordinary algorithm and from a published one, again and again"
EXPECTED = "the call fails as the code's own end or is answered; it is free, and the next call gets another worker"
CLASS = "ending the worker"
ORDINARY = """
import os, signal, time
def apply(number):
    if number == 0:
        return "answered"
    for _ in range(20):
        os.kill(1, number)
    time.sleep(0.005)
    return "answered"
"""
SIGNALS = (1, 2, 3, 6, 9, 10, 11, 13, 14, 15, 17, 19, 20, 31, 34, 64)


def judge(outside):
    for name, algorithm in (("ordinary", outside.deploy("ordinary", {"main.py": ORDINARY})),
                            ("published", outside.publish("interrupts", ORDINARY))):
        for number in SIGNALS:
            for after in (number, 0):
                reply = outside.call(after, query="?timeout=2", algorithm=algorithm)
                if reply.json.get("result") != "answered":
                    outside.free(reply)
                    outside.held(after, f"{name}: after signal {number} the next call failed: {reply.body[:200]!r}")
    for number in range(8):  # Nobody's sleeping worker is blamed on the platform.
        reply = outside.call(2, algorithm=algorithm)
        outside.held(reply.status == 200, f"{reply.status}: {reply.body[:200]!r}")
