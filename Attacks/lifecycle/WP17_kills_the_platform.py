"""WP17: the daemon, then its spawner, are killed in mid-call."""
import http.client
import os
import signal
import threading
import time

import boxes
import harness
from host import wait_until

DEED = "waits in a call, with children that ignore signals, for the daemon or its spawner to be killed"
EXPECTED = "every process dies with them; the ledger has no half record, no hold is left, and the next start serves"
CLASS = "surviving the platform"
SOURCE = """
import os, signal, time
def apply(_):
    for _ in range(4):
        if os.fork() == 0:
            os.setsid()
            for number in (1, 2, 3, 15):
                signal.signal(number, signal.SIG_IGN)
            time.sleep(600)
    time.sleep(600)
"""


def judge(outside):
    daemon = harness.Daemon({"drain_seconds": 0})
    shared, outside.daemon = outside.daemon, daemon
    try:
        daemon.start()
        outside.attacker = daemon.user("attacker")
        waits = outside.deploy("waits", {"main.py": SOURCE})
        for kill in (daemon.kill9, lambda: (os.kill(daemon.spawner_pid(), signal.SIGKILL), daemon.wait(5))):
            thread = threading.Thread(target=ignoring_the_end, args=(outside, waits))
            thread.start()
            wait_until(lambda: len(boxes.processes(daemon.group)) >= 5, 5, "the call runs")
            began = time.monotonic()
            kill()
            while left := boxes.processes(daemon.group):
                outside.held(time.monotonic() - began < 3, f"processes {left} are left")
            thread.join()
            daemon.start()
            outside.held(not boxes.directories(daemon.group), "control groups are left after the next start")
            outside.held(daemon.balance("attacker")["held_microcredits"] == 0, "a hold is left")
            # A daemon that outlives its spawner for a moment sees the call end, and may still say so.
            ((records, amount),) = daemon.ledger("SELECT count(*), coalesce(sum(amount_ucr), 0) FROM usage")
            outside.held(amount == 0 and records <= (kill != daemon.kill9), f"{records} records of calls that never ended, {amount} microcredits")
            daemon.audit()
    finally:
        outside.daemon = shared
        daemon.close()


def ignoring_the_end(outside, algorithm):
    try:
        outside.call("x", algorithm=algorithm)
    except (OSError, http.client.HTTPException):
        pass
