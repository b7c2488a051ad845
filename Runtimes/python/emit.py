"""Sending of files from a build box to the daemon."""
import struct

import frames

EXECUTABLE = 1
PATH_BYTES_MAX = 1024
COMPONENT_BYTES_MAX = 255


class Emitter:
    """Answers one request with files; `files` and `bytes` count what was sent."""

    def __init__(self, replies, nonce):
        self._replies, self._nonce = replies, nonce
        self.files = self.bytes = 0

    def file(self, path, size, chunks, executable=False):
        """Sends a file: FILE with size and relative path, then exactly `size` bytes in DATA frames of at most 1 MiB.

        `chunks` must yield `size` bytes in all, in pieces of any length.
        """
        payload = struct.pack("<Q", size) + path.encode("utf-8")
        self._replies.send(frames.FILE, self._nonce, payload, EXECUTABLE if executable else 0)
        sent = 0
        for chunk in chunks:
            for start in range(0, len(chunk), frames.DATA_BYTES_MAX):
                self._replies.send(frames.DATA, self._nonce, chunk[start : start + frames.DATA_BYTES_MAX])
            sent += len(chunk)
        assert sent == size, f"{path} was announced with {size} bytes, {sent} were sent"
        self.files += 1
        self.bytes += size

    def done(self):
        self._replies.send(frames.DONE, self._nonce)


def path_fits(path):
    """Whether a path and each of its components are short enough for file systems and for the daemon."""
    data = path.encode("utf-8")
    return len(data) <= PATH_BYTES_MAX and all(len(part) <= COMPONENT_BYTES_MAX for part in data.split(b"/"))
