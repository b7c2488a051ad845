"""Repositories published for Algorithmia: how one is recognised, and which program answers its calls."""
import json
import re

CONF = "algorithmia.conf"
CONF_BYTES_MAX = 64 << 10
_NAME = re.compile(r"[A-Za-z0-9_]+")
PIPE = "bin/pipe"
_OTHER_LANGUAGES = ("python2", "python-2", "java", "scala", "rust", "ruby", "csharp", "dotnet", "node", "cpp")
_LEGACY_LANGUAGES = ("python3-", "python-3")
"""Of the time before environments: `python3-1`, `python-3.x-1`."""
_LANGUAGE_KEYS = ("language", "langauge")
"""The official template misspells the key; both spellings are in use."""


class PublishedError(Exception):
    """A published repository that cannot be run here; the message names the file and the remedy."""


class Program:
    """What runs: `module` below src/, or the repository's own bin/pipe when `module` is None."""

    def __init__(self, module, author="", name=""):
        self.module, self.author, self.name = module, author, name

    @property
    def path(self):
        return PIPE if self.module is None else f"src/{self.module}.py"


def find_program(paths, read, algorithm):
    """The program of a published repository, or None when it is none.

    `paths` are its files, those below src/ and bin/ at least; `read` gives the bytes of one; `algorithm` is the name
    it is deployed under. Raises PublishedError.
    """
    paths = set(paths)
    if CONF not in paths:
        has_own_entry = any(path.endswith(".py") and "/" not in path for path in paths)
        module = None if has_own_entry else _module_file(paths, algorithm)
        return Program(module, name=algorithm) if module else None
    conf = _read_conf(read(CONF))
    name = _text(conf, "algoname") or algorithm
    language = next((conf[key] for key in _LANGUAGE_KEYS if isinstance(conf.get(key), str)), "")
    if language.lower().startswith(_OTHER_LANGUAGES) or language.lower() in ("r", "r36"):
        raise PublishedError(f"{CONF}: the language {language[:40]!r} is not offered; this server runs python3")
    if not _NAME.fullmatch(name):
        raise PublishedError(f"{CONF}: algoname {name[:80]!r} must consist of letters, digits and _")
    # The environments brought a program of their own, and only repositories older than they are rely on bin/pipe.
    module = _module_file(paths, name) or _module_file(paths, "Algorithm")
    is_legacy = PIPE in paths and (module is None or not language or language.lower().startswith(_LEGACY_LANGUAGES))
    if module is None and not is_legacy:
        found = ", ".join(sorted(path for path in paths if path.startswith("src/"))[:5]) or "nothing in src/"
        raise PublishedError(f"{CONF} names the algorithm {name[:80]!r}, but there is neither src/{name[:80]}.py nor "
                             f"src/Algorithm.py nor {PIPE}; found {found}")
    return Program(None if is_legacy else module, _text(conf, "username"), name)


def _module_file(paths, name):
    """The module of src/NAME.py, in any case when there is no file of exactly that name."""
    if f"src/{name}.py" in paths:
        return name
    wanted = f"src/{name}.py".lower()
    files = (path for path in sorted(paths) if path.startswith("src/") and path.endswith(".py"))
    return next((path[4:-3] for path in files if path.lower() == wanted), None)


def _read_conf(content):
    if len(content) > CONF_BYTES_MAX:
        raise PublishedError(f"{CONF} has {len(content)} bytes, limit {CONF_BYTES_MAX}")
    try:
        conf = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise PublishedError(f"{CONF} is not JSON: {error}") from None
    if not isinstance(conf, dict):
        raise PublishedError(f"{CONF} must hold a JSON object")
    return conf


def _text(conf, key):
    value = conf.get(key, "")
    if not isinstance(value, str):
        raise PublishedError(f"{CONF}: {key} must be text")
    if not value.isprintable():
        raise PublishedError(f"{CONF}: {key} holds control characters: {ascii(value[:40])}")
    if value.startswith("__") and value.endswith("__"):
        raise PublishedError(f"{CONF}: {key} is still the template's placeholder {value[:40]}; put the name there")
    return value
