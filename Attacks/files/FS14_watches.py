"""FS14: watches and leases files that it shares with the host."""
import ctypes
import errno
import fcntl
import os

DEED = "takes leases on programs of the host, and asks to be told of every use of them (dnotify, inotify, fanotify, F_SETOWN)"
EXPECTED = "none of these calls is there, and the kernel has no lease of the box in its list"
CLASS = "holding the host's files"
F_SETOWN, F_SETSIG, F_SETOWN_EX, NOTIFY_ALL = 8, 10, 15, 0x3F
CALLS = {"inotify_init": (253,), "inotify_init1": (294, 0), "fanotify_init": (300, 0, 0),
         "inotify_add_watch": (254, 0, b"/usr/bin", 0xFFF)}
FILES = ("/usr/bin/env", "/usr/lib/os-release", __file__, "/dev/null")
libc = ctypes.CDLL(None, use_errno=True)
kept = []


def apply(_):
    found = {}
    for file in FILES:
        kept.append(os.open(file, os.O_RDONLY))
        for kind in (fcntl.F_RDLCK, fcntl.F_WRLCK):
            found[f"lease {kind} {file}"] = attempt(kept[-1], fcntl.F_SETLEASE, kind)
        for name, command in (("owner", F_SETOWN), ("signal", F_SETSIG), ("owner too", F_SETOWN_EX)):
            found[f"{name} {file}"] = attempt(kept[-1], command, 1)
    for folder in ("/usr/bin", "/fn", "/", "/dev"):
        kept.append(os.open(folder, os.O_RDONLY))
        found[f"notify {folder}"] = attempt(kept[-1], fcntl.F_NOTIFY, NOTIFY_ALL)
    for name, (number, *arguments) in CALLS.items():
        done = libc.syscall(ctypes.c_long(number), *arguments)
        found[name] = errno.errorcode[ctypes.get_errno()] if done < 0 else "done"
    return found


def attempt(descriptor, command, argument):
    try:
        fcntl.fcntl(descriptor, command, argument)
    except OSError as error:
        return errno.errorcode[error.errno]
    return "done"


def judge(outside):
    reply = outside.call()
    (worker,) = outside.workers()
    with open("/proc/locks") as file:
        leases = [line for line in file if "LEASE" in line and f" {worker} " in line]
    outside.held(not leases, f"it holds {leases}")
    for number in os.listdir(f"/proc/{worker}/fd"):
        link = os.readlink(f"/proc/{worker}/fd/{number}")
        outside.held("notify" not in link, f"its descriptor {number} is {link}")
    outside.each(reply, "ENOSYS", "EPERM")
