"""FS101: locks files that all boxes and the host share."""
import errno
import fcntl
import os

DEED = "takes and keeps exclusive locks on programs, devices and its own code, which others open too"
EXPECTED = "whoever locks the same file outside, or in another tenant's box, gets the lock at once"
CLASS = "holding the host's files"
FILES = ("/usr/lib/os-release", "/usr/bin/env", "/rt/worker.py", __file__, "/dev/null", "/dev/urandom")
kept = []


def apply(_):
    found = {}
    for file in FILES:
        descriptor = os.open(file, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            found[file] = "locked"
        except OSError as error:
            found[file] = errno.errorcode[error.errno]
        kept.append(descriptor)
        try:
            kept.append(os.open(file, os.O_RDWR))
            fcntl.lockf(kept[-1], fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            pass
    return found


def judge(outside):
    outside.call()
    held = []
    for file in ("/usr/lib/os-release", "/usr/bin/env", "/dev/null", "/dev/urandom"):
        for lock in (fcntl.flock, fcntl.lockf) if file == "/dev/null" else (fcntl.flock,):
            with open(file, "rb" if lock is fcntl.flock else "r+b", buffering=0) as opened:
                try:
                    lock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except OSError:
                    held.append(f"{lock.__name__} {file}")
    outside.held(not held, f"the box keeps the host from locking: {', '.join(held)}")
    seen = outside.call(user=outside.victim).json.get("result", {})
    outside.held("EAGAIN" not in seen.values(), f"another tenant's box sees the locks: {seen}")
