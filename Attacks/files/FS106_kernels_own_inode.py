"""FS106: locks the one inode that the kernel uses for everything without a name."""
import ctypes
import errno
import fcntl
import os

DEED = "locks descriptors of eventfd, epoll, timerfd and signalfd, of its namespaces and of a process, which share inodes with others"
EXPECTED = "whoever locks the same kind of descriptor outside, or in another tenant's box, gets the lock at once"
CLASS = "holding the host's files"
LIBC = ctypes.CDLL(None, use_errno=True)
NAMESPACES = ("cgroup", "ipc", "mnt", "net", "pid", "time", "time_for_children", "user", "uts")
CLONE_PIDFD = 0x1000 | 17
kept = []


def process():
    """A descriptor of a child, which pidfd_open would give too if it were admitted."""
    number = ctypes.c_int(-1)
    child = LIBC.syscall(56, CLONE_PIDFD, 0, ctypes.byref(number), 0, 0)
    if child == 0:
        os._exit(0)
    return number.value if child > 0 else -1


def peer():
    """The same of whoever made the other end of a socket (SO_PEERPIDFD)."""
    import socket
    try:
        return socket.socketpair()[0].getsockopt(socket.SOL_SOCKET, 77)
    except OSError:
        return -1


def descriptors():
    mask = (ctypes.c_ulong * 16)(1)
    return {
        "eventfd": LIBC.eventfd(0, 0), "epoll": LIBC.epoll_create1(0), "timerfd": LIBC.timerfd_create(1, 0),
        "signalfd": LIBC.signalfd(-1, mask, 0), "process": process(), "pidfd": LIBC.syscall(434, os.getpid(), 0),
        "peer": peer(), "memory file": LIBC.memfd_create(b"x", 0),
    } | {f"ns/{name}": LIBC.open(b"/proc/self/ns/" + name.encode(), 0) for name in NAMESPACES}


def lock(opened, then):
    """{kind: what came of locking it}; what is locked then is unlocked, or stays so."""
    found = {}
    for kind, number in opened.items():
        for name, take in (("flock", fcntl.flock), ("record", fcntl.lockf)):
            try:
                take(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
                found[f"{kind} {name}"] = "locked"
                take(number, then)
            except OSError as error:
                found[f"{kind} {name}"] = errno.errorcode[error.errno]
    return found


def apply(_):
    opened = {kind: number for kind, number in descriptors().items() if number >= 0}
    found = lock(opened, fcntl.LOCK_UN)
    lock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    kept.append(opened)
    return found


def judge(outside):
    outside.call()
    opened = {kind: number for kind, number in descriptors().items() if number >= 0}
    mine = [kind for kind, said in lock(opened, fcntl.LOCK_UN).items() if said == "EAGAIN"]
    for number in opened.values():
        os.close(number)
    outside.held(not mine, f"the box keeps the host from locking: {', '.join(mine)}")
    seen = outside.call(user=outside.victim).json.get("result", {})
    outside.held(isinstance(seen, dict) and "EAGAIN" not in seen.values(), f"another tenant's box sees the locks: {seen}")
