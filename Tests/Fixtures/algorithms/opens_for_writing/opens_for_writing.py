import errno
import os


def apply(path):
    """Opens an existing file for writing; answers with the name of the error, or "opened"."""
    try:
        os.close(os.open(path, os.O_WRONLY))
    except OSError as error:
        return errno.errorcode[error.errno]
    return "opened"
