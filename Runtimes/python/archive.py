"""A strict reader of author archives: tar in gzip, regular files and directories only, bounded in every direction.

tarfile of the standard library is not used: it follows extensions (sparse maps, links, unbounded headers) that an
author's archive has no need of and an attacker has.
"""
import zlib

FILES_MAX = 10_000
MEMBERS_MAX = 100_000
"""Headers of every kind: directories, skipped members and extended headers included."""
FILE_BYTES_MAX = 512 << 20
STREAM_BYTES_MAX = FILE_BYTES_MAX + (64 << 20)
"""Inflated bytes in all: file bytes, skipped members, headers and padding."""
PADDING_BYTES_MAX = 1 << 20
"""Zeros behind the end mark: tar rounds up to 10 KiB, some tools to more."""
COMPONENT_BYTES_MAX = 255
PATH_BYTES_MAX = 1024
DEPTH_MAX = 32
EXTENSION_BYTES_MAX = 64 << 10

_BLOCK = 512
_CHUNK = 1 << 20
_KINDS = {
    b"1": "hard links", b"2": "symbolic links", b"3": "character devices", b"4": "block devices", b"6": "fifos",
    b"7": "contiguous files", b"S": "sparse files", b"K": "links", b"M": "archives of several volumes",
}


class ArchiveError(Exception):
    """An archive that is refused; the message names the member and the rule."""


class Member:
    """One regular file: its normalised `path`, `size` in bytes, and `chunks()`, to be read before the next member."""

    def __init__(self, path, size, executable, stream):
        self.path, self.size, self.executable, self._stream = path, size, executable, stream
        self.left = size

    def chunks(self):
        while self.left > 0:
            chunk = self._stream.take(min(self.left, _CHUNK), self.path)
            self.left -= len(chunk)
            yield chunk


def read_members(payload):
    """Yields every Member of `payload`, a tar.gz; raises ArchiveError at the first thing that breaks a rule.

    Left out: `.git`, `__pycache__` and `._*` (AppleDouble) wherever they lie, `*.pyc`, directories.
    """
    stream, files, total, seen = _Inflater(payload), 0, 0, set()
    for raw_path, kind, size, mode in _headers(stream):
        path = check_path(raw_path)
        if path == "" or _is_skipped(path):
            stream.skip(_padded(size), path or "./")
            continue
        if kind in _KINDS or kind not in (b"0", b"\0", b"5"):
            what = _KINDS.get(kind, f"members of type {ascii(kind.decode('latin-1'))}")
            raise ArchiveError(f"{path}: {what} are not allowed")
        if kind == b"5" or raw_path.endswith(b"/"):
            stream.skip(_padded(size), path)
            continue
        if path in seen:
            raise ArchiveError(f"{path}: this name is in the archive twice")
        seen.add(path)
        files, total = files + 1, total + size
        if files > FILES_MAX:
            raise ArchiveError(f"{path}: the archive has more than {FILES_MAX} files")
        if total > FILE_BYTES_MAX:
            raise ArchiveError(f"{path}: the archive's files have more than {FILE_BYTES_MAX} bytes in all")
        member = Member(path, size, bool(mode & 0o111), stream)
        yield member
        stream.skip(member.left + _padded(size) - size, path)
    _check_tree(seen)


def check_path(raw):
    """The member name `raw` (bytes) as a relative path without a leading `./`; empty for the top itself."""
    shown = ascii(raw.decode("utf-8", "replace"))[1:-1][:200]
    try:
        path = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise ArchiveError(f"{shown}: names must be UTF-8") from None
    if any(ord(c) < 32 or 127 <= ord(c) < 160 or c in "\u2028\u2029" for c in path):
        raise ArchiveError(f"{shown}: control characters in names are not allowed")
    if "\\" in path:
        raise ArchiveError(f"{shown}: backslashes in names are not allowed")
    if path.startswith("/"):
        raise ArchiveError(f"{shown}: absolute paths are not allowed")
    if len(raw) > PATH_BYTES_MAX:
        raise ArchiveError(f"{shown}: the path has {len(raw)} bytes, limit {PATH_BYTES_MAX}")
    while path.startswith("./"):
        path = path[2:]
    path = path.removesuffix("/")
    if path in ("", "."):
        return ""
    parts = path.split("/")
    if ".." in parts:
        raise ArchiveError(f"{shown}: '..' in paths is not allowed")
    if "" in parts or "." in parts:
        raise ArchiveError(f"{shown}: empty and '.' components in paths are not allowed")
    if len(parts) > DEPTH_MAX:
        raise ArchiveError(f"{shown}: the path is {len(parts)} levels deep, limit {DEPTH_MAX}")
    longest = max(len(part.encode("utf-8")) for part in parts)
    if longest > COMPONENT_BYTES_MAX:
        raise ArchiveError(f"{shown}: a component of the path has {longest} bytes, limit {COMPONENT_BYTES_MAX}")
    return path


def _is_skipped(path):
    parts = path.split("/")
    return path.endswith(".pyc") or any(part in (".git", "__pycache__") or part[:2] == "._" for part in parts)


def _check_tree(paths):
    """A name must not be a file and a folder at once."""
    for path in paths:
        folder = path
        while "/" in folder:
            folder = folder.rpartition("/")[0]
            if folder in paths:
                raise ArchiveError(f"{path}: {folder} is a file and a folder at once")


