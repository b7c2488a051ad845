"""PR13: lets io_uring make its system calls."""
import ctypes
import errno
import os
import signal

DEED = "sets up an io_uring with valid, zero and polling parameters, enters and registers one"
EXPECTED = "the kernel seems to have none"
CLASS = "evading the filter"
LIBC = ctypes.CDLL(None, use_errno=True)
SETUP, ENTER, REGISTER = 425, 426, 427


def apply(_):
    found = {}
    for entries in (0, 1, 4096):
        for flags in (0, 2, 8, 1 << 32):  # 2: a kernel thread submits.
            parameters = (ctypes.c_uint32 * 30)(0, 0, flags & 0xFFFFFFFF)
            found[f"setup {entries} {flags}"] = attempt(SETUP, entries | flags & ~0xFFFFFFFF, ctypes.addressof(parameters))
    for descriptor in (-1, 0, 3):
        found[f"enter {descriptor}"] = attempt(ENTER, descriptor, 1, 1, 1, 0, 0)
        found[f"register {descriptor}"] = attempt(REGISTER, descriptor, 0, 0, 0)
    return found | {"io_submit": attempt(209, 0, 1, 0), "io_getevents": attempt(208, 0, 0, 0, 0, 0)}


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
    outside.each(outside.call(), "ENOSYS")
