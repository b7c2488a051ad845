"""FS105: goes where the mount table points."""
import errno
import os

DEED = "reads from /proc/self/mountinfo where the host keeps things, and opens those places in every way it knows"
EXPECTED = "no place of the table leads out, and the table has the mounts of this box and version only"
CLASS = "leaving the root"
STARTS = ("", "/proc/self/root", "/proc/1/root/..", "/fn/../..", "/tmp/../..", "/proc/self/fd/0/../..")


def apply(named):
    with open("/proc/self/mountinfo") as file:
        sources = {line.split()[3] for line in file}
    named += [source for source in sources if source.startswith(("/var", "/work", "/home", "/root", "/srv", "/opt"))]
    named += [os.path.dirname(place) for place in named]
    return {start + place: attempt(start + place) for place in named for start in STARTS}


def attempt(path):
    try:
        os.close(os.open(path, os.O_RDONLY))
    except OSError as error:
        return errno.errorcode[error.errno]
    return "opened"


def judge(outside):
    daemon, canaries = outside.daemon, outside.canaries
    reply = outside.call([daemon.state, daemon.state + "/store", daemon.state + "/roots", canaries.folder])
    outside.each(reply, "ENOENT", "EACCES", "ENOTDIR")
    with open(os.path.dirname(outside.root()) + "/mountinfo") as file:
        mounts = [line.split()[3:5] for line in file]
    own = [source for source, point in mounts if point == "/opt/fn"]
    others = [source for source, point in mounts if source.startswith(daemon.state) and source not in own]
    outside.held(len(own) == 1 and not others, f"it sees the mounts {others} besides its version {own}")
