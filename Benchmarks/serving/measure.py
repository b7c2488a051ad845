"""Rows of docs/benchmarks.md on serving calls: `measure.py BINARIES ENVIRONMENT [SECONDS]`, as root, on a quiet machine.

BINARIES is where the release lies, ENVIRONMENT a folder for the peers' virtual environment. Each figure stands beside
that of a peer measured in the same run; the ratios of the two are what is judged.
"""
import contextlib
import os
import re
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
REPOSITORY = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [HERE, os.path.join(REPOSITORY, "Tests", "EndToEnd")]
os.environ["FAASD_BIN"] = os.path.abspath(sys.argv[1])
import boxes  # noqa: E402 (beside the end to end tests)
import harness  # noqa: E402 (beside the end to end tests)
import peers  # noqa: E402 (beside this file)
import sharing  # noqa: E402
import wire  # noqa: E402

ECHO = "def apply(value):\n    return value\n"
NUMPY = "import numpy\n\n\ndef apply(value):\n    return int(numpy.arange(value).sum())\n"
BODY = '{"values":[1,2,3],"name":"benchmark"}'
COLD_CALLS = 40
CALL_CALLS = 300
CALLS_IN_ALL = 1_000_000
IDLE = 1_000
VERSIONS = 10_000


class Load:
    """What wrk measured."""

    def __init__(self, url, connections, seconds, key=""):
        line = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", os.path.join(HERE, "post.lua"), url]
        environment = {**os.environ, "BODY": BODY, "KEY": key}
        done = subprocess.run(line, env=environment, capture_output=True, text=True, check=True)
        figures = next(row for row in done.stdout.splitlines() if row.startswith("FIGURES")).split()[1:]
        requests, micros, self.p50, self.p99, self.most, self.errors = map(int, figures)
        self.rate = requests / micros * 1e6

    def __str__(self):
        errors = f", {self.errors} ERRORS" if self.errors else ""
        return f"p50 {self.p50} us, p99 {self.p99} us, {self.rate:.0f}/s{errors}"


def row(name, text):
    print(f"{name:4} {text}", flush=True)


def deploy(daemon, owner, name, text, *options, requirements=None):
    with tempfile.TemporaryDirectory(prefix="faasd-bench-") as folder:
        with open(os.path.join(folder, name + ".py"), "w", encoding="ascii") as file:
            file.write(text)
        if requirements:
            with open(os.path.join(folder, "requirements.txt"), "w", encoding="ascii") as file:
                file.write(requirements + "\n")
        return daemon.deploy(folder, owner, *options, name=name)


def warm(daemon, python, seconds):
    """W1 to W3."""
    author = daemon.user("author", "1000000")  # Each running call holds the price of its whole timeout.
    echo = deploy(daemon, author, "echo", ECHO)
    url = f"http://127.0.0.1:{daemon.port}/v1/algo/{echo}"
    with tempfile.TemporaryDirectory(prefix="faasd-bench-") as folder, peers.fastapi(python, folder) as peer:
        for target, key in ((peer, ""), (url, author.key)):
            Load(target, 8, 3, key)
        one = Load(peer, 1, seconds), Load(url, 1, seconds, author.key)
        many = Load(peer, 32, seconds), Load(url, 32, seconds, author.key)
    row("W1", f"1 connection: FastAPI {one[0]}; faasd {one[1]}; ratio of p50 {one[1].p50 / one[0].p50:.2f} (goal 2.5, then 2.0)")
    row("W2", f"32 connections: FastAPI {many[0]}; faasd {many[1]}; ratio of rates {many[1].rate / many[0].rate:.2f} (goal 2.0, then 2.8)")
    row("W3", f"32 connections: p99 is {many[1].p99 / many[1].p50:.1f} x p50 (goal 10)")


def phases(daemon):
    """Where the time of warm calls went, by the daemon's own histograms: means in microseconds."""
    text = daemon.manage("GET", "/metrics").body.decode()
    found = {}
    for line in text.splitlines():
        match = re.match(r'faasd_call_phase_seconds_(sum|count){phase="(\w+)",start="warm"} (\S+)', line)
        if match:
            found.setdefault(match[2], {})[match[1]] = float(match[3])
    return {phase: figures["sum"] / figures["count"] * 1e6 for phase, figures in found.items()}