def _headers(stream):
    """Yields (name, type, size, mode) of each member, pax and GNU long names applied, to the end-of-archive mark."""
    pax, long_name, members = {}, None, 0
    while True:
        block = stream.take_exactly(_BLOCK, "the archive")
        if not block.strip(b"\0"):
            stream.finish()
            return
        members += 1
        if members > MEMBERS_MAX:
            raise ArchiveError(f"the archive has more than {MEMBERS_MAX} members")
        name, kind, size, mode = _parse_header(block)
        if kind in (b"x", b"g", b"L"):
            if size > EXTENSION_BYTES_MAX:
                raise ArchiveError(f"{_shown(name)}: its extended header has {size} bytes, limit {EXTENSION_BYTES_MAX}")
            body = stream.take_exactly(_padded(size), _shown(name))[:size]
            if kind == b"L":
                long_name = body.rstrip(b"\0")
            else:
                records = _parse_pax(body, _shown(name))
                pax = records if kind == b"x" else pax  # Global records (git archive's comment) name no member.
            continue
        name = pax.get(b"path", long_name if long_name is not None else name)
        if any(key.startswith(b"GNU.sparse") for key in pax):
            raise ArchiveError(f"{_shown(name)}: sparse files are not allowed")
        if b"size" in pax:
            size = _decimal(pax[b"size"], _shown(name))
        yield name, kind, 0 if kind in b"123456" else size, mode
        pax, long_name = {}, None


def _parse_header(block):
    name = block[0:100].split(b"\0", 1)[0]
    stored = block[148:156].strip(b" \0")
    if not stored.isdigit() or stored.lstrip(b"0") != b"%o" % (sum(block[:148]) + 8 * 32 + sum(block[156:])):
        raise ArchiveError(f"{_shown(name)}: not a tar header (wrong checksum)")
    if block[257:263] == b"ustar\0":
        prefix = block[345:500].split(b"\0", 1)[0]
        name = prefix + b"/" + name if prefix else name
    return name, block[156:157], _octal(block[124:136], _shown(name)), _octal(block[100:108], _shown(name))


def _parse_pax(body, member):
    records = {}
    while body:
        length, space, _ = body.partition(b" ")
        end = _decimal(length, member) if space else 0
        record = body[len(length) + 1 : end]
        key, equals, value = record[:-1].partition(b"=")
        if end > len(body) or not equals or record[-1:] != b"\n":
            raise ArchiveError(f"{member}: its extended header is malformed")
        records[key], body = value, body[end:]
    return records


def _octal(field, member):
    text = field.strip(b" \0")
    if not text:
        return 0
    if text.strip(b"01234567") or len(text) > 12:  # GNU's base-256 numbers are for files beyond 8 GiB.
        raise ArchiveError(f"{member}: a number in its tar header is malformed")
    return int(text, 8)


def _decimal(text, member):
    if not text.isdigit() or len(text) > 15:
        raise ArchiveError(f"{member}: a number in its extended header is malformed")
    return int(text)


def _padded(size):
    return -(-size // _BLOCK) * _BLOCK


def _shown(name):
    return ascii(name.decode("utf-8", "replace"))[1:-1][:200] or "a member without a name"


class _Inflater:
    """The inflated bytes of a gzip file, piece by piece, never more than STREAM_BYTES_MAX in all."""

    def __init__(self, payload):
        if payload[:2] != b"\x1f\x8b":
            raise ArchiveError("the archive is not a gzip file (it must be a tar.gz)")
        self._inflate = zlib.decompressobj(31)
        self._input, self._position = memoryview(payload), 0
        self._piece, self._start, self._total = b"", 0, 0

    def take(self, count, member):
        """Between 1 and `count` bytes; raises ArchiveError at the end of the data."""
        if self._start == len(self._piece):
            self._piece, self._start = self._next(), 0
            if not self._piece:
                raise ArchiveError(f"{member}: the archive is truncated here")
        taken = self._piece[self._start : self._start + count]
        self._start += len(taken)
        return taken

    def take_exactly(self, count, member):
        pieces, left = [], count
        while left > 0:
            pieces.append(self.take(left, member))
            left -= len(pieces[-1])
        return b"".join(pieces)

    def skip(self, count, member):
        while count > 0:
            count -= len(self.take(count, member))

    def finish(self):
        """Reads what follows the end-of-archive mark, which must be zeros, and has gzip check its sum."""
        rest, padding = self._piece[self._start :] or self._next(), 0
        while rest:
            padding += len(rest)
            if rest.strip(b"\0"):
                raise ArchiveError("the archive has data after its end mark")
            if padding > PADDING_BYTES_MAX:
                raise ArchiveError(f"the archive has more than {PADDING_BYTES_MAX} bytes of padding behind its end mark")
            rest = self._next()

    def _next(self):
        """The next inflated piece; empty at the end of a whole gzip file."""
        while not self._inflate.eof:
            source = self._inflate.unconsumed_tail or self._next_input()
            try:
                piece = self._inflate.decompress(source, 64 << 10)
            except zlib.error as error:
                raise ArchiveError(f"the archive is not a sound gzip file: {error}") from None
            self._total += len(piece)
            if self._total > STREAM_BYTES_MAX:
                raise ArchiveError(f"the archive inflates to more than {STREAM_BYTES_MAX} bytes")
            if piece:
                return piece
            if not source and not self._inflate.eof:
                raise ArchiveError("the archive is truncated: its gzip data ends early")
        # Some tools pad with zeros. A second gzip file behind the first is refused: nobody packs algorithms so.
        if self._inflate.unused_data.strip(b"\0") or self._input[self._position :].tobytes().strip(b"\0"):
            raise ArchiveError("the archive has data after its gzip file")
        return b""

    def _next_input(self):
        piece = self._input[self._position : self._position + (64 << 10)]
        self._position += len(piece)
        return piece
