"""What the kernel shows of boxes from outside: control groups and /proc."""
import functools
import hashlib
import os
import re

NAMESPACES = ("cgroup", "ipc", "mnt", "net", "pid", "user", "uts")


def group_name(state):
    """The name of a daemon's control group: a digest of its state directory."""
    return "faasd-" + hashlib.sha256(os.path.realpath(state).encode()).hexdigest()[:8]


def read(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


@functools.cache
def mounts():
    """Control group hierarchies: (mount point, controllers); version 2 has the controller `unified`."""
    found = []
    for line in read("/proc/self/mountinfo").splitlines():
        fields, _, rest = line.partition(" - ")
        kind, _, options = rest.split(" ", 2)
        if kind == "cgroup2":
            found.append((fields.split()[4], {"unified"}))
        elif kind == "cgroup":
            found.append((fields.split()[4], set(options.split(","))))
    return found


def bases(group):
    """The directories of a daemon's group, one in each hierarchy that has it, by mount point."""
    own = [line.split(":", 2)[2] for line in read("/proc/self/cgroup").splitlines()]
    found = {}
    for point, _ in mounts():
        # Of a daemon in a unit of systemd the group is beside the leaf in which it lives.
        for parent in ["", *own, *map(os.path.dirname, own)]:
            path = os.path.normpath(f"{point}/{parent}/{group}")
            if os.path.isdir(path):
                found[point] = path
    return found


def is_waiting(pid):
    """Whether a process is the zygote, or a fork of it that nobody's code has been shown to."""
    try:
        return "/rt/zygote.py" in read(f"/proc/{pid}/cmdline") and not os.path.exists(f"/proc/{pid}/root/opt/fn/code")
    except OSError:
        return False  # It ended while we looked.


def directories(group, with_waiting=False):
    """The control groups of boxes: {path: inode}. An inode is never used twice, a name may be.

    Without those of the zygote and of the boxes that wait for a version, unless asked for.
    """
    waiting = set() if with_waiting else {box for pid, box in processes(group, True).items() if is_waiting(pid)}
    found = {}
    for base in bases(group).values():
        try:
            names = os.listdir(base)
        except FileNotFoundError:
            continue  # It went while we looked.
        for name in names:
            path = os.path.join(base, name)
            if name.startswith("box-") and name not in waiting and os.path.isdir(path):
                found[path] = os.stat(path).st_ino
    return found


def processes(group, with_waiting=False):
    """Processes in boxes: {pid: name of its box}; without those that wait, unless asked for."""
    pattern, found = re.compile(rf"/{group}/(box-[0-9]+)"), {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            match = pattern.search(read(f"/proc/{name}/cgroup"))
        except OSError:
            continue  # It ended while we looked.
        if match and (with_waiting or not is_waiting(name)):
            found[int(name)] = match[1]
    return found


def templates(found):
    """Of processes in boxes those that others are forked from: {pid: box}. They have a socket as descriptor 6, as others may that open one."""
    def is_one(pid):
        try:
            return os.readlink(f"/proc/{pid}/fd/6").startswith("socket:") and status(pid)["NSpid"].split()[-1] == "1"
        except OSError:
            return False
    return {pid: box for pid, box in found.items() if is_one(pid)}


def identity(pid):
    """A process that cannot be mistaken for a later one of the same number; None when it is gone."""
    try:
        return pid, read(f"/proc/{pid}/stat").rpartition(")")[2].split()[19]
    except OSError:
        return None


def names(group):
    """The names of the boxes there are, by their processes: groups that are just being made have none."""
    return set(processes(group).values())


def file(group, box, controllers, name):
    """The text of a control file of one box, from the hierarchy that has one of the controllers, or version 2."""
    for wanted in (*controllers, "unified"):
        for point, has in mounts():
            path = os.path.join(bases(group).get(point, "/nowhere"), box, name)
            if wanted in has and os.path.exists(path):
                return read(path)
    raise AssertionError(f"{box} of {group} has no {name} under {controllers}")


def first_file(group, box, *choices):
    """The first control file that exists: version 1 and 2 call the same thing by other names."""
    for controllers, name in choices:
        try:
            return file(group, box, controllers, name)
        except AssertionError:
            continue
    raise AssertionError(f"{box} of {group} has none of {choices}")


def is_frozen(group, box):
    try:
        return "frozen 1" in file(group, box, (), "cgroup.events")
    except AssertionError:
        return file(group, box, ("freezer",), "freezer.state").strip() == "FROZEN"


def cpu_microseconds(group, box):
    try:
        lines = dict(line.split() for line in file(group, box, (), "cpu.stat").splitlines())
        return int(lines["usage_usec"])
    except (AssertionError, KeyError):
        return int(file(group, box, ("cpuacct",), "cpuacct.usage")) // 1000


def status(pid):
    """The fields of /proc/PID/status."""
    lines = (line.partition(":") for line in read(f"/proc/{pid}/status").splitlines())
    return {name: value.strip() for name, _, value in lines}


def namespaces(pid):
    return {kind: os.readlink(f"/proc/{pid}/ns/{kind}") for kind in NAMESPACES}


def children(pid):
    return [int(child) for task in os.listdir(f"/proc/{pid}/task")
            for child in read(f"/proc/{pid}/task/{task}/children").split()]
