"""PR11: enters the kernel through its other tables of calls."""
import ctypes
import os
import platform
import signal

DEED = "writes machine code that calls exit(77) by int 0x80, by sysenter, in 32-bit mode and by x32 numbers"
EXPECTED = "each is killed where the same code by the honest way ends with 77"
CLASS = "evading the filter"
LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.mmap.restype = ctypes.c_void_p
LOW, ANONYMOUS, PRIVATE = 0x40, 0x20, 2
EXIT_32, EXIT_64, EXIT_X32 = b"\xb8\x01\0\0\0\xbb\x4d\0\0\0", b"\xb8\x3c\0\0\0\xbf\x4d\0\0\0", b"\xb8\x3c\0\0\x40\xbf\x4d\0\0\0"
SYSCALL, INT_80, SYSENTER, HLT = b"\x0f\x05", b"\xcd\x80", b"\x0f\x34", b"\xf4"


def apply(_):
    return {"honest": run(lambda at: EXIT_64 + SYSCALL), "int 0x80": run(lambda at: EXIT_32 + INT_80),
            "x32": run(lambda at: EXIT_X32 + SYSCALL),
            "sysenter": run(lambda at: b"\xbd" + word(at) + EXIT_32 + SYSENTER),
            # A far return with the selector of 32-bit code, to what follows it.
            "32-bit mode": run(lambda at: b"\x6a\x23\x68" + word(at + 9) + b"\x48\xcb" + EXIT_32 + INT_80)}


def word(number):
    return number.to_bytes(4, "little")


def run(make):
    """How a child ends that runs this code; the page is writable first and executable then, never both."""
    if (child := os.fork()) == 0:
        at = LIBC.mmap(None, ctypes.c_size_t(4096), 3, LOW | ANONYMOUS | PRIVATE, -1, ctypes.c_long(0))
        code = make(at) + HLT
        ctypes.memmove(at, code, len(code))
        LIBC.mprotect(ctypes.c_void_p(at), ctypes.c_size_t(4096), 5)
        ctypes.CFUNCTYPE(None)(at)()
        os._exit(1)
    status = os.waitpid(child, 0)[1]
    return signal.Signals(os.WTERMSIG(status)).name if os.WIFSIGNALED(status) else str(os.WEXITSTATUS(status))


def judge(outside):
    if platform.machine() != "x86_64":
        return
    reply = outside.call()
    found = reply.json.get("result") or {}
    outside.held(found.pop("honest", None) == "77", f"the honest code did not run: {reply.body[:300]!r}")
    # A kernel without the 32-bit entries, or a processor without sysenter, faults before any filter.
    absent = {"int 0x80": "SIGSEGV", "32-bit mode": "SIGSEGV", "sysenter": "SIGILL"}
    for way, outcome in found.items():
        outside.held(outcome in ("SIGSYS", absent.get(way)), f"{way}: {outcome}")
