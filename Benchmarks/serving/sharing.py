"""C4 and what workers of a large version share: rows on 500 MB that `load` makes, or that lie in a file."""
import contextlib
import io
import statistics
import struct
import tarfile
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


def deploy(daemon, owner, name, text, start, weights):
    """By the API, whose bound is that of the archive: faasctl counts what a folder has before it is packed."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=1) as archive:
        for file, content in ((name + ".py", text.encode()), ("requirements.txt", peers.PACKAGES[-1].encode()), *weights):
            entry = tarfile.TarInfo(file)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    made = daemon.post_archive(f"{owner.name}/{name}", packed.getvalue(), f"?public=true&memory={MEMORY}&start={start}")
    assert made.status == 200 or made.status == 201, made
    return f"{owner.name}/{name}"


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
    """Memory of one worker and of ten, in MiB, and the calls that the nine more were started for, one after another."""
    at_once(daemon, algorithm, users[:1])
    one = pss_kib(daemon)
    started = []
    for count in range(2, len(users) + 1):
        replies = at_once(daemon, algorithm, users[:count])
        assert len({reply.json["result"] for reply in replies}) == 1, replies
        started += [reply for reply in replies if reply.how != "warm"]
    return one / 1024, pss_kib(daemon) / 1024, started


def measure(harness, row):
    """The rows."""
    for name, text, start, accounts, what in (
            ("heap", HEAP, "template", 1, "an array made by load, start=template, one account"),
            ("mapped", MAPPED, "fork", WORKERS, "the same array in a mapped file, ten accounts"),
            ("dict", DICT, "template", 1, "a dict of as much made by load, start=template, one account")):
        daemon = harness.Daemon({"limits": {"workers_per_version_and_account": WORKERS}}).start()
        try:
            author = daemon.user("author", "1000000")
            algorithm = deploy(daemon, author, name, text, start, [("weights.npy", array())] if text == MAPPED else [])
            users = [daemon.user(f"u{number}", "1000000") for number in range(accounts)] * (WORKERS // accounts)
            one, ten, started = shared(daemon, algorithm, users)
        finally:
            daemon.close()
        row("", f"{what}: one worker {one:.0f} MiB, ten {ten:.0f} MiB; ratio {ten / one:.2f} (goal 1.3)")
        if name == "heap":
            ready = [int(reply.headers["X-Faasd-Start-Us"]) + int(reply.headers["X-Faasd-Load-Us"]) for reply in started]
            row("C4", f"second worker of a version whose load holds 500 MB: ready p50 {statistics.median(ready) / 1e3:.1f} ms, "
                      f"most {max(ready) / 1e3:.1f} ms by {len(ready)} {started[0].how}; each adds {(ten - one) / (WORKERS - 1) / one:.1%} "
                      "of the memory (goal 20 ms and 5 %)")


def array():
    """The array of MAPPED as a file; it compresses well, because archives have a bound."""
    header = "{'descr': '<f8', 'fortran_order': False, 'shape': (62500000,), }"
    header += " " * (63 - (10 + len(header)) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode("ascii") + struct.pack("<d", 1.0) * (BYTES // 8)
