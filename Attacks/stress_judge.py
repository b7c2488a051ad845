"""Whether the daemon and the host are as they were before something ran in a box."""
import collections
import os
import re
import threading
import time

import outside as view
from bystander import percentile

boxes, wire = view.boxes, view.wire
MIB = 1 << 20
MEMORY_LOST_MAX = 64 * MIB
SETTLE_SECONDS = 5
SAMPLE_SECONDS = 0.2
KERNEL_PARENT = "2"
"""kthreadd, as /proc/PID/stat has it."""
FIRST_BOX_USER = 1_000_000
LITTER = ("/", "/dev", "/dev/shm", "/dev/mqueue", "/run", "/run/lock", "/tmp", "/var/tmp", "/var/lib")
SETTINGS = ("/proc/sys/kernel/tainted", "/proc/sys/kernel/hostname", "/proc/modules", "/proc/swaps", "/sys/devices/system/cpu/online",
            "/proc/sys/kernel/core_pattern", "/proc/sys/vm/overcommit_memory")
SERIOUS = re.compile(r"\bBUG\b|Oops|WARNING:|general protection fault, |blocked for more than|lockup|rcu.*(stall|expedited)|KASAN|UBSAN|"
                     r"refcount_t|list_(add|del) corruption|page allocation failure|Out of memory:|unregister_netdevice|Bad page")


class Host:
    """The daemon and its host: as they were when this was made, against as they are."""

    def __init__(self, daemon):
        self.daemon, self.store = daemon, os.path.join(daemon.state, "store")
        self.spawner = daemon.spawner_pid()
        self.log = KernelLog()
        self.before = self.state()
        self.descriptors = self.open_files()
        self.clock = time.time() - time.monotonic()
        self.bytes_before = resident(daemon.pid)

    def state(self):
        """What nothing in a box may change: {what: value}, values of equal types."""
        daemon = self.daemon
        found = {"processes": (boxes.identity(daemon.pid), boxes.identity(self.spawner)),
                 "mounts": mounts(self.spawner, daemon.state) | mounts(daemon.pid, daemon.state),
                 "names in the state directory": frozenset(name for name in os.listdir(daemon.state) if ".db" not in name),
                 "files of versions": frozenset(files(self.store)),
                 "litter": frozenset(litter())}
        for path in SETTINGS:
            if os.path.exists(path):
                found[path] = boxes.read(path)
        return found

    def open_files(self):
        """What daemon and spawner have open: a counter of kinds."""
        found = collections.Counter()
        for owner, pid in (("daemon", self.daemon.pid), ("spawner", self.spawner)):
            for name in os.listdir(f"/proc/{pid}/fd"):
                try:
                    found[owner + " " + re.sub(r"[0-9]+", "N", os.readlink(f"/proc/{pid}/fd/{name}"))] += 1
                except OSError:
                    pass  # It was closed while we looked.
        return found

    def faults(self):
        """What is not as it was: sentences, none when all is well."""
        if self.daemon.process.poll() is not None:
            return [f"the daemon ended with code {self.daemon.process.returncode}: {self.daemon.log_text()[-500:]}"]
        found = []
        try:
            health = wire.ask(self.daemon.port, "GET", "/healthz", timeout=10).status
        except OSError as error:
            health = error
        if health != 200:
            found.append(f"/healthz answers {health}")
        now = self.state()
        found += [f"{what}: {difference(old, now.get(what))}" for what, old in self.before.items() if now.get(what) != old]
        if strays := self.strays():
            found.append(f"processes {strays} still run programs of the box")
        if not settles(lambda: not self.open_files() - self.descriptors):
            found.append(f"open files more than before: {dict(self.open_files() - self.descriptors)}")
        if abs(time.time() - time.monotonic() - self.clock) > 1:
            found.append("the host's clock was set")
        return found + [f"kernel log: {line}" for line in self.log.serious()]

    def strays(self):
        """Processes of the host, in whatever group, that run a program of a version."""
        programs, found = {(os.stat(path).st_dev, os.stat(path).st_ino) for path in tree(self.store)}, []
        for name in filter(str.isdigit, os.listdir("/proc")):
            try:
                status = os.stat(f"/proc/{name}/exe")
            except OSError:
                continue  # It ended while we looked, or is a thread of the kernel.
            if (status.st_dev, status.st_ino) in programs:
                found.append(int(name))
        return found


