"""PR18: makes memory that is writable and executable at once."""
import ctypes
import errno
import mmap
import os
import signal

DEED = "maps, remaps and protects pages as writable code, asks for implied execution, shared segments and segments of its own"
EXPECTED = "no such page; seen from outside, no mapping of the box is both"
CLASS = "running injected code"
LIBC = ctypes.CDLL(None, use_errno=True)
MMAP, MPROTECT, PKEY_MPROTECT, READ_IMPLIES_EXEC = 9, 10, 329, 0x0400000
pages = mmap.mmap(-1, 8192)


def apply(_):
    at = ctypes.addressof(ctypes.c_char.from_buffer(pages))
    code = ctypes.cast(LIBC.getpid, ctypes.c_void_p).value & ~4095
    stack = (ctypes.addressof(ctypes.create_string_buffer(1)) & ~4095)
    with open("/tmp/code", "wb") as file:
        file.write(b"\xc3" * 4096)
    written = os.open("/tmp/code", os.O_RDWR)
    found = {"mmap rwx": attempt(MMAP, 0, 4096, 7, 0x22, -1, 0), "mmap wx": attempt(MMAP, 0, 4096, 6, 0x22, -1, 0),
             "mmap shared rwx": attempt(MMAP, 0, 4096, 7, 0x21, -1, 0), "growing": attempt(MMAP, 0, 4096, 7, 0x122, -1, 0),
             "written file": attempt(MMAP, 0, 4096, 5, 1, written, 0), "written file rwx": attempt(MMAP, 0, 4096, 7, 1, written, 0),
             "mprotect": attempt(MPROTECT, at, 4096, 7), "with an upper half": attempt(MPROTECT, at, 4096, 1 << 32 | 7),
             "growing down": attempt(MPROTECT, stack, 4096, 0x01000007), "code": attempt(MPROTECT, code, 4096, 7),
             "pkey_mprotect": attempt(PKEY_MPROTECT, at, 4096, 7, -1), "remap_file_pages": attempt(216, at, 4096, 7, 0, 0),
             "personality": attempt(135, READ_IMPLIES_EXEC), "shmget": attempt(29, 0, 4096, 0o1777),
             "shmat": attempt(30, 0, 0, 0o100000), "modify_ldt": attempt(154, 1, at, 16)}
    try:
        os.close(os.open("/proc/self/mem", os.O_RDWR))
        found["mem"] = "opened"
    except OSError as error:
        found["mem"] = errno.errorcode[error.errno]
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
    outside.each(outside.call(), "ENOSYS", "EPERM", "EACCES")
    (pid,) = outside.workers()
    with open(f"/proc/{pid}/maps") as maps:
        both = [line.strip() for line in maps if "wx" in line.split()[1]]
    outside.held(not both, f"writable code: {both}")
