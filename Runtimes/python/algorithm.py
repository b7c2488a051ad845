"""A published algorithm as a child process, spoken to by Algorithmia's pipe protocol.

Requests are JSON lines on its stdin; an answer is one JSON object from the FIFO /tmp/algoout; a line of its stdout that
contains PIPE_INIT_COMPLETE says that it is loaded. The FIFO is there before the child starts, and a descriptor for
reading and writing stays open, so that no open of the child ever blocks and no answer is lost.
"""
import errno
import fcntl
import os
import select

from values import Objects

READY_MARK = b"PIPE_INIT_COMPLETE"
ANSWER_BYTES_MAX = 100 << 20
"""15 MB of text may take six times that with every character escaped."""
TAIL_BYTES_MAX = 4 << 10
_PIECE_BYTES = 1 << 20
_DRAIN_PIECES_MAX = 16
_CHECK_MILLISECONDS = 100
_SIGPIPE = 13
"""Python ignores it, and so would every program that the algorithm starts."""


class Ended(Exception):
    """The child is gone before it answered; `status` is its exit status, or minus the signal that killed it."""

    def __init__(self, status):
        super().__init__(f"ended with status {status}")
        self.status = status


class Algorithm:
    """The child, its three pipes and the FIFO. Raises OSError when the program cannot be started."""

    def __init__(self, argv, environment, fifo):
        self._fifo, self._status = fifo, None
        self._answers = None
        self._restore_fifo()
        (theirs_in, self._input), (self._output, theirs_out), (self._errors, theirs_err) = (os.pipe() for _ in range(3))
        self.pid = os.posix_spawn(argv[0], argv, environment, file_actions=[
            (os.POSIX_SPAWN_DUP2, theirs_in, 0), (os.POSIX_SPAWN_DUP2, theirs_out, 1),
            (os.POSIX_SPAWN_DUP2, theirs_err, 2)], setsigdef=[_SIGPIPE])
        for fd in (theirs_in, theirs_out, theirs_err):
            os.close(fd)
        for fd in (self._input, self._output, self._errors):
            os.set_blocking(fd, False)
        self._objects, self._answer, self._unsent = Objects(ANSWER_BYTES_MAX), None, memoryview(b"")
        self._is_ready, self._is_past_mark, self._line = False, False, b""
        self.tail = b""

    def load(self):
        """Waits for the mark; returns None, or the bytes of the object that came instead of it. Raises Ended."""
        return self._exchange(lambda: self._is_ready or self._answer is not None)

    def call(self, line):
        """Sends one request line and returns the bytes of the answer. Raises Ended, NotAnObject, ValueTooLarge."""
        if self._status is not None:
            raise Ended(self._status)
        self._restore_fifo()
        self._discard()
        self._unsent = memoryview(line)
        return self._exchange(lambda: self._answer is not None)

    @property
    def can_go_on(self):
        """Whether it is alive and has read the whole request: the next line would go to waste otherwise."""
        return self._status is None and not self._unsent

    def _exchange(self, is_done):
        try:
            self._pump(is_done)
        finally:
            self._drain()  # What was printed before the answer belongs to it.
        answer, self._answer = self._answer, None
        return answer

    def _pump(self, is_done):
        """Moves bytes in every direction at once, until the condition holds or the child has ended."""
        poll = select.poll()
        for fd in (self._answers, self._output, self._errors):
            poll.register(fd, select.POLLIN)
        if self._unsent:
            poll.register(self._input, select.POLLOUT)
        while not is_done():
            for fd, event in poll.poll(_CHECK_MILLISECONDS):
                if fd == self._input:
                    if not self._send():
                        poll.unregister(fd)
                elif fd == self._answers:
                    self._read_answer()
                elif not self._forward(fd) and event & (select.POLLHUP | select.POLLERR):
                    poll.unregister(fd)
            self._status = reap(self.pid)
            if self._status is not None:
                return self._finish(is_done)

    def _finish(self, is_done):
        """The child has ended; an answer that it wrote before still counts."""
        while self._answer is None and self._read_answer():
            pass
        self._drain()
        if not is_done():
            raise Ended(self._status)

    def _drain(self):
        """Passes on what is in the pipes now; whoever has them as well may go on printing for ever."""
        for fd in (self._output, self._errors):
            for _ in range(_DRAIN_PIECES_MAX):
                if not self._forward(fd):
                    break
        if not self._is_ready:
            _write(1, self._line)
            self._line = b""

    def _send(self):
        """Writes what the pipe takes; false when nothing is left, or nobody reads."""
        try:
            self._unsent = self._unsent[os.write(self._input, self._unsent[:_PIECE_BYTES]) :]
        except BlockingIOError:
            pass
        except BrokenPipeError:
            return False
        return len(self._unsent) > 0

    def _read_answer(self):
        piece = _read(self._answers)
        if piece and self._answer is None:
            self._answer = self._objects.feed(piece)
        return piece

    def _forward(self, fd):
        """Passes on what the child printed; the end of stderr is kept for messages."""
        piece = _read(fd)
        if not piece:
            return False
        if fd == self._errors:
            self.tail = (self.tail + piece)[-TAIL_BYTES_MAX:]
            _write(2, piece)
        elif self._is_past_mark:
            _write(1, piece)
        else:
            self._look_for_mark(piece)
        return True

    def _look_for_mark(self, piece):
        """Passes on every line but the one with the mark, whose end may come later than the mark."""
        *lines, rest = (self._line + piece).split(b"\n")
        for index, line in enumerate(lines):
            if self._is_ready or READY_MARK in line:
                self._is_ready = self._is_past_mark = True
                _write(1, b"\n".join([*lines[index + 1 :], rest]))
                return
            _write(1, line + b"\n")
        self._is_ready = self._is_ready or READY_MARK in rest
        self._line = rest[-_PIECE_BYTES:]

    def _restore_fifo(self):
        """Makes the FIFO, and makes it again when the algorithm removed it, as some that tidy /tmp do."""
        try:
            if self._answers is not None and os.path.samestat(os.stat(self._fifo), os.fstat(self._answers)):
                return
            os.unlink(self._fifo)
        except FileNotFoundError:
            pass
        os.mkfifo(self._fifo, 0o644)
        if self._answers is not None:
            os.close(self._answers)
        self._answers = os.open(self._fifo, os.O_RDWR | os.O_NONBLOCK)
        try:
            fcntl.fcntl(self._answers, fcntl.F_SETPIPE_SZ, 1 << 20)
        except OSError:
            pass  # The user's share of pipe memory is used up: it is slower with 64 KiB, not wrong.

    def _discard(self):
        """Drops what was written after the last answer: it belongs to no request."""
        self._objects.reset()
        dropped = 0
        while piece := _read(self._answers):
            dropped += len(piece.strip())
        if dropped:
            _write(2, f"[{dropped} bytes in {self._fifo} answered no request and were dropped]\n".encode())


def reap(pid):
    """Collects dead children; the status of `pid` when it is among them: its exit status, or minus a signal."""
    found = None
    while True:
        try:
            dead, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return found
        if dead == 0:
            return found
        if dead == pid:
            found = os.waitstatus_to_exitcode(status)


def _read(fd):
    try:
        return os.read(fd, _PIECE_BYTES)
    except BlockingIOError:
        return b""


def _write(fd, data):
    """Writes all of it to a log pipe; a daemon that is gone is noticed elsewhere."""
    while data:
        try:
            data = data[os.write(fd, data) :]
        except OSError as error:
            if error.errno != errno.EAGAIN:
                return
            select.select((), (fd,), ())
