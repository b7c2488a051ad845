"""RS15: calls everywhere at once, each call in a box of its own."""
import threading
import time

DEED = "makes 150 calls at the same time of an algorithm whose every call needs a new box"
EXPECTED = "each is served or refused in order; boxes stay below the bound of one version, others are served meanwhile"
CLASS = "exhaustion of workers"
OPTIONS = ("--isolation", "call", "--memory", 32)
CALLS, BOXES_MAX = 150, 16


def apply(value):
    return value


def judge(outside):
    statuses = []

    def call(number):
        reply = outside.call(str(number))
        statuses.append(reply.status if reply.status != 200 or reply.json.get("result") == str(number) else reply.body[:200])

    threads = [threading.Thread(target=call, args=(number,)) for number in range(CALLS)]
    with outside.watch(lambda: len(outside.boxes()), every=0.02) as seen:
        began = time.monotonic()
        for thread in threads:
            thread.start()
        time.sleep(0.3)
        victim = outside.daemon.call("passer/echo", "x", outside.victim)
        waited = time.monotonic() - began
        for thread in threads:
            thread.join()
    outside.held(victim.json.get("result") == "x" and waited < 3, f"the victim waited {waited:.1f} s for {victim.body[:200]!r}")
    outside.held(len(statuses) == CALLS and set(statuses) <= {200, 429, 503}, f"the calls were answered {set(map(str, statuses))}")
    outside.held(statuses.count(200) > 0, "not one call was served")
    # One box more is the victim's own; those on their way out have a group still.
    outside.held(1 < max(seen) <= BOXES_MAX + 6, f"{max(seen)} boxes at a time, the bound is {BOXES_MAX}")
