"""FS10: leaves a setuid shell for somebody outside to start."""
import os
import shutil
import stat
import subprocess

DEED = "copies a shell to /tmp and /dev/shm, marks it setuid and setgid, and leaves it there"
EXPECTED = "the mount takes neither set-user-id nor execution from it, for the host's root as well, and root does not own it"
CLASS = "gaining privileges"
PLACES = ("/tmp/shell", "/dev/shm/shell")


def apply(_):
    for place in PLACES:
        shutil.copy("/usr/bin/dash", place)
        os.chmod(place, 0o6777)
    return [oct(stat.S_IMODE(os.stat(place).st_mode)) for place in PLACES]


def judge(outside):
    outside.answered(outside.call(), (["0o6777", "0o6777"], ["0o777", "0o777"]))
    for place in PLACES:
        path = outside.root() + place
        flags, status = os.statvfs(path).f_flag, os.stat(path)
        outside.held(flags & os.ST_NOSUID and flags & os.ST_NOEXEC, f"{place} lies on a mount with the flags {flags:#x}")
        owners = (status.st_uid, status.st_gid)
        outside.held(min(owners) >= 1_000_000, f"{place} belongs to {owners}")
        try:
            said = subprocess.run([path, "-c", "id -u"], capture_output=True, text=True, timeout=2).stdout
        except PermissionError:
            continue
        outside.held(False, f"the host's root could start {place}, which said {said!r}")
