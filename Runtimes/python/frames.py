"""Frames between the daemon and a box: a 16-byte little-endian header, then the payload.

Header: magic u16 = 0xFA5D, type u8, flags u8, payload length u32, nonce u64. Every reply echoes the nonce of the
frame that it answers. Requests come on descriptor 3, replies leave on descriptor 4.
"""
import os
import struct

HEADER = struct.Struct("<HBBIQ")
MAGIC = 0xFA5D

INIT, CALL, ARCHIVE, REQUIREMENTS, BRANCH = 1, 2, 3, 4, 5
READY, RESULT, ERROR, LOAD_ERROR, CHILD_ENDED = 0x81, 0x82, 0x83, 0x84, 0x85
FILE, DATA, DONE = 0x90, 0x91, 0x92
TEXT, JSON, BINARY = 0, 1, 2
BEFORE_THE_CALL = 0x01
"""Flag of CHILD_ENDED, whose payload is an exit status or minus a signal: nothing of the call had been passed on."""
CAN_BRANCH = 0x01
"""Flag of READY: the worker can be told to fork."""
LAST = 0x80
"""Flag of RESULT and ERROR: the worker ends with this answer and must not be asked again."""

REQUEST_FD, REPLY_FD = 3, 4
CONTROL_FD = 6
"""Where orders to fork come, in boxes of versions that ask for it."""
EXIT_PROTOCOL = 76
"""Exit status of a program that was sent a frame it cannot accept (EX_PROTOCOL of sysexits.h)."""

REQUEST_BYTES_MAX = {INIT: 1024, CALL: 10 << 20, ARCHIVE: 100 << 20, REQUIREMENTS: 1 << 20, BRANCH: 0}
DATA_BYTES_MAX = 1 << 20
ERROR_TYPE_BYTES_MAX = 256
ERROR_TEXT_BYTES_MAX = 8 << 10
"""Type and message of an error together."""
STACKTRACE_BYTES_MAX = 64 << 10

_JOIN_BYTES_MAX = 64 << 10
_getpid, _write = os.getpid, os.write


class ProtocolError(Exception):
    """A request frame that the program cannot accept; the message names the field, its value and the limit."""


class Requests:
    """The read end of the request pipe."""

    def __init__(self, fd=REQUEST_FD):
        os.set_inheritable(fd, False)
        # BufferedReader.read(n) makes one bytes object of n and reads into it: no second copy of a large input.
        self._read = open(fd, "rb", buffering=64 << 10, closefd=False).read

    def next(self, *accepted):
        """One frame as (type, flags, nonce, payload).

        Raises EOFError when the daemon has closed the pipe, ProtocolError for a frame not among `accepted`.
        """
        header = self._read(16)
        if len(header) < 16:
            raise EOFError
        magic, kind, flags, length, nonce = HEADER.unpack(header)
        if magic != MAGIC:
            raise ProtocolError(f"frame magic is {magic:#06x}, not {MAGIC:#06x}")
        if kind not in accepted:
            raise ProtocolError(f"frame type is {kind:#04x}, expected one of {accepted}")
        if length > REQUEST_BYTES_MAX[kind]:
            raise ProtocolError(f"frame of type {kind:#04x} has {length} bytes, limit {REQUEST_BYTES_MAX[kind]}")
        payload = self._read(length)
        if len(payload) < length:
            raise EOFError
        return kind, flags, nonce, payload


class Replies:
    """The write end of the reply pipe; only the process that made it may answer."""

    def __init__(self, fd=REPLY_FD):
        os.set_inheritable(fd, False)
        self._fd, self._pid = fd, _getpid()

    def send(self, kind, nonce, payload=b"", flags=0):
        """Writes one frame whole. Raises BrokenPipeError when the daemon has gone."""
        if _getpid() != self._pid:
            os._exit(1)  # A forked child came back from the algorithm: its parent answers, not it.
        header = HEADER.pack(MAGIC, kind, flags, len(payload), nonce)
        if len(payload) <= _JOIN_BYTES_MAX:
            _write_all(self._fd, header + payload)
        else:
            _write_all(self._fd, header)
            _write_all(self._fd, payload)

    def fail(self, nonce, error_type, message, stacktrace="", kind=ERROR, is_last=False):
        """Answers with an error frame, its fields clipped to the limits above."""
        self.send(kind, nonce, error_payload(error_type, message, stacktrace), LAST if is_last else 0)


def error_payload(error_type, message, stacktrace=""):
    """Three fields, each u32 length and UTF-8 bytes: error type, message, stack trace."""
    name = _clip(error_type, ERROR_TYPE_BYTES_MAX)
    text = _clip(message, ERROR_TEXT_BYTES_MAX - len(name))
    trace = _clip(stacktrace, STACKTRACE_BYTES_MAX, keep_end=True)
    return b"".join(len(field).to_bytes(4, "little") + field for field in (name, text, trace))


def _clip(text, bytes_max, keep_end=False):
    """UTF-8 of at most `bytes_max` bytes, cut between characters; what UTF-8 cannot hold is escaped."""
    text = text[-bytes_max:] if keep_end else text[:bytes_max]
    data = text.encode("utf-8", "backslashreplace")
    if len(data) <= bytes_max:
        return data
    data = data[-bytes_max:] if keep_end else data[:bytes_max]
    return data.decode("utf-8", "ignore").encode("utf-8")


def _write_all(fd, data):
    written = 0
    while written < len(data):
        try:
            written += _write(fd, memoryview(data)[written:] if written else data)
        except BlockingIOError:
            os.set_blocking(fd, True)  # The algorithm made the shared pipe non-blocking.


def run_program(main):
    """Runs a build program and ends it: 0 when done or when the daemon has gone, 76 after a frame it cannot accept."""
    status = 0
    try:
        main()
    except (EOFError, BrokenPipeError):
        pass
    except ProtocolError as error:
        _write(2, f"{error}\n".encode("utf-8", "backslashreplace"))
        status = EXIT_PROTOCOL
    os._exit(status)
