"""PR21: raises its limits."""
import ctypes
import errno
import os
import resource
import signal

DEED = "raises every limit of itself, of pid 1 and of host processes, hard and soft, with the old and the new call"
EXPECTED = "each is refused; from outside its limits are what they were"
CLASS = "lifting limits"
LIBC = ctypes.CDLL(None, use_errno=True)
SETRLIMIT, PRLIMIT64 = 160, 302
ENDLESS = (ctypes.c_uint64 * 2)(*[2**64 - 1] * 2)


def apply(pids):
    at, found = ctypes.addressof(ENDLESS), {}
    for limit in range(16):
        found[f"setrlimit {limit}"] = attempt(SETRLIMIT, limit, at)
        for pid in (0, 1, 1 << 32, *pids):
            found[f"prlimit {limit} of {pid}"] = attempt(PRLIMIT64, pid, limit, at, 0)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (512, 512))
        found["resource"] = "done"
    except (OSError, ValueError) as error:
        found["resource"] = errno.errorcode.get(getattr(error, "errno", 0), "EPERM")
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
    def limits():
        with open(f"/proc/{next(iter(outside.workers()))}/limits") as file:
            return file.read()

    outside.each(outside.call([outside.daemon.pid]), "EPERM", "ENOSYS")
    before = limits()
    outside.call([outside.daemon.pid])
    outside.held(limits() == before, "its limits have changed")
    outside.held("Max open files            256                  256 " in before, f"its limits are {before}")
