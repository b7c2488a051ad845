"""FS8: makes device nodes."""
import ctypes
import errno
import os
import stat

DEED = "makes nodes of disks, memory and whiteouts with mknod, mknodat and renameat2, in every folder it may write to"
EXPECTED = "no node but a named pipe comes into being, and the mounts would not open one"
CLASS = "reaching devices"
SYS_MKNOD, SYS_MKNODAT, SYS_RENAMEAT2, AT_FDCWD, WHITEOUT = 133, 259, 316, -100, 4
NODES = {"disk": (stat.S_IFBLK, 254, 0), "sda": (stat.S_IFBLK, 8, 0), "mem": (stat.S_IFCHR, 1, 1), "kmsg": (stat.S_IFCHR, 1, 11),
         "tty": (stat.S_IFCHR, 5, 0), "fuse": (stat.S_IFCHR, 10, 229), "whiteout": (stat.S_IFCHR, 0, 0),
         "socket": (stat.S_IFSOCK, 0, 0)}
FOLDERS = ("/tmp", "/dev/shm", "/dev", "/fn/code")
libc = ctypes.CDLL(None, use_errno=True)


def apply(_):
    found = {}
    for folder in FOLDERS:
        for name, (kind, major, minor) in NODES.items():
            path, mode, device = f"{folder}/{name}".encode(), kind | 0o666, os.makedev(major, minor)
            found[f"mknod {path}"] = raw(SYS_MKNOD, path, mode, device)
            found[f"mknodat {path}"] = raw(SYS_MKNODAT, AT_FDCWD, path, mode, device)
            # The kernel reads the mode as 16 bits; a filter that compares more may see a pipe that is none.
            found[f"high bits {path}"] = raw(SYS_MKNODAT, AT_FDCWD, path, ctypes.c_long(mode | 0x1_0000_1000), device)
    open("/tmp/here", "w").close()
    found["renamed to a whiteout"] = raw(SYS_RENAMEAT2, AT_FDCWD, b"/tmp/here", AT_FDCWD, b"/tmp/there", WHITEOUT)
    return found


def raw(number, *arguments):
    done = libc.syscall(ctypes.c_long(number), *arguments)
    return errno.errorcode[ctypes.get_errno()] if done < 0 else "made"


def judge(outside):
    reply = outside.call()
    for folder in ("/tmp", "/dev/shm"):
        for name in os.listdir(outside.root() + folder):
            mode = os.lstat(f"{outside.root()}{folder}/{name}").st_mode
            outside.held(stat.S_ISREG(mode) or stat.S_ISFIFO(mode), f"{folder}/{name} is of mode {mode:o}")
    outside.each(reply, "EPERM", "ENOSYS", "EACCES", "EROFS")
