"""The FIFO of a published algorithm's answers."""
import fcntl
import os

PIECE_BYTES = 1 << 20
_MODE = 0o644


class FifoLost(Exception):
    """The FIFO is gone and cannot be made again; the message names the path."""


class Fifo:
    """Made before the algorithm starts; a descriptor for reading and writing stays open.

    So no open of the algorithm ever blocks, whether it opens the FIFO once or for each answer, and nothing it writes
    is lost in between. Raises OSError when it cannot be made.
    """

    def __init__(self, path):
        self.path, self.fd = path, None
        self._moved = 0
        self._make_room()
        self._make()

    def restore(self):
        """Makes it again when the algorithm removed or replaced it, as some that tidy /tmp do. Raises FifoLost."""
        try:
            if os.path.samestat(os.lstat(self.path), os.fstat(self.fd)):
                return
        except FileNotFoundError:
            pass
        try:
            self._make_room()
            self._make()
        except OSError as error:
            raise FifoLost(f"{self.path} was removed or replaced, and cannot be made again: {error.strerror}") from None

    def _make_room(self):
        """Removes whatever is there, or moves it away when it is a folder."""
        try:
            os.unlink(self.path)
        except FileNotFoundError:
            pass
        except IsADirectoryError:
            self._moved += 1
            os.rename(self.path, f"{self.path}.{os.getpid()}.{self._moved}")

    def _make(self):
        os.mkfifo(self.path, _MODE)
        os.chmod(self.path, _MODE)  # Whatever the umask says.
        if self.fd is not None:
            os.close(self.fd)
        self.fd = os.open(self.path, os.O_RDWR | os.O_NONBLOCK)
        try:
            fcntl.fcntl(self.fd, fcntl.F_SETPIPE_SZ, PIECE_BYTES)
        except OSError:
            pass  # The user's share of pipe memory is used up: it is slower with 64 KiB, not wrong.

    def read(self):
        """What is in it now, at most a mebibyte."""
        return read(self.fd)

    def discard(self):
        """Drops what is in it; returns how many bytes that were, white space aside."""
        dropped = 0
        while piece := self.read():
            dropped += len(piece.strip())
        return dropped


def read(fd):
    """What a descriptor that does not block has now; nothing at its end too."""
    try:
        return os.read(fd, PIECE_BYTES)
    except BlockingIOError:
        return b""