class KernelLog:
    """What the kernel has said since this was made."""

    def __init__(self):
        self._file = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        os.lseek(self._file, 0, os.SEEK_END)
        self.lines = 0

    def serious(self):
        """New lines that tell of something wrong in the kernel."""
        return [line for line in self._new() if SERIOUS.search(line)]

    def _new(self):
        while True:
            try:
                record = os.read(self._file, 8192).decode("utf-8", "replace")
            except BlockingIOError:
                return
            except BrokenPipeError:
                continue  # Overwritten before we read it.
            self.lines += 1
            yield record.partition(";")[2].splitlines()[0]


class Sampler:
    """Looks, while a block runs, at what a box takes: the highest values seen."""

    def __init__(self, sight):
        self._sight, self._stop = sight, threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.box_bytes = self.processes = self.host_bytes = 0

    def __enter__(self):
        self._memory, self._kernel, self._began = memory(), kernel_ticks(), time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()
        ticks = sum(now - self._kernel[pid] for pid, now in kernel_ticks().items() if pid in self._kernel)
        self.kernel_share = ticks / os.sysconf("SC_CLK_TCK") / max(1, time.monotonic() - self._began)

    def _run(self):
        group = self._sight.daemon.group
        while not self._stop.wait(SAMPLE_SECONDS):
            self.host_bytes = max(self.host_bytes, self._memory - memory())
            try:
                for box in self._sight.boxes():
                    self.processes = max(self.processes, int(boxes.first_file(group, box, (("pids",), "pids.current"))))
                self.box_bytes = max(self.box_bytes, self._sight.box_bytes())
            except (AssertionError, OSError, ValueError):
                pass  # It ended while we looked.


def memory():
    """Bytes that are available or hold processes' own pages: what remains is the kernel's, and files in memory."""
    fields = dict(line.split(":") for line in boxes.read("/proc/meminfo").splitlines())
    return sum(int(fields[name].split()[0]) for name in ("MemAvailable", "AnonPages")) * 1024


def resident(pid):
    return int(boxes.status(pid)["VmRSS"].split()[0]) * 1024


def kernel_ticks():
    """CPU time of the kernel's own threads, in clock ticks: {pid: ticks}."""
    found = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            fields = boxes.read(f"/proc/{name}/stat").rpartition(")")[2].split()
        except OSError:
            continue  # It ended while we looked.
        if fields[1] == KERNEL_PARENT:
            found[int(name)] = int(fields[11]) + int(fields[12])
    return found


def dying_groups():
    """Memory control groups that are removed and still held by pages; None where the kernel does not say."""
    for line in boxes.read("/proc/cgroups").splitlines():
        if line.startswith("memory") and line.split()[1] != "0":
            (point,) = [point for point, has in boxes.mounts() if "memory" in has]
            return int(line.split()[2]) - sum(1 for _ in os.walk(point))
    for point, has in boxes.mounts():
        if "unified" in has:
            return int(dict(line.split() for line in boxes.read(f"{point}/cgroup.stat").splitlines())["nr_dying_descendants"])


def mounts(pid, state):
    """Mount points within a daemon's state directory, as one process sees them."""
    lines = boxes.read(f"/proc/{pid}/mountinfo").splitlines()
    return frozenset(f"{pid} {line.split()[4]}" for line in lines if line.split()[4].startswith(state))


def tree(folder):
    return [os.path.join(path, name) for path, _, names in os.walk(folder) for name in names]


def files(folder):
    """Every file of a folder: (path, number, mode, bytes, time of change)."""
    for path in tree(folder):
        status = os.lstat(path)
        yield path, status.st_ino, status.st_mode, status.st_size, status.st_mtime_ns


def litter():
    """Files of the host that a box could have made: by their name, or because a box's user owns them."""
    for folder in LITTER:
        if not os.path.isdir(folder):
            continue
        for entry in os.scandir(folder):
            try:
                if "stress-ng" in entry.name or entry.stat(follow_symlinks=False).st_uid >= FIRST_BOX_USER:
                    yield entry.path
            except OSError:
                pass  # Somebody removed it while we looked.


def difference(old, new):
    """What distinguishes two values, in few words."""
    if isinstance(old, frozenset):
        return f"new {sorted(map(str, new - old))[:3]}, missing {sorted(map(str, old - new))[:3]}"
    return f"{new!r:.200}, before {old!r:.200}"


def settles(is_well, seconds=SETTLE_SECONDS):
    """Whether something becomes true in time."""
    end = time.monotonic() + seconds
    while not is_well():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def milliseconds(values, share):
    return percentile(values, share) * 1e3 if values else 0.0
