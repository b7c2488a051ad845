"""C4 and what workers of a large version share: rows on 500 MB that `load` makes, or that lie in a file."""
import contextlib
import os
import statistics
import tempfile
from concurrent.futures import ThreadPoolExecutor

import boxes
import wire

import peers

BYTES = 500_000_000
WORKERS = 10
MEMORY = 2_048
APPLY = """
def apply(value):
    time.sleep(1)
    return {use}
"""
HEAP = "import time\nimport numpy\nDATA = numpy.ones(62_500_000)\n" + APPLY.format(use="float(DATA[::512].sum())")
MAPPED = ("import time\nimport os\nimport numpy\nDATA = numpy.load(os.path.join(os.path.dirname(__file__), 'weights.npy'), mmap_mode='r')\n"
          + APPLY.format(use="float(DATA[::512].sum())"))
DICT = ("import time\nDATA = {number: str(number) * 4 for number in range(4_600_000)}\n"
        + APPLY.format(use="sum(len(DATA[number]) for number in range(0, len(DATA), 512))"))


def deploy(daemon, owner, name, text, *options, weights=None):
    with tempfile.TemporaryDirectory(prefix="faasd-bench-") as folder:
        for file, content in ((name + ".py", text), ("requirements.txt", peers.PACKAGES[-1] + "\n")):
            with open(os.path.join(folder, file), "w", encoding="ascii") as target:
                target.write(content)
        if weights:
            os.link(weights, os.path.join(folder, "weights.npy"))
        return daemon.deploy(folder, owner, "--memory", MEMORY, *options, name=name)


def pss_kib(daemon):
    """Memory of all processes in boxes that have a version, what is shared counted once; KiB."""
    total = 0
    for pid in boxes.processes(daemon.group):
        with contextlib.suppress(OSError):
            total += sum(int(line.split()[1]) for line in boxes.read(f"/proc/{pid}/smaps_rollup").splitlines() if line.startswith("Pss:"))
    return total


def at_once(daemon, algorithm, users):
    def call(user):
        opened = wire.connection(daemon.port, 120)
        with contextlib.closing(opened):
            reply = wire.send(opened, "POST", f"/v1/algo/{algorithm}", b"1", {"Authorization": user.key, "Content-Type": "application/json"})
        assert "result" in reply.json, reply
        return reply
    with ThreadPoolExecutor(len(users)) as pool:
        return list(pool.map(call, users))


def shared(daemon, algorithm, users):
    """Memory of one worker and of ten, in MiB, and the calls that the nine more were started for."""
    at_once(daemon, algorithm, users[:1])
    one = pss_kib(daemon)
    replies = at_once(daemon, algorithm, users)
    assert len({reply.json["result"] for reply in replies}) == 1, replies
    return one / 1024, pss_kib(daemon) / 1024, [reply for reply in replies if reply.how != "warm"]


def measure(harness, row):
    """The rows."""
    for name, text, options, own_account, goal in (
            ("heap", HEAP, ("--start", "template"), False, "an array made by load, start=template, one account"),
            ("mapped", MAPPED, (), True, "the same array in a mapped file, ten accounts"),
            ("dict", DICT, ("--start", "template"), False, "a dict of as much made by load, start=template, one account")):
        daemon = harness.Daemon({"limits": {"workers_per_version_and_account": WORKERS}}).start()
        try:
            author = daemon.user("author", "1000000")
            with tempfile.TemporaryDirectory(prefix="faasd-bench-") as folder:
                weights = os.path.join(folder, "weights.npy") if text == MAPPED else None
                if weights:
                    write_array(weights)
                algorithm = deploy(daemon, author, name, text, *options, weights=weights)
            users = [daemon.user(f"u{number}", "1000000") for number in range(WORKERS)] if own_account else [author] * WORKERS
            one, ten, started = shared(daemon, algorithm, users)
        finally:
            daemon.close()
        row("", f"{goal}: one worker {one:.0f} MiB, ten {ten:.0f} MiB; ratio {ten / one:.2f} (goal 1.3)")
        if name == "heap":
            ready = [int(reply.headers["X-Faasd-Start-Us"]) + int(reply.headers["X-Faasd-Load-Us"]) for reply in started]
            row("C4", f"second worker of a version whose load holds 500 MB: ready p50 {statistics.median(ready) / 1e3:.1f} ms, "
                      f"most {max(ready) / 1e3:.1f} ms by {len(ready)} {started[0].how} at once; each adds {(ten - one) / (WORKERS - 1) / one:.1%} "
                      "of the memory (goal 20 ms and 5 %)")


def write_array(path):
    """Writes the array of MAPPED, which compresses well: archives have a bound."""
    import array

    ones = array.array("d", [1.0]) * (1 << 20)
    header = "{'descr': '<f8', 'fortran_order': False, 'shape': (62500000,), }"
    header += " " * (63 - (10 + len(header)) % 64) + "\n"
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode("ascii"))
        left = BYTES
        while left > 0:
            file.write(memoryview(ones).cast("B")[:min(left, len(ones) * 8)])
            left -= len(ones) * 8
