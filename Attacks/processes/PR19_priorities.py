"""PR19: puts itself before everybody else."""
import ctypes
import errno
import os
import signal

DEED = "asks for real-time, deadline and low-latency scheduling, nice -20, first place at the disk, and not to be killed for memory"
EXPECTED = "each is refused; from outside its process is an ordinary one and the first to go"
CLASS = "taking the host's time"
LIBC = ctypes.CDLL(None, use_errno=True)
PRIORITY = ctypes.c_int(50)
FIFO = (ctypes.c_uint32 * 14)(56, 1, 0, 0, 0, 50)
DEADLINE = (ctypes.c_uint64 * 7)(6 << 32 | 56, 0, 0, 900_000, 1_000_000, 1_000_000, 0)
P, F, D = (ctypes.addressof(block) for block in (PRIORITY, FIFO, DEADLINE))
CALLS = {"fifo": (144, 0, 1, P), "round robin": (144, 0, 2, P), "fifo attr": (314, 0, F, 0), "deadline": (314, 0, D, 0),
         "param": (142, 0, P), "nice": (141, 0, 0, -20), "nice of all": (141, 2, 1000, -20), "io": (251, 1, 0, 1 << 13),
         "io idle": (251, 1, 0, 3 << 13), "mlockall": (151, 3), "core cookie": (157, 62, 1, 0, 1, 0)}


def apply(_):
    found = {name: attempt(*words) for name, words in CALLS.items()}
    for file in ("autogroup", "oom_score_adj", "timerslack_ns", "sched", "latency"):
        try:
            with open(f"/proc/self/{file}", "w") as opened:
                opened.write("-1000")
            found[file] = "written"
        except OSError as error:
            found[file] = errno.errorcode[error.errno]
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
    outside.each(outside.call(), "EPERM", "ENOSYS", "EACCES", "ENOENT")
    (pid,) = outside.workers()
    found = os.sched_getscheduler(pid), os.getpriority(os.PRIO_PROCESS, pid)
    outside.held(found == (os.SCHED_OTHER, 0), f"its process has the policy and niceness {found}")
    with open(f"/proc/{pid}/oom_score_adj") as file:
        outside.held(int(file.read()) > 0, "its process is not the first to go when memory is short")
