"""What a published algorithm prints, passed on to the worker's own logs."""
import errno
import os
import select

from fifo import PIECE_BYTES, read

READY_MARK = b"PIPE_INIT_COMPLETE"
TAIL_BYTES_MAX = 4 << 10
_DRAIN_PIECES_MAX = 16


class Errors:
    """Standard error; `tail` keeps its end for messages."""

    def __init__(self, fd):
        os.set_blocking(fd, False)
        self.fd, self.tail = fd, b""

    def forward(self):
        """Passes on what is there; false when nothing was."""
        piece = read(self.fd)
        self.tail = (self.tail + piece)[-TAIL_BYTES_MAX:]
        write(2, piece)
        return bool(piece)


class Output:
    """Standard output; the first line with the mark says that the algorithm is loaded, and is not passed on."""

    def __init__(self, fd):
        os.set_blocking(fd, False)
        self.fd, self.is_ready = fd, False
        self._is_past_mark, self._line = False, b""

    def forward(self):
        """Passes on what is there; false when nothing was."""
        piece = read(self.fd)
        if self._is_past_mark:
            write(1, piece)
        elif piece:
            self._look_for_mark(piece)
        return bool(piece)

    def flush(self):
        """Passes on a line without an end that has no mark."""
        if not self.is_ready:
            write(1, self._line)
            self._line = b""

    def _look_for_mark(self, piece):
        """Passes on every line but the one with the mark, whose end may come later than the mark."""
        *lines, rest = (self._line + piece).split(b"\n")
        for index, line in enumerate(lines):
            if self.is_ready or READY_MARK in line:
                self.is_ready = self._is_past_mark = True
                write(1, b"\n".join([*lines[index + 1 :], rest]))
                return
            write(1, line + b"\n")
        self.is_ready = self.is_ready or READY_MARK in rest
        write(1, rest[:-PIECE_BYTES])
        self._line = rest[-PIECE_BYTES:]


def drain(*streams):
    """Passes on what is there now; whoever has the pipes as well may go on printing for ever."""
    for stream in streams:
        for _ in range(_DRAIN_PIECES_MAX):
            if not stream.forward():
                break


def write(fd, data):
    """Writes all of it to a log pipe; a daemon that is gone is noticed elsewhere."""
    while data:
        try:
            data = data[os.write(fd, data) :]
        except OSError as error:
            if error.errno != errno.EAGAIN:
                return
            select.select((), (fd,), ())
