"""Warm and cold calls mixed, on 32 connections: `python3 mixed.py [MINUTES]`, as root; ten minutes unless told.

Environment: FAASD_BIN, as for the end-to-end tests. Half of the calls are of one version, a quarter have a box each, the rest go round among more
versions than there are seats; some of them are forked from templates, one is called by an account that has one worker of it. Exit status 1 when
anything but 200 or 429 was answered, when a result was wrong, when the daemon's memory in the last tenth is more than 5 % above that in the second, or when the audit finds something.
"""
import collections
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "Tests", "EndToEnd"))
import boxes
from harness import Daemon
from wire import connection, send

CONNECTIONS, VERSIONS, SEATS = 32, 40, 24
ECHO = "def apply(value):\n    return value\n"


class Mix:
    def __init__(self, daemon):
        self.daemon, self.answers, self.wrong = daemon, collections.Counter(), []
        self.owner = daemon.user("owner", "1000000000")
        self.callers = [daemon.user(f"caller{number}", "1000000000") for number in range(4)]
        self.narrow = daemon.user("narrow", "1000000000")
        self.warm = self.deploy("warm")
        self.alone = self.deploy("alone", "--isolation", "call")
        self.many = [self.deploy(f"v{number}", *(("--start", "template") if number % 8 == 0 else ())) for number in range(VERSIONS)]
        daemon.must("quota", "set", f"account:{self.narrow.name}+algorithm:{self.many[1]}", "workers_max", "1")

    def deploy(self, name, *options):
        with tempfile.TemporaryDirectory(prefix="faasd-mixed-") as folder:
            with open(os.path.join(folder, name + ".py"), "w", encoding="ascii") as file:
                file.write(ECHO)
            return self.daemon.deploy(folder, self.owner, *options, name=name)

    def one(self, opened, dice):
        chance, caller = dice.random(), dice.choice(self.callers)
        algorithm = self.warm if chance < 0.5 else self.alone if chance < 0.75 else dice.choice(self.many)
        if chance > 0.97:
            algorithm, caller = self.many[1], self.narrow
        body = str(dice.randrange(10**9))
        reply = send(opened, "POST", f"/v1/algo/{algorithm}", body, {"Authorization": caller.key, "Content-Type": "application/json"})
        self.answers[reply.status, reply.how if reply.status == 200 else reply.json["error"]["error_type"]] += 1
        if reply.status not in (200, 429) or reply.status == 200 and reply.json.get("result") != int(body):
            self.wrong.append(f"{reply}"[:600])

    def client(self, until, seed):
        dice, opened = random.Random(seed), connection(self.daemon.port, 60)
        while time.monotonic() < until and len(self.wrong) < 20:
            self.one(opened, dice)
        opened.close()

    def run(self, seconds):
        until, seed, memory = time.monotonic() + seconds, random.randrange(1 << 30), []
        print(f"seed {seed}", flush=True)
        clients = [threading.Thread(target=self.client, args=(until, seed + number)) for number in range(CONNECTIONS)]
        for client in clients:
            client.start()
        while any(client.is_alive() for client in clients):
            time.sleep(min(10, seconds / 10))
            memory.append(int(boxes.status(self.daemon.pid)["VmRSS"].split()[0]))
        return memory


def main():
    seconds = float(sys.argv[1] if len(sys.argv) > 1 else 10) * 60
    daemon = Daemon({"limits": {"workers": SEATS}}).start()
    try:
        mix = Mix(daemon)
        memory = mix.run(seconds)
        daemon.audit()
    finally:
        daemon.close()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=os.path.dirname(os.path.abspath(__file__)))
    part = max(1, len(memory) // 10)
    tenth, last = statistics.median(memory[part:2 * part]), statistics.median(memory[-part:])
    grown, most = last / tenth - 1, max(memory[part:]) / tenth - 1
    print(f"{sum(mix.answers.values())} calls on {CONNECTIONS} connections in {seconds:.0f} s: "
          + ", ".join(f"{count} {status} {how}" for (status, how), count in sorted(mix.answers.items(), key=str))
          + f"; memory of the daemon {tenth / 1024:.1f} MiB after a tenth, {last / 1024:.1f} at the end, {grown:+.1%} (goal 5 %), {most:+.1%} at most; audit clean; "
          f"{os.cpu_count()} CPUs, Linux {os.uname().release}, commit {commit.stdout.strip()}")
    print("\n".join(mix.wrong))
    sys.exit(1 if mix.wrong or grown > 0.05 else 0)


if __name__ == "__main__":
    main()
