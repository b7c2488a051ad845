"""PR14: uses the parts of the kernel that exploits use."""
import ctypes
import errno
import os
import signal

DEED = "calls bpf, perf_event_open, userfaultfd, the key rings, modules and kexec, with each of their commands"
EXPECTED = "each ends the process; one made by the code's own process ends the call as a forbidden call"
CLASS = "attacking the kernel"
LIBC = ctypes.CDLL(None, use_errno=True)
USER_MODE_ONLY = 1
ATTRIBUTES = (ctypes.c_uint64 * 16)(112 << 32 | 1)
AT = ctypes.addressof(ATTRIBUTES)
CALLS = {**{f"bpf {command}": (321, command, AT, 128) for command in range(0, 40, 3)},
         **{f"keyctl {command}": (250, command, -3, 1, 0, 0) for command in range(0, 33)},
         "perf_event_open": (298, AT, 0, -1, -1, 0), "userfaultfd": (323, 0), "userfaultfd user": (323, USER_MODE_ONLY),
         "add_key": (248, AT, AT, AT, 8, -3), "request_key": (249, AT, AT, 0, -3), "init_module": (175, AT, 8, AT),
         "finit_module": (313, 0, AT, 0), "delete_module": (176, AT, 0), "kexec_load": (246, 0, 0, 0, 0),
         "kexec_file_load": (320, 0, 0, 0, 0, 0), "open_by_handle_at": (304, 0, AT, 0), "iopl": (172, 3),
         "ioperm": (173, 0, 64, 1), "acct": (163, 0), "swapon": (167, AT, 0), "quotactl": (179, 0, 0, 0, 0)}


def apply(kind):
    if kind == "itself":
        LIBC.syscall(*map(ctypes.c_long, CALLS["bpf 0"]))
        return "it went on"
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
    outside.each(outside.call("children"), "SIGSYS")
    own = outside.call("itself")
    outside.failed(own, "SyscallError")
    outside.free(own)
