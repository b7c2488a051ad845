"""Program of a zygote: `/usr/bin/python3 -I -S -B -u zygote.py`.

After INIT it imports the packages below /env/deps, if there are any. After READY it makes forks as the spawner orders them, each of which is
then what worker.py would be, in a box of its own. It never sees a byte of a tenant; docs/decisions/0018 has the reasons.
"""
import ctypes
import gc
import importlib
import os
import shutil
import sys

_RUNTIME = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, _RUNTIME)
import frames  # noqa: E402 (beside this file)
_LIBRARY = "/faasd-zygote.so"
_ENVIRONMENT = "/env/deps"
_ALWAYS = ("encodings.ascii", "inspect", "json", "linecache", "random", "tempfile", "tokenize", "traceback", "typing", "uuid")
"""What a first call would otherwise import: 4 ms for json alone."""
_BESIDES = {"numpy": ("numpy.random", "numpy.linalg", "numpy.fft")}
"""Parts of packages that they load when they are first touched."""


def _main():
    import calls
    import load
    import reseed

    library = ctypes.PyDLL(_LIBRARY)
    requests, replies = frames.Requests(), frames.Replies()
    _, _, nonce, _ = requests.next(frames.INIT)
    try:
        _open(library)
        load.preloaded[:] = _preload()
    except BaseException as error:
        replies.fail(nonce, "LoadingError", f"{type(error).__name__}: {error}", kind=frames.LOAD_ERROR)
        os._exit(1)
    rehearse(3)
    own = calls.own_modules()
    gc.collect()
    gc.freeze()  # Collections in forks leave these objects, and with them the shared pages, alone.
    replies.send(frames.READY, nonce)
    del requests, replies
    if library.zygote_serve() != 1:
        os._exit(0)
    del library
    reseed.reseed()
    rehearse(1)  # Its own copies of the pages that are written to on the way, before anybody waits.
    __main__ = sys.modules["__main__"]
    __main__.__file__ = os.path.join(_RUNTIME, "worker.py")  # What multiprocessing starts children with.
    calls.run("/fn", own)


def rehearse(times):
    """Loads and calls an algorithm of the house's own, so that no fork is the first to walk the way: a third of its time."""
    import codec
    import load

    root, path, folder, argv = "/tmp/rehearsal", list(sys.path), os.getcwd(), list(sys.argv)
    os.makedirs(root + "/code")
    with open(root + "/code/rehearsal.py", "w", encoding="ascii") as file:
        file.write("def apply(value):\n    return value\n")
    for kind, value in ((frames.TEXT, b"a"), (frames.JSON, b'{"a":[1,2.5,null,"b"]}'), (frames.BINARY, b"a")) * times:
        load.check_interpreter(root)
        load.published_program(root, "rehearsal")
        function = load.load_algorithm(root, "rehearsal", str)
        codec.encode_result(function(codec.decode_input(kind, value)))
        del sys.modules["rehearsal"]
        sys.path[:], sys.argv[:] = path, argv
        os.chdir(folder)
    shutil.rmtree(root)


def _open(library):
    code = library.zygote_open()
    if code != 0:
        raise OSError(code, os.strerror(code))


def _preload():
    """Imports what there is to import, and returns the names of the packages. Raises RuntimeError if one began a thread."""
    packages = []
    if os.path.isdir(_ENVIRONMENT):
        packages = [name for name in sorted(os.listdir(_ENVIRONMENT))
                    if name.isidentifier() and os.path.exists(f"{_ENVIRONMENT}/{name}/__init__.py")]
    sys.path.append(_ENVIRONMENT)
    for name in packages:
        for part in (name, *_BESIDES.get(name, ())):
            importlib.import_module(part)
    sys.path.remove(_ENVIRONMENT)
    for name in _ALWAYS:
        importlib.import_module(name)
    threads = len(os.listdir("/proc/self/task"))
    if threads != 1:
        raise RuntimeError(f"a process of {threads} threads cannot be forked; it has loaded {', '.join(packages)}")
    return packages


if __name__ == "__main__":
    _main()
