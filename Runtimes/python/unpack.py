"""Program of an unpack box: `/usr/bin/python3 -I -S -B -u unpack.py`.

Reads INIT (the algorithm's name) and ARCHIVE (a tar.gz); answers ARCHIVE with the author's files below `code/`, their
bytecode included, with `lock/interpreter`, and DONE, or with one ERROR of type ArchiveError. Nothing is sent before the
whole archive has been checked, and no code of the author runs.
"""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import frames
from archive import ArchiveError, read_members
from checks import check_entry, parse_source
from emit import Emitter, path_fits
from entry import EntryError, find_entry
from published import PIPE, PublishedError, find_program
from pyc import SOURCE_BYTES_MAX, compile_pyc, pyc_path

CODE_AT_RUN_TIME = "/fn/"
"""Where a worker sees the version's folder; stack traces name files by it."""
_INTERPRETER = (f"{sys.implementation.cache_tag} {sys.version.split()[0]} {sys.platform}-{os.uname().machine} "
                f"{os.confstr('CS_GNU_LIBC_VERSION').replace(' ', '-')}\n").encode("ascii")
"""What the version was built for; packages with machine code run with no other."""


def unpack(algorithm, payload, emitter):
    """Checks the archive, then sends its files. Raises ArchiveError, EntryError or PublishedError."""
    executable = {member.path: member.executable for member in read_members(payload)}
    program = find_program(executable, lambda path: _read_one(payload, path), algorithm)
    if program is None:
        _check_own(algorithm, list(executable), payload)
    elif program.module is not None:
        parse_source(program.path, _read_one(payload, program.path))
    elif not executable[PIPE]:
        raise PublishedError(f"{PIPE} is not executable: chmod +x {PIPE}, and deploy again")
    emitter.file("lock/interpreter", len(_INTERPRETER), [_INTERPRETER])
    for member in read_members(payload):
        _send(member, emitter)
    emitter.done()


def _check_own(algorithm, paths, payload):
    try:
        entry = find_entry([path for path in paths if "/" not in path], algorithm)
    except EntryError as error:
        raise EntryError(str(error) + _wrapping_hint(paths)) from None
    check_entry(entry, _read_one(payload, entry))


def _wrapping_hint(paths):
    tops = {path.partition("/")[0] for path in paths}
    if len(tops) != 1 or "/" not in paths[0]:
        return ""
    return f"; all files lie in {tops.pop()}/: pack the folder's content, as in tar -C FOLDER -czf FILE ."


def _read_one(payload, path):
    """The content of one member, cut just past the length that any entry may have."""
    content = b""
    for member in read_members(payload):
        if member.path == path:
            for chunk in member.chunks():
                content += chunk
                if len(content) > SOURCE_BYTES_MAX:
                    break
            break
    return content


def _send(member, emitter):
    path = "code/" + member.path
    if not path.endswith(".py") or member.size > SOURCE_BYTES_MAX:
        emitter.file(path, member.size, member.chunks(), member.executable)
        return
    source = b"".join(member.chunks())
    emitter.file(path, len(source), [source], member.executable)
    compiled, compiled_path = compile_pyc(source, CODE_AT_RUN_TIME + path), pyc_path(path)
    if compiled is not None and path_fits(compiled_path):
        emitter.file(compiled_path, len(compiled), [compiled])


def _main():
    requests, replies = frames.Requests(), frames.Replies()
    name = requests.next(frames.INIT)[3].decode("utf-8", "replace")
    _, _, nonce, payload = requests.next(frames.ARCHIVE)
    try:
        unpack(name, payload, Emitter(replies, nonce))
    except (ArchiveError, EntryError, PublishedError) as error:
        replies.fail(nonce, "ArchiveError", str(error))


if __name__ == "__main__":
    frames.run_program(_main)
