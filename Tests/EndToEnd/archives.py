"""Archives, honest and hostile, as the bytes of a tar.gz."""
import gzip
import io
import tarfile

APPLY = b"def apply(value):\n    return value\n"


def member(name, body=b"", kind=tarfile.REGTYPE, link="", mode=0o644):
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode, info.size = kind, link, mode, len(body)
    return info, body


def pack(members, compress=True):
    """A tar.gz of (TarInfo, bytes) pairs, names as they are."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for info, body in members:
            tar.addfile(info, io.BytesIO(body))
    return gzip.compress(buffer.getvalue(), 6) if compress else buffer.getvalue()


def archive(files):
    """A tar.gz of {name: bytes}."""
    return pack([member(name, body) for name, body in files.items()])


def with_member(info, body=b""):
    """An archive that would be good but for one member."""
    return pack([member("main.py", APPLY), (info, body)])


def bomb(size):
    """A small archive that inflates to one huge file of zeros."""
    info = tarfile.TarInfo("zeros")
    info.size = size
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", compresslevel=9) as file:
        file.write(info.tobuf())
        for _ in range(size >> 20):
            file.write(bytes(1 << 20))
        file.write(bytes(1024))
    return buffer.getvalue()
