"""PR5: reads and writes the memory of other processes."""
import ctypes
import errno
import os
import signal

DEED = "traces, reads, copies descriptors of and opens the memory of the daemon, its spawner and another tenant's box"
EXPECTED = "they have no number in the box, and the calls for it end the process"
CLASS = "reading other processes"
LIBC = ctypes.CDLL(None, use_errno=True)
PTRACE_ATTACH, PTRACE_SEIZE = 16, 0x4206
CALLS = {"ptrace attach": (101, PTRACE_ATTACH, None, 0, 0), "ptrace seize": (101, PTRACE_SEIZE, None, 0, 0),
         "process_vm_readv": (310, None, 0, 0, 0, 0, 0), "process_vm_writev": (311, None, 0, 0, 0, 0, 0),
         "pidfd_open": (434, None, 0), "kcmp": (312, 1, None, 0, 0, 0), "process_madvise": (440, None, 0, 0, 4, 0)}


def apply(pids):
    found = {}
    for pid in (1, *pids):
        for name, words in CALLS.items():
            found[f"{name} {pid}"] = attempt(*(pid if word is None else word for word in words))
    for pid in pids:
        for file in ("mem", "maps", "root", "fd", "task"):
            found[f"{file} {pid}"] = look(f"/proc/{pid}/{file}", os.O_RDONLY)
    return found | {f"write {path}": look(path, os.O_RDWR) for path in ("/proc/1/mem", "/proc/self/mem")}


def look(path, flags):
    try:
        os.close(os.open(path, flags))
    except OSError as error:
        return errno.errorcode[error.errno]
    return "opened"


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
    beside = [pid for pid, box in boxes.processes(outside.daemon.group).items() if box in outside.bystanders]
    outside.held(beside, "the bystander has no process")
    reply = outside.call([outside.daemon.pid, outside.daemon.spawner_pid(), *beside])
    outside.each(reply, "SIGSYS", "EPERM", "ENOENT", "EACCES")
