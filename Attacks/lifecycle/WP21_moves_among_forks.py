"""WP21: works in the control groups of its siblings, where a version's workers are forked from one process."""
import os
import socket
import threading
import time

DEED = "keeps the files by which forks of its template enter their groups, and works in a sibling's group while that one runs, and while it sleeps"
EXPECTED = "all CPU time is in the records of the two calls; in the group of one that sleeps it stands still until its time is over"
CLASS = "work that nobody pays"
OPTIONS = ("--start", "template", "--timeout", 3)
DOORS = []
UNTOLD_MICROSECONDS = 5_000
LEAST_MICROSECONDS = 300_000
received = socket.recv_fds


def keep(*words):
    """In the template, before it forks: its later forks have the files of all earlier ones."""
    order = received(*words)
    DOORS.append([os.dup(door) for door in order[1][4:]])
    return order


socket.recv_fds = keep


def apply(deed):
    if deed == "sit":
        time.sleep(1)
    if deed == "burn":
        for door in DOORS[0]:
            os.write(door, b"0")
        end = time.thread_time() + 0.3
        while time.thread_time() < end:
            pass
    return len(DOORS)


def judge(outside):
    outside.held(outside.call("warm").json.get("result") == 1, "there was no order: this attack does not attack")
    (first,) = outside.boxes()
    used = outside.cpu_microseconds(first)
    replies = []
    sitting = threading.Thread(target=lambda: replies.append(outside.call("sit")))
    sitting.start()
    time.sleep(0.3)
    replies.append(outside.call("burn"))
    sitting.join()
    outside.held(sorted(reply.json.get("result", 0) for reply in replies) == [1, 2], f"{[reply.body for reply in replies]}")
    told = sum(outside.usage(reply)["cpu_us"] for reply in replies)
    untold = sum(outside.cpu_microseconds(box) for box in outside.boxes()) - used - told
    outside.held(untold < UNTOLD_MICROSECONDS, f"{untold} us of CPU time are in no record")
    outside.held(told > LEAST_MICROSECONDS, f"the records have {told} us")
    outside.gone()
    for _ in range(2):  # Either fork may get the call.
        reply = outside.call("burn")
        outside.held("result" in reply.json or reply.error["error_type"] in ("TimeoutError", "SignalError"), f"{reply.body[:200]!r}")
        outside.gone()
