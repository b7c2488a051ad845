"""FS4: looks for descriptors of the host that were left open."""
import errno
import os

DEED = "walks every descriptor up to 4096, and opens folders and files relative to each (CVE-2024-21626)"
EXPECTED = "there are pipes and /dev/null, and no way leads on from them"
CLASS = "inherited descriptors"
DESCRIPTORS_MAX = 4096


def apply(canary):
    found = {}
    for number in range(DESCRIPTORS_MAX):
        try:
            os.fstat(number)
        except OSError:
            continue
        for way in ("..", "../../etc/passwd", "../.." + canary):
            found[f"{number} {way}"] = attempt(f"/proc/self/fd/{number}/{way}")
            found[f"at {number} {way}"] = attempt(way, number)
        found[f"into {number}"] = enter(number)
    return found


def attempt(path, folder=None):
    try:
        os.close(os.open(path, os.O_RDONLY, dir_fd=folder))
    except OSError as error:
        return errno.errorcode[error.errno]
    return "opened"


def enter(number):
    try:
        os.fchdir(number)
    except OSError as error:
        return errno.errorcode[error.errno]
    return "entered"


def judge(outside):
    outside.each(outside.call(outside.canaries.file), "ENOTDIR")
    folder = os.path.dirname(outside.root()) + "/fd"
    links = {number: os.readlink(f"{folder}/{number}") for number in os.listdir(folder)}
    outside.held(all(link == "/dev/null" or link.startswith("pipe:[") for link in links.values()), f"it holds {links}")
