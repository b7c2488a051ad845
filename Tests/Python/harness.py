"""Drives the programs of Runtimes/python over pipes, as the daemon does."""
import gzip
import io
import os
import select
import struct
import subprocess
import sys
import tarfile
import tempfile
import time

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
RUNTIME = os.path.join(REPOSITORY, "Runtimes", "python")
FIXTURES = os.path.join(REPOSITORY, "Tests", "Fixtures", "algorithms")
if RUNTIME not in sys.path:
    sys.path.append(RUNTIME)

import frames

# Descriptors 3 and 4 are taken here for good, so that no pipe of ours or of subprocess lies where a box has its own.
while os.open(os.devnull, os.O_RDONLY) < 4:
    pass

NONCE = 0x0123456789ABCDEF


class Frame:
    def __init__(self, kind, flags, nonce, payload):
        self.kind, self.flags, self.nonce, self.payload = kind, flags, nonce, payload

    @property
    def error(self):
        """(type, message, stack trace) of an error frame."""
        fields, rest = [], self.payload
        for _ in range(3):
            length = int.from_bytes(rest[:4], "little")
            fields.append(rest[4 : 4 + length].decode())
            rest = rest[4 + length :]
        assert rest == b"", rest
        return tuple(fields)

    def __repr__(self):
        return f"Frame({self.kind:#x}, flags={self.flags}, nonce={self.nonce:#x}, {self.payload[:300]!r})"


class Box:
    """A program with request and reply pipes on descriptors 3 and 4; a context manager that leaves nothing behind."""

    def __init__(self, program, *arguments, flags=("-I", "-S", "-B", "-u"), environment=None):
        request_read, self.requests = os.pipe()
        self.replies, reply_write = os.pipe()
        command = ["/usr/bin/python3", *flags, os.path.join(RUNTIME, program), *arguments]
        self.output = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            command, pass_fds=(3, 4), preexec_fn=lambda: (os.dup2(request_read, 3), os.dup2(reply_write, 4)),
            stdin=subprocess.DEVNULL, stdout=self.output, stderr=self.output, start_new_session=True,
            env=environment or {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": "/tmp"})
        for fd in (request_read, reply_write):
            os.close(fd)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close_requests()
        try:
            os.killpg(self.process.pid, 9)
        except ProcessLookupError:
            pass
        self.process.wait()
        os.close(self.replies)
        self.output.close()

    def close_requests(self):
        if self.requests is not None:
            os.close(self.requests)
            self.requests = None

    def send(self, kind, payload=b"", flags=0, nonce=NONCE):
        data = frames.HEADER.pack(frames.MAGIC, kind, flags, len(payload), nonce) + payload
        self.send_raw(data)

    def send_raw(self, data):
        view = memoryview(data)
        while view:
            view = view[os.write(self.requests, view[: 1 << 20]) :]

    def receive(self, seconds=60):
        """The next frame, or None at the end of the replies."""
        header = self._read(16, seconds)
        if header is None:
            return None
        magic, kind, flags, length, nonce = frames.HEADER.unpack(header)
        assert magic == frames.MAGIC, f"magic {magic:#x}, output: {self.text()}"
        return Frame(kind, flags, nonce, self._read(length, seconds))

    def _read(self, count, seconds):
        deadline, parts, left = time.monotonic() + seconds, [], count
        while left > 0:
            if not select.select([self.replies], [], [], max(0, deadline - time.monotonic()))[0]:
                raise TimeoutError(f"no reply in {seconds} s, output: {self.text()}")
            part = os.read(self.replies, min(left, 1 << 20))
            if not part:
                assert left == count, f"the replies end {left} bytes early, output: {self.text()}"
                return None
            parts.append(part)
            left -= len(part)
        return b"".join(parts)

    def call(self, value, kind=frames.TEXT, nonce=NONCE):
        payload = value if isinstance(value, bytes) else value.encode()
        self.send(frames.CALL, payload, kind, nonce)
        return self.receive()

    def files(self):
        """Every file that a build program sends and its last frame: ({path: (content, executable)}, frame)."""
        found = {}
        while True:
            frame = self.receive(300)
            if frame is None or frame.kind != frames.FILE:
                return found, frame
            size, path = struct.unpack("<Q", frame.payload[:8])[0], frame.payload[8:].decode()
            content = bytearray()
            while len(content) < size:
                data = self.receive()
                assert data.kind == frames.DATA and 0 < len(data.payload) <= frames.DATA_BYTES_MAX, data
                content += data.payload
            assert len(content) == size and path not in found, path
            found[path] = (bytes(content), bool(frame.flags & 1))

    def text(self):
        """What the program wrote to stdout and stderr so far."""
        self.output.seek(0)
        return self.output.read().decode("utf-8", "replace")

    def status(self, seconds=20):
        return self.process.wait(seconds)


class Version:
    """A version's folder as a worker finds it at /fn: `files` below code/, or the fixture of that name.

    Paths in deps/ and lock/ are the version's own; what begins with #! is executable.
    """

    def __init__(self, files=None, fixture=None, name="algo"):
        self._folder = tempfile.TemporaryDirectory()
        self.root, self.name = self._folder.name, fixture or name
        os.mkdir(os.path.join(self.root, "deps"))
        code = os.path.join(self.root, "code")
        if fixture:
            os.symlink(os.path.join(FIXTURES, fixture), code)
            return
        os.mkdir(code)
        for path, content in ({"algo.py": files} if isinstance(files, str) else files).items():
            full = os.path.join(self.root, path if path.startswith(("deps/", "lock/")) else "code/" + path)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            content = content if isinstance(content, bytes) else content.encode()
            with open(full, "wb") as file:
                file.write(content)
            os.chmod(full, 0o755 if content.startswith(b"#!") else 0o644)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._folder.cleanup()

    def start(self):
        """A worker that was sent INIT; its first frame is yet to be received."""
        box = Box("worker.py", "--root", self.root)
        box.send(frames.INIT, self.name.encode())
        return box


def tar_gz(members, form=tarfile.PAX_FORMAT):
    """A tar.gz of (name, content or None for a folder or a TarInfo) pairs."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=form) as tar:
        for name, content in members:
            info = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            if content is None:
                if not isinstance(name, tarfile.TarInfo):
                    info.type = tarfile.DIRTYPE
                tar.addfile(info)
            else:
                content = content if isinstance(content, bytes) else content.encode()
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
    return gzip.compress(raw.getvalue(), 1)
