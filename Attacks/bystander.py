"""A second tenant and a health probe that go on while somebody attacks.

A process of its own, so that it never waits for the attacker's: `python3 bystander.py PORT KEY ALGORITHM` calls until its
stdin ends and it has enough durations, then prints them, in seconds, and the faults it saw, as one JSON document.
"""
import json
import math
import os
import subprocess
import sys
import threading
import time

SAMPLES_MIN = 200
SECONDS_MAX = 60


class Bystander:
    """Calls an algorithm of another account and /healthz in turn; `seconds` and `faults` are there at the end."""

    def __init__(self, daemon, user, algorithm):
        self._command = [sys.executable, "-B", os.path.abspath(__file__), str(daemon.port), user.key, algorithm]
        self.seconds, self.faults = [], []

    def __enter__(self):
        self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._process.stdout.readline()  # It has begun.
        return self

    def __exit__(self, *_):
        """Lets it go on until there are enough durations to judge by."""
        said = self._process.communicate(timeout=SECONDS_MAX)[0]
        found = json.loads(said)
        self.seconds, self.faults = found["seconds"], found["faults"]

    @property
    def p99(self):
        return percentile(self.seconds, 0.99)


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, math.ceil(len(ordered) * share) - 1)]


def bound(quiet):
    """How long the slowest hundredth may take beside an attack, by how long it takes without."""
    return max(2 * quiet, quiet + 0.020)


def _go_on(port, key, algorithm):
    import outside  # Puts the modules of the end-to-end tests where `import` finds them.

    wire, is_over = outside.wire, threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), is_over.set()), daemon=True).start()
    seconds, faults, number = [], [], 0
    opened = wire.connection(port, timeout=20)
    fields, end = {"Authorization": key, "Content-Type": "text/plain"}, time.monotonic() + SECONDS_MAX - 10
    print("begun", flush=True)
    while not faults and (not is_over.is_set() or len(seconds) < SAMPLES_MIN) and time.monotonic() < end:
        number += 1
        began = time.monotonic()
        try:
            if number % 10 == 0:
                reply = wire.send(opened, "GET", "/healthz")
                is_right = reply.status == 200
            else:
                reply = wire.send(opened, "POST", f"/v1/algo/{algorithm}", str(number), fields)
                is_right = reply.status == 200 and reply.json.get("result") == str(number)
        except (OSError, ValueError) as error:
            faults.append(f"{type(error).__name__}: {error}")
            break
        seconds.append(time.monotonic() - began)
        if not is_right:
            faults.append(f"{reply.status} {reply.body[:200]!r}")
    print(json.dumps({"seconds": seconds, "faults": faults}))


if __name__ == "__main__":
    _go_on(int(sys.argv[1]), *sys.argv[2:4])
