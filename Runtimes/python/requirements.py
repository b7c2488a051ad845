"""The grammar of requirements.txt that an upload may use: names, versions, markers and hashes, nothing else.

Stricter than pip's: what passes is written anew in one canonical form, and pip sees only that.
"""
import re

LINES_MAX = 1_000
LINE_BYTES_MAX = 64 << 10
"""One logical line, continuations joined: about 700 hashes."""

_VERSION = r"(?:===|~=|==|!=|<=|>=|<|>)[ \t]*[A-Za-z0-9](?:[A-Za-z0-9._*+!-]*[A-Za-z0-9*])?"
_WORD = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_REQUIREMENT = re.compile(
    rf"(?P<name>{_WORD})[ \t]*"
    rf"(?:\[[ \t]*(?P<extras>{_WORD}(?:[ \t]*,[ \t]*{_WORD})*)[ \t]*\])?[ \t]*"
    rf"(?P<versions>{_VERSION}(?:[ \t]*,[ \t]*{_VERSION})*)?[ \t]*"
)
_VARIABLE = (
    "(?:python_version|python_full_version|os_name|sys_platform|platform_release|platform_system|platform_version|"
    "platform_machine|platform_python_implementation|implementation_name|implementation_version|extra)"
)
_STRING = r"""(?:"[A-Za-z0-9 ()\t.{}*+,:;?!/_~-]*"|'[A-Za-z0-9 ()\t.{}*+,:;?!/_~-]*')"""
_OPERATOR = r"(?:===|~=|==|!=|<=|>=|<|>|not[ \t]+in\b|in\b)"
_MARKER_TOKEN = re.compile(
    rf"[ \t]*(?:(?P<atom>{_VARIABLE}[ \t]*{_OPERATOR}[ \t]*{_STRING}|{_STRING}[ \t]*{_OPERATOR}[ \t]*{_VARIABLE})"
    r"|(?P<open>\()|(?P<close>\))|(?P<and_or>and\b|or\b))[ \t]*"
)
_HASH = re.compile(r"[ \t]+--hash=(sha256:[0-9a-f]{64})(?=[ \t]|$)")
_ARCHIVE = re.compile(r"\.(?:zip|whl|tar|tgz|gz|tbz|bz2|txz|xz|tlz|lz|lzma)$", re.IGNORECASE)


class RequirementsError(Exception):
    """A line that is refused; the message has its number, its text and the reason."""


def parse_requirements(payload):
    """The requirements of a requirements.txt (bytes), each as one canonical line; raises RequirementsError."""
    try:
        text = payload.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RequirementsError(f"requirements.txt is not UTF-8 (byte {error.start})") from None
    found = []
    for number, line in _logical_lines(text):
        try:
            found.append(_parse_line(line))
        except RequirementsError as error:
            raise RequirementsError(f"requirements.txt, line {number}: {error}: {ascii(line[:200])}") from None
        if len(found) > LINES_MAX:
            raise RequirementsError(f"requirements.txt, line {number}: more than {LINES_MAX} requirements")
    return found


def _logical_lines(text):
    """Yields (number of its first line, line) with continuations joined, comments and blank lines left out."""
    joined, first = "", None
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
        line = re.sub(r"(^|[ \t])#.*$", "", line).rstrip(" \t")
        first = number if first is None else first
        if line.endswith("\\"):
            joined += line[:-1] + " "
        else:
            joined += line
        if len(joined.encode("utf-8", "replace")) > LINE_BYTES_MAX:
            raise RequirementsError(f"requirements.txt, line {first}: the line has more than {LINE_BYTES_MAX} bytes")
        if line.endswith("\\"):
            continue
        if joined.strip(" \t"):
            yield first, joined.strip(" \t")
        joined, first = "", None
    if joined.strip(" \t"):
        raise RequirementsError(f"requirements.txt, line {first}: the file ends within this line")


def _parse_line(line):
    _refuse_other_forms(line)
    hashes = _HASH.findall(line)
    requirement, semicolon, marker = _HASH.sub("", line).partition(";")
    match = _REQUIREMENT.fullmatch(requirement)
    if match is None:
        raise RequirementsError("not of the form NAME[EXTRA,…] VERSIONS ; MARKER --hash=sha256:…")
    extras = "[" + re.sub(r"[ \t]", "", match["extras"]) + "]" if match["extras"] else ""
    plain = match["name"] + extras + re.sub(r"[ \t]", "", match["versions"] or "")
    if _ARCHIVE.search(plain):
        raise RequirementsError("names of files are not allowed")
    if semicolon:
        plain += " ; " + _check_marker(marker)
    return plain + "".join(f" --hash={value}" for value in hashes)


def _refuse_other_forms(line):
    """Names the reason for what pip would take and we do not; the grammar refuses the rest."""
    head = line.partition(";")[0].partition(" --hash=")[0].rstrip()
    if head.startswith("-"):
        raise RequirementsError(f"options are not allowed ({head.split()[0].split('=')[0]})")
    if "://" in head:
        raise RequirementsError("URLs are not allowed")
    if "@" in head:
        raise RequirementsError("direct references (NAME @ WHERE) are not allowed")
    if "/" in head or "\\" in head or head.startswith("."):
        raise RequirementsError("paths are not allowed")
    if re.search(r"[ \t]-", head):
        raise RequirementsError("options are not allowed, --hash=sha256:… excepted")
    if "$" in line:
        raise RequirementsError("environment variables are not allowed")


def _check_marker(marker):
    """The marker itself, when it is `atom (and|or atom)*` with balanced parentheses."""
    at, depth, wants_atom = 0, 0, True
    while at < len(marker):
        token = _MARKER_TOKEN.match(marker, at)
        kind = token.lastgroup if token else None
        fits = kind in ("atom", "open") if wants_atom else kind == "and_or" or (kind == "close" and depth > 0)
        if not fits:
            raise RequirementsError("the environment marker is malformed")
        depth += {"open": 1, "close": -1}.get(kind, 0)
        wants_atom = kind in ("open", "and_or")
        at = token.end()
    if wants_atom or depth > 0:
        raise RequirementsError("the environment marker is malformed")
    return marker.strip(" \t")
