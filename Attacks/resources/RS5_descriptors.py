"""RS5: opens files without end."""
import array
import errno
import os
import socket
import time

DEED = "opens descriptors in many processes until refused, and sends them along to hold more than it may"
EXPECTED = "each process is refused at its limit; the daemon's descriptors and the host's open files stay few"
CLASS = "exhaustion of descriptors"
OPTIONS = ("--timeout", 3)


def apply(_):
    for _ in range(30):
        if os.fork() == 0:
            break
    found = {"open": fill(lambda: os.open("/dev/null", os.O_RDONLY))}
    for descriptor in range(100, 200):
        os.close(descriptor)
    found["pass"] = fill(hand_over)
    if os.getpid() != 1:
        time.sleep(0.3)
        os._exit(0)
    return found


def fill(take):
    for count in range(5_000):
        try:
            take()
        except OSError as error:
            return errno.errorcode[error.errno]
    return f"{count} were taken"


def hand_over():
    """Twenty descriptors in a socket that only another one on its way still holds."""
    left, right = socket.socketpair()
    rights = array.array("i", [right.fileno()] * 20)
    left.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])


def judge(outside):
    def host():
        with open("/proc/sys/fs/file-nr") as file:
            return int(file.read().split()[0])

    before, own = host(), outside.descriptors()
    with outside.watch(host) as opened, outside.watch(outside.descriptors) as seen:
        reply = outside.call()
    outside.answered(reply, ({"open": "EMFILE", "pass": "ETOOMANYREFS"}, {"open": "EMFILE", "pass": "EMFILE"}))
    outside.held(max(seen) - own < 60, f"the daemon's descriptors grew from {own} to {max(seen)}")
    outside.held(max(opened) - before < 64 * 256, f"the host's open files grew from {before} to {max(opened)}")
