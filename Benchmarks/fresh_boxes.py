"""Ten thousand calls, each in a box of its own: what is left of them? `python3 fresh_boxes.py [CALLS]`, as root.

Environment: FAASD_BIN, as for the end-to-end tests. Prints counts before and after as a table; exit status 1 when any
count grew, or the daemon's memory by more than 5 %.

A control group that is gone is remembered while a page of a file is cached that it was the first to read, and such a
page stays while any process has it mapped. So the groups are counted twice: as they are, for information, and while no
daemon runs and the host's cached pages have been dropped (`/proc/sys/vm/drop_caches`; the host is slower for a while),
before and after; the daemon before is one of its own, which served the calls for warming up too.
"""
import concurrent.futures
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "Tests", "EndToEnd"))
import boxes
from harness import Daemon, wait_until
from wire import connection, send

WARM_UP, STEP, AT_ONCE = 1_000, 1_000, 4
BLANKS_LEAST = 4
THREADS = "threads of faasd (for information: calls have as many as ran at once)"
CACHED = "control groups, dying ones too (for information)"
UNCACHED = "control groups, dying ones too, before the daemon and after it, without cached pages"


def memory(pid):
    return int(boxes.status(pid)["VmRSS"].split()[0])


def dying():
    """Control groups that were removed and are still remembered: every hierarchy's count minus its directories."""
    total = {}
    for line in boxes.read("/proc/cgroups").splitlines()[1:]:
        name, _, groups, _ = line.split()
        total[name] = int(groups)
    return sum(total[name] for name in ("memory", "pids", "cpu") if name in total)


def dying_without_caches():
    """The same when nothing of ours runs and no page of a file is cached."""
    os.sync()
    with open("/proc/sys/vm/drop_caches", "w", encoding="ascii") as file:
        file.write("1")
    time.sleep(2)
    return dying()


def settle(daemon):
    """Waits until as few boxes are ready for nobody as there are at least: their number follows the calls of late."""
    def blanks():
        lines = daemon.manage("GET", "/metrics").body.decode().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("faasd_blanks "))
    wait_until(lambda: blanks() == BLANKS_LEAST or time.sleep(2), 240, "the stock of blanks is at its least")
    time.sleep(2)


def counts(daemon):
    settle(daemon)
    spawner = daemon.spawner_pid()
    return {
        "descriptors of faasd": len(os.listdir(f"/proc/{daemon.pid}/fd")),
        "descriptors of faasd-spawner": len(os.listdir(f"/proc/{spawner}/fd")),
        "mounts of faasd-spawner": len(boxes.read(f"/proc/{spawner}/mountinfo").splitlines()),
        "mounts of the host": len(boxes.read("/proc/self/mountinfo").splitlines()),
        "control groups of boxes": len(boxes.directories(daemon.group)),
        CACHED: dying(),
        "processes in boxes": len(boxes.processes(daemon.group)),
        THREADS: len(os.listdir(f"/proc/{daemon.pid}/task")),
        "memory of faasd, KiB": memory(daemon.pid),
        "memory of faasd-spawner, KiB": memory(spawner),
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


def warmed_up():
    daemon = Daemon().start()
    try:
        author, caller = daemon.user("author"), daemon.user("caller", credits="1000000")
        algorithm = daemon.deploy("echo", author, "--isolation", "call")
        run(daemon, caller, algorithm, WARM_UP)
        return daemon, caller, algorithm
    except BaseException:
        daemon.close()
        raise


def main():
    how_many = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    warmed_up()[0].close()
    forgotten = dying_without_caches()
    daemon, caller, algorithm = warmed_up()
    try:
        before, began = counts(daemon), time.monotonic()
        course = []
        for done in range(0, how_many, STEP):
            run(daemon, caller, algorithm, min(STEP, how_many - done))
            course.append((memory(daemon.pid), dying()))
        seconds, after = time.monotonic() - began, counts(daemon)
        daemon.audit()
    finally:
        daemon.close()
    before[UNCACHED], after[UNCACHED] = forgotten, dying_without_caches()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=os.path.dirname(__file__))
    print(f"{how_many} calls in boxes of their own after {WARM_UP}, {AT_ONCE} at once, {how_many / seconds:.0f} a second; "
          f"{os.cpu_count()} CPUs, Linux {os.uname().release}, commit {commit.stdout.strip()}")
    print("| | before | after |\n|---|---|---|")
    for name in before:
        print(f"| {name} | {before[name]} | {after[name]} |")
    print(f"after each {STEP} calls: memory of faasd, MiB: " + " ".join(str(kibibytes >> 10) for kibibytes, _ in course)
          + "; control groups, dying ones too: " + " ".join(str(groups) for _, groups in course))
    grown = [name for name in before if name not in (CACHED, THREADS) and after[name] > before[name] * (1.05 if name.startswith("memory") else 1)]
    print("grown: " + (", ".join(grown) or "nothing"))
    sys.exit(1 if grown else 0)


if __name__ == "__main__":
    main()
