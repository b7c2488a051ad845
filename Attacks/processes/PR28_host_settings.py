"""PR28: changes settings of the whole machine."""
import ctypes
import errno
import os
import signal
import socket
import time

DEED = "sets the host's name, domain and clocks, reads and clears the kernel log, and reboots"
EXPECTED = "each is refused, absent or ends the process; name and clock of the host stay"
CLASS = "changing the host"
LIBC = ctypes.CDLL(None, use_errno=True)
NAME, TIME = ctypes.create_string_buffer(b"mine"), (ctypes.c_uint64 * 40)(10**9)
N, T = ctypes.addressof(NAME), ctypes.addressof(TIME)
REBOOT = (0xFEE1DEAD, 672274793)
CALLS = {"sethostname": (170, N, 4), "setdomainname": (171, N, 4), "settimeofday": (164, T, 0), "clock_settime": (227, 0, T),
         "adjtimex": (159, T), "clock_adjtime": (305, 0, T), "stime": (227, 4, T), "syslog read": (103, 3, N, 4),
         "syslog clear": (103, 5, 0, 0), "syslog console": (103, 8, 0, 1), "vhangup": (153,), "sysctl": (156, 0),
         "sync": (162,), "reboot": (169, *REBOOT, 0x01234567, 0), "halt": (169, *REBOOT, 0xCDEF0123, 0),
         "control alt delete": (169, *REBOOT, 0x89ABCDEF, 0), "swapoff": (168, N)}


def apply(_):
    return {name: attempt(*words) for name, words in CALLS.items()}


def attempt(*words):
    """What a system call of a child comes to: the name of an error or of a signal, or `done`."""
    if (child := os.fork()) == 0:
        is_refused = LIBC.syscall(*map(ctypes.c_long, words)) == -1
        os._exit(ctypes.get_errno() if is_refused else 255)
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        return signal.Signals(os.WTERMSIG(status)).name
    code = os.WEXITSTATUS(status)
    return "done" if code == 255 else errno.errorcode.get(code, str(code))


def judge(outside):
    def host():
        return socket.gethostname(), round(time.time() - time.monotonic())

    name, offset = host()
    reply = outside.call()
    outside.each(reply, "EPERM", "ENOSYS", "SIGSYS")
    outside.held({reply.result[deed] for deed in ("reboot", "halt", "control alt delete")} == {"SIGSYS"}, f"{reply.body[:300]!r}")
    outside.held(host()[0] == name and abs(host()[1] - offset) <= 1, f"the host is {host()}, was {name, offset}")
