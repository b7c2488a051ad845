"""PR104: hides arguments from the filter behind their other half."""
import ctypes
import errno
import os
import signal

DEED = "passes refused arguments with bits above the 32 the kernel reads, and admitted ones with refused bits beside them"
EXPECTED = "the filter reads what the kernel reads, or refuses both"
CLASS = "evading the filter"
LIBC = ctypes.CDLL(None, use_errno=True)
UP = 1 << 32
CALLS = {
    "socket inet": (41, UP | 2, 1, 0), "socket unix": (41, UP | 1, 1, 0), "socketpair alg": (53, UP | 38, 5, 0, 0),
    "setsockopt tcp": (54, 0, UP | 6, 31, 0, 0), "fcntl lease": (72, 1, UP | 1024, 0), "fcntl notify": (72, 1, UP | 1026, 0),
    "fcntl owner": (72, 1, UP | 8, 1), "fcntl signal": (72, 1, UP | 10, 9), "madvise poison": (28, 0, 0, UP | 100),
    "madvise merge": (28, 0, 0, UP | 12), "madvise offline": (28, 0, 0, UP | 101), "memfd exec": (319, 0, UP | 0x10),
    "memfd": (319, 0, UP), "personality": (135, UP | 0xFFFFFFFF), "prlimit": (302, UP, 7, 0, 0), "prlimit new": (302, 0, 7, 1, 0),
    "clone user": (56, UP | 0x10000000 | 17, 0, 0, 0, 0), "clone time": (56, UP | 0x80, 0, 0, 0, 0),
    "mknod block": (259, -100, 0, UP | 0o060600, 0), "mknod both": (259, -100, 0, 0o070600, 0),
    "futex 2": (202, 0, UP | 2, 0, 0, 0, 0), "futex 14": (202, 0, UP | 14, 0, 0, 0, 0), "sendto oob": (44, 0, 0, 0, UP | 1, 0, 0),
    "sendmsg fast open": (46, 0, 0, UP | 0x20000000), "recvmsg oob": (47, 0, 0, 1), "number": (UP | 41, 2, 1, 0)}
# The kernel reads 32 bits of a number, too: this one is socket(AF_INET, …).


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
    outside.each(outside.call(), "ENOSYS", "EAFNOSUPPORT", "EPERM")
