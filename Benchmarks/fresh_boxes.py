"""Ten thousand calls, each in a box of its own: what is left of them? `python3 fresh_boxes.py [CALLS]`, as root.

Environment: FAASD_BIN, as for the end-to-end tests. Prints counts before and after as a table; exit status 1 when any
count grew, or the daemon's memory by more than 5 %.
"""
import concurrent.futures
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "Tests", "EndToEnd"))
import boxes
from harness import Daemon
from wire import connection, send

WARM_UP, AT_ONCE = 1_000, 4


def dying():
    """Control groups that were removed and are still remembered: every hierarchy's count minus its directories."""
    total = {}
    for line in boxes.read("/proc/cgroups").splitlines()[1:]:
        name, _, groups, _ = line.split()
        total[name] = int(groups)
    return sum(total[name] for name in ("memory", "pids", "cpu") if name in total)


def counts(daemon):
    spawner = daemon.spawner_pid()
    return {
        "descriptors of faasd": len(os.listdir(f"/proc/{daemon.pid}/fd")),
        "descriptors of faasd-spawner": len(os.listdir(f"/proc/{spawner}/fd")),
        "mounts of faasd-spawner": len(boxes.read(f"/proc/{spawner}/mountinfo").splitlines()),
        "mounts of the host": len(boxes.read("/proc/self/mountinfo").splitlines()),
        "control groups of boxes": len(boxes.directories(daemon.group)),
        "control groups, dying ones too": dying(),
        "processes in boxes": len(boxes.processes(daemon.group)),
        "threads of faasd": len(os.listdir(f"/proc/{daemon.pid}/task")),
        "memory of faasd, MiB": int(boxes.status(daemon.pid)["VmRSS"].split()[0]) >> 10,
        "memory of faasd-spawner, KiB": int(boxes.status(spawner)["VmRSS"].split()[0]),
    }


def call(daemon, user, algorithm, how_many):
    opened = connection(daemon.port)
    fields = {"Authorization": user.key, "Content-Type": "text/plain"}
    for number in range(how_many):
        reply = send(opened, "POST", f"/v1/algo/{algorithm}", str(number), fields)
        assert (reply.status, reply.json.get("result"), reply.start) == (200, str(number), "cold"), reply
    opened.close()


def run(daemon, user, algorithm, how_many):
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        for job in [pool.submit(call, daemon, user, algorithm, how_many // AT_ONCE) for _ in range(AT_ONCE)]:
            job.result()
    time.sleep(2)


def main():
    how_many = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    daemon = Daemon().start()
    try:
        author, caller = daemon.user("author"), daemon.user("caller", credits="1000000")
        algorithm = daemon.deploy("echo", author, "--isolation", "call")
        run(daemon, caller, algorithm, WARM_UP)
        before, began = counts(daemon), time.monotonic()
        run(daemon, caller, algorithm, how_many)
        seconds, after = time.monotonic() - began, counts(daemon)
        daemon.audit()
    finally:
        daemon.close()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=os.path.dirname(__file__))
    print(f"{how_many} calls in boxes of their own after {WARM_UP}, {AT_ONCE} at once, {how_many / seconds:.0f} a second; "
          f"{os.cpu_count()} CPUs, Linux {os.uname().release}, commit {commit.stdout.strip()}")
    print("| | before | after |\n|---|---|---|")
    for name in before:
        print(f"| {name} | {before[name]} | {after[name]} |")
    grown = [name for name in before if after[name] > before[name] * (1.05 if name.startswith("memory") else 1)]
    print("grown: " + (", ".join(grown) or "nothing"))
    sys.exit(1 if grown else 0)


if __name__ == "__main__":
    main()
