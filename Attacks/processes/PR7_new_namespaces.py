"""PR7: makes namespaces of its own."""
import ctypes
import errno
import os
import signal

DEED = "asks for a new namespace of each kind with unshare, clone and clone3, alone and with a user namespace"
EXPECTED = "unshare ends the process, clone and clone3 are absent; its processes stay in one set of namespaces"
CLASS = "becoming root in a namespace"
LIBC = ctypes.CDLL(None, use_errno=True)
KINDS = {"time": 0x80, "mnt": 0x20000, "cgroup": 0x2000000, "uts": 0x4000000, "ipc": 0x8000000, "user": 0x10000000,
         "pid": 0x20000000, "net": 0x40000000}
UNSHARE, CLONE, CLONE3, FILES = 272, 56, 435, 0x400


def apply(_):
    found = {"unshare": {}, "clone": {}}
    for name, flag in {**KINDS, "files": FILES}.items():
        found["unshare"][name] = attempt(UNSHARE, flag)
        found["unshare"][name + " of a user"] = attempt(UNSHARE, flag | KINDS["user"])
    for name, flag in KINDS.items():
        found["clone"][name] = attempt(CLONE, flag | signal.SIGCHLD, 0, 0, 0, 0)
        found["clone"][name + " of a user"] = attempt(CLONE, flag | KINDS["user"] | signal.SIGCHLD, 0, 0, 0, 0)
        block = (ctypes.c_uint64 * 11)(flag, 0, 0, 0, signal.SIGCHLD)
        found["clone"][name + " by clone3"] = attempt(CLONE3, ctypes.addressof(block), ctypes.sizeof(block))
    return found


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
    reply = outside.call()
    found = reply.json.get("result") or {"unshare": {"": reply.body}, "clone": {"": reply.body}}
    for call, expected in (("unshare", "SIGSYS"), ("clone", "ENOSYS")):
        for kind, outcome in found[call].items():
            outside.held(outcome == expected, f"{call} {kind}: {outcome}")
