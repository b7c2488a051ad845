"""FS7: makes hard links to what it may only read."""
import errno
import os

DEED = "links its own code, programs and descriptors of deleted files into /tmp, to write to them or keep them"
EXPECTED = "no link crosses a mount, none is made on a read-only one; the host's files keep their number of links"
CLASS = "writing to the host"
FILES = ("/fn/lock/interpreter", "/rt/worker.py", "/usr/bin/python3", "/usr/lib/os-release", "/etc/passwd", "/dev/null",
         "/proc/self/exe", "/proc/1/fd/4", "/proc/1/root/usr/bin/env")


def apply(_):
    found = {}
    for file in (*FILES, __file__):
        for follow in (True, False):
            for folder in ("/tmp", "/dev/shm", "/fn/code"):
                found[f"{file} in {folder}, followed {follow}"] = attempt(file, f"{folder}/{len(found)}", follow)
    return found


def attempt(file, target, follow):
    try:
        os.link(file, target, follow_symlinks=follow)
    except OSError as error:
        return errno.errorcode[error.errno]
    return "linked"


def judge(outside):
    def counts():
        return {file: os.stat(file).st_nlink for file in ("/usr/lib/os-release", "/usr/bin/env", "/usr/bin/python3")}

    before = counts()
    outside.each(outside.call(), "ENOSYS", "EXDEV", "EROFS", "EPERM", "EACCES")
    outside.held(counts() == before, f"files of the host have {counts()} links, before {before}")
    made = os.listdir(outside.root() + "/tmp")
    outside.held(not made, f"its /tmp has {made}")
