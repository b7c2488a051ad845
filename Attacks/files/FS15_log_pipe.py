"""FS15: mishandles the pipes that it shares with the daemon."""
import errno
import fcntl
import os

DEED = "truncates, seeks, shrinks, unblocks and reopens the pipes of its log, requests and replies"
EXPECTED = "pipes cannot be cut; the daemon still gets log and answer, and of the next call too"
CLASS = "shared pipes"
F_SETPIPE_SZ = 1031


def apply(_):
    found = {}
    for number in (1, 2, 3, 4):
        path = f"/proc/self/fd/{number}"
        found[f"ftruncate {number}"] = attempt(lambda: os.ftruncate(number, 0))
        found[f"truncate {number}"] = attempt(lambda: os.truncate(path, 0))
        found[f"seek {number}"] = attempt(lambda: os.lseek(number, 0, os.SEEK_SET))
        found[f"fallocate {number}"] = attempt(lambda: os.posix_fallocate(number, 0, 1 << 20))
        for size in (1, 1 << 20):
            attempt(lambda: fcntl.fcntl(number, F_SETPIPE_SZ, size))
        attempt(lambda: os.close(os.open(path, os.O_RDWR | os.O_TRUNC | os.O_NONBLOCK)))
        attempt(lambda: os.chmod(path, 0))
        attempt(lambda: os.fchmod(number, 0))
    print("after the deed", flush=True)
    return found


def attempt(deed):
    try:
        deed()
    except OSError as error:
        return errno.errorcode[error.errno]
    return "done"


def judge(outside):
    before = outside.descriptors()
    for round in ("first", "second", "third"):
        reply = outside.call(query="?stdout=true")
        said = reply.json["metadata"].get("stdout")
        outside.held(said == "after the deed\n", f"the {round} call's log is {said!r:.300}")
        outside.each(reply, "ESPIPE", "EINVAL", "EBADF", "EACCES", "EPERM", "ENOSYS", "EROFS")
    # Those of two more boxes, and of a connection that is just ending.
    outside.held(outside.descriptors() <= before + 45, f"the daemon has {outside.descriptors()} descriptors, before {before}")