def anatomy(seconds):
    """Where a warm call's time goes, alone and among 32; a daemon each, so that the means are of such calls only."""
    for connections in (1, 32):
        daemon = harness.Daemon({"limits": {"workers_per_version_and_account": 8}}).start()
        try:
            author = daemon.user("author", "1000000")
            echo = deploy(daemon, author, "echo", ECHO)
            load = Load(f"http://127.0.0.1:{daemon.port}/v1/algo/{echo}", connections, seconds, author.key)
            means = phases(daemon)
        finally:
            daemon.close()
        all_of_it = connections / load.rate * 1e6
        parts = ", ".join(f"{phase} {means[phase]:.0f}" for phase in ("queue", "run", "freeze", "commit"))
        row("", f"where a warm call's {all_of_it:.0f} us go at {connections} connections, means: {parts}, "
                f"the rest (HTTP, threads, the load generator) {all_of_it - sum(means.values()):.0f}")


def memory(daemon):
    """W4: the daemon's memory over a million calls."""
    author = daemon.user("many", "1000000000")
    echo = deploy(daemon, author, "echo", ECHO)
    url, done, seen = f"http://127.0.0.1:{daemon.port}/v1/algo/{echo}", 0, []
    while done < CALLS_IN_ALL:
        load = Load(url, 32, 10, author.key)
        done += int(load.rate * 10)
        seen.append((done, int(boxes.status(daemon.pid)["VmRSS"].split()[0]) / 1024))
    tenth = next(memory for count, memory in seen if count >= CALLS_IN_ALL / 10)
    grown = seen[-1][1] / tenth - 1
    row("W4", f"memory of the daemon after {seen[-1][0]} calls: {seen[-1][1]:.1f} MiB, {grown:+.1%} since the first tenth (goal 5 %)")


def many_idle(seconds=10):
    """C5: a thousand idle warm workers."""
    daemon = harness.Daemon({"limits": {"workers": IDLE, "blanks": 16}, "connections": 200}).start()
    try:
        author = daemon.user("author")
        echo = deploy(daemon, author, "echo", ECHO)
        for number in range(IDLE):
            user = daemon.manage("POST", "/v1/manage/users", {"name": f"u{number}"}) and f"u{number}"
            daemon.manage("POST", f"/v1/manage/accounts/{user}/top-ups", {"credits": "1000", "ref": user})
            key = daemon.manage("POST", "/v1/manage/keys", {"user": user, "kind": "algorithm"}).json["key"]
            reply = daemon.call(echo, "x", harness.User(user, key, ""))
            assert reply.json.get("result") == "x", reply
        held = [pid for pid in boxes.processes(daemon.group)]
        pss = sum(int(line.split()[1]) for pid in held for line in boxes.read(f"/proc/{pid}/smaps_rollup").splitlines()
                  if line.startswith("Pss:"))
        before = cpu_seconds(daemon.pid)
        time.sleep(seconds)
        idle = (cpu_seconds(daemon.pid) - before) / seconds
    finally:
        daemon.close()
    row("C5", f"{len(held)} idle warm workers: {pss / 1048576:.2f} GiB PSS, {pss / len(held):.0f} KiB each; "
              f"the daemon's idle CPU {idle:.2%} (goal 4 GiB and 1 %)")


def cpu_seconds(pid):
    fields = boxes.read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def many_versions():
    """C6: first calls among ten versions, and among ten thousand, which stand in the catalog with the same files."""
    figures = []
    for count in (10, VERSIONS):
        daemon = harness.Daemon().start()
        try:
            author = daemon.user("author")
            names = [deploy(daemon, author, f"v{number}", f"NUMBER = {number}\n" + ECHO) for number in range(COLD_CALLS)]
            daemon.stop()
            with sqlite3.connect(daemon.state + "/catalog.db") as catalog:
                for number in range(count - COLD_CALLS):
                    catalog.execute("INSERT INTO algorithms(owner, name, name_folded, created_us) SELECT owner, ?1, ?1, created_us"
                                    " FROM algorithms LIMIT 1", (f"copy{number}",))
                    catalog.execute(
                        "INSERT INTO versions(algorithm, major, minor, revision, hash, store_key, runtime, public, royalty_microcredits,"
                        " memory_bytes, cpus, timeout_seconds, isolation, pids_max, tmp_bytes, created_us, state) SELECT"
                        " last_insert_rowid(), major, minor, revision, hash, store_key, runtime, public, royalty_microcredits,"
                        " memory_bytes, cpus, timeout_seconds, isolation, pids_max, tmp_bytes, created_us, state FROM versions LIMIT 1")
            catalog.close()
            daemon.start()
            time.sleep(3)
            opened, times = wire.connection(daemon.port, 60), []
            for name in names:
                fields = {"Content-Type": "text/plain", "Authorization": author.key}
                seconds, reply = timed(lambda: wire.send(opened, "POST", f"/v1/algo/{name}", b"x", fields))
                assert reply.json.get("result") == "x", reply
                times.append(seconds)
                time.sleep(0.1)
            opened.close()
        finally:
            daemon.close()
        figures.append(times)
    ratio = statistics.median(figures[1]) / statistics.median(figures[0])
    row("C6", f"first calls: {spread(figures[0])} with {COLD_CALLS} versions, {spread(figures[1])} with {VERSIONS}; ratio {ratio:.2f} (goal 1.2)")


