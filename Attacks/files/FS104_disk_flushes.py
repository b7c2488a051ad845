"""FS104: makes the host's disk flush its cache, again and again."""
import mmap
import os
import time

DEED = "calls fsync, fdatasync and msync in a loop on programs it can only read, which lie on the disk of the ledger"
EXPECTED = "nothing of it reaches the disk: flushes are as many as without"
CLASS = "slowing others down"
SECONDS = 0.5


def apply(file):
    opened = os.open(file, os.O_RDONLY)
    view = mmap.mmap(opened, 0, prot=mmap.PROT_READ)
    end, count = time.monotonic() + SECONDS, 0
    while time.monotonic() < end:
        for deed in (lambda: os.fsync(opened), lambda: os.fdatasync(opened), view.flush, os.sync):
            try:
                deed()
                count += 1
            except OSError:
                pass
    return count


def flushes(path):
    """Flush requests that the disk of a file has completed; None when the kernel does not count them."""
    device = os.stat(path).st_dev
    with open("/proc/diskstats") as file:
        for line in file:
            fields = line.split()
            if (int(fields[0]), int(fields[1])) == (os.major(device), os.minor(device)) and len(fields) > 18:
                return int(fields[18])
    return None


def judge(outside):
    file = os.path.realpath("/usr/lib/os-release")
    if flushes(file) is None:
        reply = outside.call(file)
        return outside.held(reply.json.get("result", 0) == 0, f"{reply.body[:200]!r} flushes were taken")
    outside.call(file)  # A cold start first: deploys and starts write themselves.
    before, began = flushes(file), time.monotonic()
    time.sleep(SECONDS)
    quiet = (flushes(file) - before) / (time.monotonic() - began)
    before, began = flushes(file), time.monotonic()
    outside.call(file)
    rate = (flushes(file) - before) / (time.monotonic() - began)
    outside.held(rate < 2 * quiet + 100, f"the disk flushes {rate:.0f} times a second, {quiet:.0f} without the attack")
