"""Makes one system call in a forked child and tells how it ended.

Input: {"call": NAME or number, "args": [numbers, optional]}. Answer: {"signal": N} or {"errno": N, "name": "EPERM"} or
{"returned": true}. x86-64 numbers. Names with `args` left out use arguments that would do something if allowed.
"""
import ctypes
import errno
import os

CLONE_NEWUSER, AF_INET, SOCK_STREAM, PTRACE_TRACEME = 0x10000000, 2, 1, 0
CALLS = {
    "ptrace": (101, [PTRACE_TRACEME, 0, 0, 0]),
    "mount": (165, [0, 0, 0, 0, 0]),
    "umount2": (166, [0, 0]),
    "unshare": (272, [CLONE_NEWUSER]),
    "setns": (308, [0, 0]),
    "keyctl": (250, [0, -3, 1]),
    "bpf": (321, [0, 0, 0]),
    "io_uring_setup": (425, [1, 0]),
    "socket": (41, [AF_INET, SOCK_STREAM, 0]),
    "perf_event_open": (298, [0, 0, -1, -1, 0]),
    "userfaultfd": (323, [0]),
    "process_vm_readv": (310, [1, 0, 0, 0, 0, 0]),
    "clone3": (435, [0, 0]),
    "init_module": (175, [0, 0, 0]),
    "kexec_load": (246, [0, 0, 0, 0]),
    "reboot": (169, [0, 0, 0, 0]),
    "chroot": (161, [0]),
    "pivot_root": (155, [0, 0]),
    "splice": (275, [-1, 0, -1, 0, 1, 0]),
    "setuid": (105, [0]),
}


def apply(request):
    number, arguments = request["call"], []
    if isinstance(number, str):
        number, arguments = CALLS[number]
    arguments = request.get("args", arguments)
    libc = ctypes.CDLL(None, use_errno=True)
    words = [ctypes.c_long(number)] + [ctypes.c_long(value) for value in (list(arguments) + [0] * 6)[:6]]
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        ctypes.set_errno(0)
        failed = libc.syscall(*words) == -1
        os.write(write_end, ctypes.get_errno().to_bytes(4, "little") if failed else b"\0\0\0\0")
        os._exit(0)
    os.close(write_end)
    answer = os.read(read_end, 4)
    os.close(read_end)
    status = os.waitpid(pid, 0)[1]
    if os.WIFSIGNALED(status):
        return {"signal": os.WTERMSIG(status)}
    code = int.from_bytes(answer, "little")
    return {"errno": code, "name": errno.errorcode.get(code, "?")} if code else {"returned": True}