def spread(seconds):
    ordered = sorted(seconds)
    return f"p50 {statistics.median(ordered) * 1e3:.2f} ms, p99 {ordered[int(len(ordered) * 0.99)] * 1e3:.2f} ms"


def timed(function):
    began = time.perf_counter()
    result = function()
    return time.perf_counter() - began, result


def cold(daemon, python):
    """C1 and C2, over one connection that is kept."""
    author = daemon.user("cold")
    opened = wire.connection(daemon.port, 60)

    def call(name, body, user):
        fields = {"Content-Type": "application/json", "Authorization": user.key}
        return wire.send(opened, "POST", f"/v1/algo/{name}", body.encode(), fields)

    with contextlib.closing(opened):
        own = [deploy(daemon, author, f"c{number}", NUMPY, requirements=peers.PACKAGES[-1]) for number in range(COLD_CALLS)]
        time.sleep(2)
        first = []
        for name in own:
            seconds, reply = timed(lambda: call(name, "10", author))
            assert reply.json.get("result") == 45, reply
            first.append((seconds, reply.how))
            time.sleep(0.1)
        alone = deploy(daemon, author, "alone", ECHO, "--isolation", "call")
        each = {}
        for pause in (0.01, 0):
            each[pause] = []
            before = busy_seconds()
            for _ in range(CALL_CALLS):
                seconds, reply = timed(lambda: call(alone, BODY, author))
                assert "result" in reply.json, reply
                each[pause].append((seconds, reply.how))
                time.sleep(pause)
            each[pause, "busy"] = (busy_seconds() - before) / CALL_CALLS
    bare = [timed(lambda: subprocess.run(["bwrap", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--unshare-all",
                                          python, "-c", "import numpy"], check=True))[0] for _ in range(20)]
    ratio = statistics.median(bare) / statistics.median(seconds for seconds, _ in first)
    row("C1", f"first call ever, numpy imported: {spread([s for s, _ in first])} by {kinds(first)}; bwrap python -c 'import numpy' "
              f"{spread(bare)}; {ratio:.1f} x faster (goal 5 ms and 15 x)")
    row("C2", f"isolation call, with 10 ms between two: {spread([s for s, _ in each[0.01]])} by {kinds(each[0.01])} (goal 3 ms)")
    row("", f"the same without a pause: {spread([s for s, _ in each[0]])}; each call keeps the {os.cpu_count()} processors busy for "
            f"{each[0, 'busy'] * 1e3:.1f} ms in all, with making the next box and clearing up the last")


def busy_seconds():
    """Of all processors since the host began."""
    with open("/proc/stat", encoding="ascii") as file:
        user, nice, system, _, _, irq, softirq = map(int, file.readline().split()[1:8])
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


def kinds(calls):
    found = [how for _, how in calls]
    return ", ".join(f"{found.count(kind)} {kind}" for kind in sorted(set(found)))


def main():
    seconds = int(sys.argv[3]) if len(sys.argv) > 3 else 20
    python = peers.environment(os.path.abspath(sys.argv[2]))
    daemon = harness.Daemon({"limits": {"workers_per_version_and_account": 8}}).start()
    try:
        warm(daemon, python, seconds)
        cold(daemon, python)
        memory(daemon)
    finally:
        daemon.close()
    anatomy(seconds)
    sharing.measure(harness, row)
    many_versions()
    many_idle()


if __name__ == "__main__":
    main()
