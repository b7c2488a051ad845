"""Program of an install box: `/usr/bin/python3 -I -B -u install.py [--work DIR]`.

Reads REQUIREMENTS (a requirements.txt); has pip install its wheels into DIR/deps (DIR is /tmp unless told) and answers
with the files below `deps/`, bytecode included, `lock/requirements.txt`, and DONE, or with one ERROR of type
RequirementsError (a line that is not allowed) or InstallError (pip failed, or the wheels brought what a version must
not hold). Wheels only: no code of a package runs.
"""
import collections
import json
import os
import stat
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import frames
from emit import Emitter, path_fits
from pyc import SOURCE_BYTES_MAX, compile_pyc, pyc_path
from requirements import RequirementsError, parse_requirements

DEPS_AT_RUN_TIME = "/fn/"
FILES_MAX = 100_000
TOTAL_BYTES_MAX = 4 << 30
PIP_TAIL_LINES = 20
PIP_LINE_BYTES_MAX = 400
_PIP = ("/usr/bin/python3", "-I", "-m", "pip", "install", "--only-binary", ":all:", "--no-compile", "--no-cache-dir",
        "--disable-pip-version-check", "--no-input", "--progress-bar", "off", "--no-color")
_REPORT = "report.json"
_PASSED_ON = ("PATH", "HOME", "LANG", "TZ", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE",
              "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")


class InstallError(Exception):
    """pip failed, or installed what a version must not hold; the message names the file or ends with pip's words."""


def install(payload, work, emitter):
    """Installs what the requirements name and sends it. Raises RequirementsError or InstallError."""
    requirements = parse_requirements(payload)
    if requirements:
        target = os.path.join(work, "deps")
        _run_pip(requirements, work, target)
        lock = _lock(os.path.join(work, _REPORT))
        emitter.file("lock/requirements.txt", len(lock), [lock])
        for path in sorted(_regular_files(target)):
            _send(target, path, emitter)
    emitter.done()


def _run_pip(requirements, work, target):
    listing = os.path.join(work, "requirements.txt")
    with open(listing, "w", encoding="ascii") as file:
        file.write("\n".join(requirements) + "\n")
    # The environment names what pip may see: the operator's PIP_* and proxies, never PYTHON*.
    environment = {k: v for k, v in os.environ.items() if k in _PASSED_ON or k.startswith("PIP_")}
    tail = collections.deque(maxlen=PIP_TAIL_LINES)
    command = [*_PIP, "--report", _REPORT, "--target", target, "-r", listing]
    with subprocess.Popen(command, cwd=work, env=environment, bufsize=1 << 16, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as pip:
        while line := pip.stdout.readline(PIP_LINE_BYTES_MAX):
            text = line.decode("utf-8", "replace").rstrip()
            if text:
                tail.append(text)
                print(text, file=sys.stderr)
    if pip.returncode != 0:
        said = "\n".join(tail)
        raise InstallError(f"pip could not install the requirements (exit status {pip.returncode}):\n{said}")


def _lock(report):
    """What was installed, as a requirements.txt that installs exactly this again: NAME==VERSION --hash=sha256:DIGEST."""
    with open(report, "rb") as file:
        installed = json.load(file)["install"]
    lines = []
    for wheel in installed:
        metadata, archive = wheel["metadata"], wheel.get("download_info", {}).get("archive_info", {})
        digest = archive.get("hashes", {}).get("sha256") or (archive.get("hash") or "").partition("sha256=")[2]
        if not digest:
            raise InstallError(f"{metadata['name']}: the package index gives no sha256 for it, so it cannot be locked")
        lines.append(f"{metadata['name']}=={metadata['version']} --hash=sha256:{digest}\n")
    return "".join(sorted(lines, key=str.lower)).encode("ascii")


def _regular_files(target):
    """Yields the paths of what to send, relative to `target`; scripts in bin/ and stale bytecode are left out."""
    for folder, folders, files in os.walk(target):
        if folder == target and "bin" in folders:
            folders.remove("bin")
        if "__pycache__" in folders:
            folders.remove("__pycache__")
        for name in folders + files:
            full = os.path.join(folder, name)
            path = os.path.relpath(full, target)
            mode = os.lstat(full).st_mode
            if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
                raise InstallError(f"deps/{path}: wheels must hold regular files only, this is a {_kind(mode)}")
            if stat.S_ISREG(mode):
                yield path


def _kind(mode):
    return "symbolic link" if stat.S_ISLNK(mode) else f"file of mode {mode:#o}"


def _send(target, path, emitter):
    sent = "deps/" + path
    if not sent.isprintable() or "\\" in sent or not path_fits(sent):
        raise InstallError(f"{ascii(sent)[:300]}: this name is too long or holds control characters")
    with open(os.path.join(target, path), "rb") as file:
        status = os.fstat(file.fileno())
        if emitter.files >= FILES_MAX or emitter.bytes + status.st_size > TOTAL_BYTES_MAX:
            raise InstallError(f"{sent}: the wheels hold more than {FILES_MAX} files or {TOTAL_BYTES_MAX} bytes")
        if not path.endswith(".py") or status.st_size > SOURCE_BYTES_MAX:
            chunks = iter(lambda: file.read(frames.DATA_BYTES_MAX), b"")
            emitter.file(sent, status.st_size, chunks, bool(status.st_mode & 0o111))
            return
        source = file.read()
    emitter.file(sent, len(source), [source], bool(status.st_mode & 0o111))
    compiled, compiled_path = compile_pyc(source, DEPS_AT_RUN_TIME + sent), pyc_path(sent)
    if compiled is not None and path_fits(compiled_path):
        emitter.file(compiled_path, len(compiled), [compiled])


def _main():
    work = sys.argv[2] if sys.argv[1:2] == ["--work"] else "/tmp"
    requests, replies = frames.Requests(), frames.Replies()
    kind, _, nonce, payload = requests.next(frames.INIT, frames.REQUIREMENTS)
    if kind == frames.INIT:
        _, _, nonce, payload = requests.next(frames.REQUIREMENTS)
    try:
        install(payload, work, Emitter(replies, nonce))
    except (RequirementsError, InstallError) as error:
        replies.fail(nonce, type(error).__name__, str(error))


if __name__ == "__main__":
    frames.run_program(_main)
