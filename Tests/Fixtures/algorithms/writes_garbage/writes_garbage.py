import os

GARBAGE = b"\xde\xad\xbe\xef" * 256


def apply(_):
    """Writes to every descriptor from 0 to 63, then answers as if nothing had happened."""
    written = {}
    for fd in range(64):
        try:
            written[str(fd)] = os.write(fd, GARBAGE)
        except OSError:
            pass
    return written
