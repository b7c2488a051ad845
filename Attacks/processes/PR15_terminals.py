"""PR15: types on the host's terminal."""
import ctypes
import errno
import os
import signal

DEED = "pushes input into terminals, takes them over, and sends device commands to every descriptor it has"
EXPECTED = "there is no terminal, and no such command, with any upper half"
CLASS = "reaching the host's terminal"
LIBC = ctypes.CDLL(None, use_errno=True)
IOCTL = 16
COMMANDS = {"TIOCSTI": 0x5412, "TIOCLINUX": 0x541C, "TIOCSETD": 0x5423, "TIOCCONS": 0x541D, "TIOCSCTTY": 0x540E,
            "TCSETS": 0x5402, "FIFREEZE": 0xC0045877, "FS_IOC_SETFLAGS": 0x40086602, "FICLONE": 0x40049409,
            "SIOCGIFCONF": 0x8912, "KDSETMODE": 0x4B3A, "BLKDISCARD": 0x1277, "NS_GET_USERNS": 0xB701, "FIOASYNC": 0x5452}


def apply(_):
    byte, found = ctypes.create_string_buffer(b"x" * 64), {}
    for descriptor in (0, 1, 2, 3, 4):
        for name, command in COMMANDS.items():
            found[f"{name} {descriptor}"] = attempt(IOCTL, descriptor, command, ctypes.addressof(byte))
        found[f"TIOCSTI with an upper half {descriptor}"] = attempt(IOCTL, descriptor, 1 << 32 | 0x5412, ctypes.addressof(byte))
    for path in ("/dev/tty", "/dev/ptmx", "/dev/pts/0", "/dev/console", "/dev/tty0", "/dev/vcs"):
        try:
            os.close(os.open(path, os.O_RDWR))
            found[path] = "opened"
        except OSError as error:
            found[path] = errno.errorcode[error.errno]
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
    outside.each(outside.call(), "ENOSYS", "ENOENT", "EACCES")
