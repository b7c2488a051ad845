"""PR16: moves references to shared pages, as page cache exploits do."""
import ctypes
import errno
import os
import signal

DEED = "splices pages of read-only host files into pipes and sockets, and opens the kernel's ciphers to write them"
EXPECTED = "moving pages is refused, the families are absent, the file of the host is what it was"
CLASS = "writing read-only files"
LIBC = ctypes.CDLL(None, use_errno=True)
SENDFILE, SPLICE, TEE, VMSPLICE, COPY_FILE_RANGE, SOCKET = 40, 275, 276, 278, 326, 41
TARGET = "/usr/lib/os-release"


def apply(_):
    file, (out, into) = os.open(TARGET, os.O_RDONLY), os.pipe()
    vector = (ctypes.c_uint64 * 2)(ctypes.addressof(ctypes.create_string_buffer(16)), 16)
    found = {"sendfile": attempt(SENDFILE, into, file, 0, 16), "splice": attempt(SPLICE, file, 0, into, 0, 16, 0),
             "splice back": attempt(SPLICE, out, 0, file, 0, 16, 0), "tee": attempt(TEE, out, into, 16, 0),
             "vmsplice": attempt(VMSPLICE, into, ctypes.addressof(vector), 1, 8),
             "copy_file_range": attempt(COPY_FILE_RANGE, file, 0, file, 0, 16, 0)}
    for name, words in {"AF_ALG": (38, 5, 0), "AF_RXRPC": (33, 2, 0), "XFRM": (16, 3, 6), "AF_KEY": (15, 3, 2),
                        "AF_VSOCK": (40, 1, 0), "AF_SMC": (43, 1, 0), "AF_XDP": (44, 3, 0)}.items():
        found[name] = attempt(SOCKET, *words)
        found[name + " pair"] = attempt(53, *words, 0)
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
    with open(TARGET, "rb") as file:
        before = file.read()
    reply = outside.call()
    outside.each(reply, "EPERM", "EAFNOSUPPORT", "ENOSYS")
    outside.held("EAFNOSUPPORT" in reply.result.values() and reply.result["splice"] == "EPERM", f"{reply.body[:300]!r}")
    with open(TARGET, "rb") as file:
        outside.held(file.read() == before, f"{TARGET} has changed")
