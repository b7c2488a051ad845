"""PR9: changes what is mounted."""
import ctypes
import errno
import os
import signal

DEED = "mounts, remounts writable, moves, unmounts and swaps roots with the old and the new calls"
EXPECTED = "each ends the process; the mounts of its box are, seen from outside, what they were"
CLASS = "changing the root"
LIBC = ctypes.CDLL(None, use_errno=True)
ROOT, TMP, TMPFS = (ctypes.create_string_buffer(text) for text in (b"/", b"/tmp", b"tmpfs"))
R, T, F = (ctypes.addressof(buffer) for buffer in (ROOT, TMP, TMPFS))
MS_REMOUNT_BIND, MS_BIND, AT_FDCWD = 0x1020, 0x1000, -100
CALLS = {"mount": (165, F, T, F, 0, 0), "bind": (165, R, T, 0, MS_BIND, 0), "remount": (165, 0, R, 0, MS_REMOUNT_BIND, 0),
         "umount2": (166, T, 2), "pivot_root": (155, T, T), "fsopen": (430, F, 0), "fsconfig": (431, 0, 6, 0, 0, 0),
         "fsmount": (432, 0, 0, 0), "fspick": (433, AT_FDCWD, R, 0), "open_tree": (428, AT_FDCWD, R, 1),
         "move_mount": (429, AT_FDCWD, R, AT_FDCWD, T, 0), "mount_setattr": (442, AT_FDCWD, R, 0, 0, 32),
         "chroot": (161, T), "statmount": (457, 0, 0, 0, 0), "listmount": (458, 0, 0, 0, 0), "open_tree_attr": (467, AT_FDCWD, R, 1, 0, 0)}
GENTLE = {"chroot": "EPERM", "statmount": "ENOSYS", "listmount": "ENOSYS", "open_tree_attr": "ENOSYS"}


def apply(kind):
    return None if kind == "wake" else {name: attempt(*words) for name, words in CALLS.items()}


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
    outside.answered(outside.call("wake"), None)
    table = os.path.dirname(outside.root()) + "/mountinfo"
    with open(table) as file:
        before = file.read()
    outside.answered(outside.call("mount"), {name: GENTLE.get(name, "SIGSYS") for name in CALLS})
    with open(table) as file:
        outside.held(file.read() == before, "its mounts have changed")
