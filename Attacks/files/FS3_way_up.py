"""FS3: leaves its root upwards."""
import errno
import os

DEED = "opens the host's canary through roots, working folders and descriptors of /proc and through .. without end"
EXPECTED = "every way up ends at the box's own root"
CLASS = "leaving the root"
WAYS = ("/..", "/proc/self/root/..", "/proc/self/root/../../../..", "/proc/1/root", "/proc/1/root/..", "/proc/1/cwd/../../..",
        "/proc/self/cwd/../../../../..", "/proc/self/task/1/root/..", "/proc/thread-self/root/..", "/fn/../..", "/tmp/../..",
        "/dev/shm/../../..", "/usr/../..", "/lib/../..", "/home/algo/../..")


def apply(canary):
    found = {way: attempt(way + canary) for way in WAYS}
    for way in ("/", "/fn", "/usr", "/tmp", "/dev/shm", "/proc"):
        found[f"descriptor of {way}"] = climb(way, canary)
    os.symlink("../../../../../.." + canary, "/tmp/link")
    found["link"] = attempt("/tmp/link")
    return found


def climb(way, canary):
    folder = os.open(way, os.O_PATH | os.O_DIRECTORY)
    try:
        os.fchdir(folder)
        for _ in range(40):
            os.chdir("..")
        return attempt("." + canary)
    except OSError as error:
        return errno.errorcode[error.errno]
    finally:
        os.close(folder)


def attempt(path):
    try:
        with open(path) as file:
            return file.read()
    except OSError as error:
        return errno.errorcode[error.errno]


def judge(outside):
    reply = outside.call(outside.canaries.file)
    outside.kept_secret(reply)
    outside.each(reply, "ENOENT", "EACCES", "ENOTDIR")
    shown = set(os.listdir(outside.root()))
    outside.held("var" not in shown and "fn" in shown, f"the box's root has {shown}")
