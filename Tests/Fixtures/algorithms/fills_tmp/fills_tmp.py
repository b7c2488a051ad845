import errno
import os


def apply(folder):
    """Writes to the folder (text; /tmp when empty) until the kernel says no; answers with bytes written and errno."""
    path = os.path.join(folder or "/tmp", "filler")
    block, written = b"x" * (1 << 20), 0
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        while True:
            written += os.write(fd, block)
    except OSError as error:
        return {"bytes": written, "errno": errno.errorcode[error.errno]}
    finally:
        os.close(fd)
        os.unlink(path)
