"""Tries to make a file of each kind; answers "made" or the name of the error for each."""
import errno
import os
import stat

NULL = os.makedev(1, 3)
ATTEMPTS = {
    "pipe in /tmp": ("/tmp/pipe", stat.S_IFIFO, 0),
    "pipe in /fn": ("/fn/pipe", stat.S_IFIFO, 0),
    "pipe in /dev": ("/dev/pipe", stat.S_IFIFO, 0),
    "character device": ("/tmp/character", stat.S_IFCHR, NULL),
    "block device": ("/tmp/block", stat.S_IFBLK, os.makedev(8, 0)),
    "socket": ("/tmp/socket", stat.S_IFSOCK, 0),
}


def apply(_):
    return {name: attempt(*arguments) for name, arguments in ATTEMPTS.items()}


def attempt(path, kind, device):
    try:
        os.mknod(path, kind | 0o600, device)
    except OSError as error:
        return errno.errorcode[error.errno]
    return "made"
