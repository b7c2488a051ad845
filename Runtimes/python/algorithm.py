"""A published algorithm as a child process, spoken to by Algorithmia's pipe protocol.

Requests are JSON lines on its stdin; an answer is one JSON object from the FIFO /tmp/algoout; a line of its stdout that
contains PIPE_INIT_COMPLETE says that it is loaded.
"""
import os
import select

from fifo import PIECE_BYTES, Fifo
from printed import Errors, Output, drain, write
from values import Objects

ANSWER_BYTES_MAX = 100 << 20
"""15 MB of text may take six times that with every character escaped."""
_CHECK_MILLISECONDS = 100
_SIGPIPE = 13
"""Python ignores it, and so would every program that the algorithm starts."""
_NOTHING = memoryview(b"")


class Ended(Exception):
    """The child is gone; `status` is its exit status, or minus the signal that killed it.

    `was_told` says whether it had been sent anything of the call.
    """

    def __init__(self, status, was_told=True):
        super().__init__(f"ended with status {status}")
        self.status, self.was_told = status, was_told


class InputClosed(Exception):
    """The child closed its stdin before it had read the request."""


class Algorithm:
    """The child, its three pipes and the FIFO. Raises OSError when the program cannot be started."""

    def __init__(self, argv, environment, fifo):
        self._fifo, self._status = Fifo(fifo), None
        (theirs_in, self._input), (output, theirs_out), (errors, theirs_err) = (os.pipe() for _ in range(3))
        self.pid = os.posix_spawn(argv[0], argv, environment, file_actions=[
            (os.POSIX_SPAWN_DUP2, theirs_in, 0), (os.POSIX_SPAWN_DUP2, theirs_out, 1),
            (os.POSIX_SPAWN_DUP2, theirs_err, 2)], setsigdef=[_SIGPIPE])
        for fd in (theirs_in, theirs_out, theirs_err):
            os.close(fd)
        os.set_blocking(self._input, False)
        self._output, self._errors = Output(output), Errors(errors)
        self._objects, self._answer, self._unsent = Objects(ANSWER_BYTES_MAX), None, _NOTHING

    @property
    def tail(self):
        """The end of what it printed on stderr."""
        return self._errors.tail

    def load(self):
        """Waits for the mark; returns None, or the bytes of the object that came instead of it. Raises Ended."""
        return self._exchange(lambda: self._output.is_ready or self._answer is not None)

    def call(self, line):
        """Sends one request line and returns the bytes of the answer.

        Raises Ended, InputClosed, FifoLost, NotAnObject, ValueTooLarge.
        """
        self._look_after()
        if self._status is not None:
            raise Ended(self._status, was_told=False)
        self._fifo.restore()
        self._objects.reset()
        if dropped := self._fifo.discard():
            write(2, f"[{dropped} bytes in {self._fifo.path} answered no request and were dropped]\n".encode())
        self._unsent = memoryview(line)
        return self._exchange(lambda: self._answer is not None)

    @property
    def can_go_on(self):
        """Whether it is alive and has read the whole request: the next line would go to waste otherwise."""
        self._look_after()
        return self._status is None and not self._unsent

    def _look_after(self):
        if self._status is None:
            self._status = reap(self.pid)

    def _exchange(self, is_done):
        try:
            self._pump(is_done)
        finally:
            drain(self._output, self._errors)  # What was printed before the answer belongs to it.
            self._output.flush()
        answer, self._answer = self._answer, None
        return answer

    def _pump(self, is_done):
        """Moves bytes in every direction at once, until the condition holds or the child has ended."""
        poll = select.poll()
        printed = {stream.fd: stream for stream in (self._output, self._errors)}
        for fd in (self._fifo.fd, *printed):
            poll.register(fd, select.POLLIN)
        if self._unsent:
            poll.register(self._input, select.POLLOUT)
        while not is_done():
            for fd, event in poll.poll(_CHECK_MILLISECONDS):
                if fd == self._input:
                    if not self._send():
                        poll.unregister(fd)
                elif fd == self._fifo.fd:
                    self._read_answer()
                elif not printed[fd].forward() and event & (select.POLLHUP | select.POLLERR):
                    poll.unregister(fd)
            self._look_after()
            if self._status is not None:
                return self._finish(is_done)

    def _finish(self, is_done):
        """The child has ended; an answer that it wrote before still counts."""
        while self._answer is None and self._read_answer():
            pass
        drain(self._output, self._errors)
        if not is_done():
            raise Ended(self._status)

    def _send(self):
        """Writes what the pipe takes; false when nothing is left. Raises InputClosed."""
        try:
            sent = os.write(self._input, self._unsent[:PIECE_BYTES])
        except BlockingIOError:
            return True
        except BrokenPipeError:
            self._look_after()
            if self._status is None and not self._read_answer():
                raise InputClosed("it closed its stdin before it had read the request") from None
            return False
        # Not a view of nothing at the end: that would keep the whole line.
        self._unsent = self._unsent[sent:] if sent < len(self._unsent) else _NOTHING
        return len(self._unsent) > 0

    def _read_answer(self):
        piece = self._fifo.read()
        if piece and self._answer is None:
            self._answer = self._objects.feed(piece)
        return piece


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
