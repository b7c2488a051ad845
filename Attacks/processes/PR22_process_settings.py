"""PR22: changes what its process may do by prctl, and filters system calls itself."""
import ctypes
import errno
import os
import signal

DEED = "tries every prctl option, with and without an upper half, and installs filters and rules of its own"
EXPECTED = "options beyond the harmless are absent; filter, no-new-privileges and death signal stay"
CLASS = "undoing the confinement"
LIBC = ctypes.CDLL(None, use_errno=True)
PRCTL, SECCOMP, SET_PTRACER, HARMLESS = 157, 317, 0x59616D61, {3, 4, 15, 16, 23, 29, 38, 39, 41}
# Death signal, memory layout, capabilities, securebits, subreaper, I/O flusher, speculation, dispatch, core scheduling.
OPTIONS_TRIED = [number for number in range(81) if number not in HARMLESS] + [SET_PTRACER, 0x41555856]
ALLOW_ALL = (ctypes.c_uint64 * 1)(0x7FFF0000 << 32 | 0x06)
PROGRAM = (ctypes.c_uint64 * 2)(1, ctypes.addressof(ALLOW_ALL))


def apply(_):
    at = ctypes.addressof(PROGRAM)
    found = {f"prctl {option}": attempt(PRCTL, option, 1, 0, 0, 0) for option in OPTIONS_TRIED}
    for option in (1, 8, 22, 24, 28, 35, 36, 47):
        found[f"prctl {option} with an upper half"] = attempt(PRCTL, 1 << 32 | option, 1, 0, 0, 0)
    found |= {"filter": attempt(PRCTL, 22, 2, at), "strict": attempt(PRCTL, 22, 1, 0), "seccomp": attempt(SECCOMP, 1, 0, at),
              "listener": attempt(SECCOMP, 1, 8, at), "landlock": attempt(444, 0, 0, 1), "restrict": attempt(446, 0, 0),
              "dumpable as root": attempt(PRCTL, 4, 2, 0, 0, 0), "new privileges": attempt(PRCTL, 38, 0, 0, 0, 0),
              "gs": attempt(158, 0x1001, 0xFFFFFFFF81000000), "lsm": attempt(460, 100, at, 16, 0)}
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
    import boxes
    outside.each(outside.call(), "ENOSYS", "EPERM", "EINVAL")
    (pid,) = outside.workers()
    status = boxes.status(pid)
    kept = {name: status.get(name) for name in ("NoNewPrivs", "Seccomp", "Seccomp_filters", "CapBnd", "CapAmb")}
    filters = int(boxes.status(outside.daemon.spawner_pid())["Seccomp_filters"]) + 1  # The spawner's are inherited.
    wanted = {"NoNewPrivs": "1", "Seccomp": "2", "Seccomp_filters": str(filters), "CapBnd": "0" * 16, "CapAmb": "0" * 16}
    outside.held(kept == wanted, f"its process has {kept}")
