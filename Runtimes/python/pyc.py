"""Bytecode that never looks at its source's time: unchecked-hash .pyc files, as in PEP 552."""
import importlib.util
import marshal
import sys
import warnings

SOURCE_BYTES_MAX = 1 << 20
"""Longer sources are left to the interpreter: the parser takes hundreds of bytes of memory for each of theirs."""

_FLAG_HASH_UNCHECKED = (1).to_bytes(4, "little")


def compile_pyc(source, filename):
    """Bytes of the .pyc file of `source`, or None when the source is too long or does not compile."""
    if len(source) > SOURCE_BYTES_MAX:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            body = marshal.dumps(compile(source, filename, "exec", dont_inherit=True, optimize=0))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return importlib.util.MAGIC_NUMBER + _FLAG_HASH_UNCHECKED + importlib.util.source_hash(source) + body


def pyc_path(path):
    """Where the interpreter looks for the bytecode of `path`: dir/__pycache__/name.cpython-311.pyc."""
    folder, slash, name = path.rpartition("/")
    return f"{folder}{slash}__pycache__/{name[:-3]}.{sys.implementation.cache_tag}.pyc"
