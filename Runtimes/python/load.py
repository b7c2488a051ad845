"""Loading of an algorithm: its module, its `load()` and how its `apply` wants to be called."""
import os
import sys
from _frozen_importlib import module_from_spec
from _frozen_importlib_external import spec_from_file_location

from entry import find_entry


class LoadError(Exception):
    """The algorithm's module lacks what a call needs, or the server can no longer run it."""

    error_type = "LoadingError"


def check_interpreter(root):
    """Refuses packages that were installed for another interpreter, before one of them fails in a way nobody understands."""
    try:
        with open(os.path.join(root, "lock", "interpreter"), encoding="ascii") as lock:
            built_for = lock.read().strip()
    except FileNotFoundError:
        return
    if built_for.split(" ")[0] != sys.implementation.cache_tag and os.path.isdir(os.path.join(root, "deps")):
        raise LoadError(f"its packages were installed for {built_for}, and this server now runs "
                        f"{sys.implementation.cache_tag}: deploy it again")


def published_program(root, name):
    """The program of a repository published for Algorithmia, or None; most algorithms pay one look for the question."""
    code = os.path.join(root, "code")
    names = os.listdir(code)
    if "algorithmia.conf" not in names and any(entry.endswith(".py") for entry in names):
        return None
    from published import find_program

    for folder in ("src", "bin"):
        if os.path.isdir(os.path.join(code, folder)):
            names += [f"{folder}/{entry}" for entry in os.listdir(os.path.join(code, folder))]
    return find_program(names, lambda path: _content(os.path.join(code, path)), name)


def _content(path):
    with open(path, "rb") as file:
        return file.read()


preloaded = []
"""Packages that were imported before the fork, in a zygote's; empty otherwise."""


def _give_way(names):
    """Forgets preloaded packages of which the algorithm has files of its own: those come first."""
    for package in preloaded:
        if package in names or package + ".py" in names:
            for module in [key for key in sys.modules if key == package or key.startswith(package + ".")]:
                del sys.modules[module]


def load_algorithm(root, name, entered):
    """Imports the algorithm `name` from root/code and runs its `load()`; returns a function of one input.

    `entered` is told the entry's file name as soon as it is known, for messages about what follows.
    """
    code, deps = os.path.join(root, "code"), os.path.join(root, "deps")
    names = os.listdir(code)
    entry = find_entry(names, name)
    entered(entry)
    _give_way(names)
    sys.path += [code, deps]
    sys.argv[:] = [os.path.join(code, entry)]
    os.chdir(code)
    module = _import_entry(sys.argv[0], entry[:-3])
    apply, load = getattr(module, "apply", None), getattr(module, "load", None)
    if not callable(apply):
        raise LoadError("it defines no function apply(input)")
    if not callable(load):
        if _accepts(apply, 1) is False:
            raise LoadError("apply takes a second argument, the state, but there is no load() to make it")
        return apply
    state = load()
    if _accepts(apply, 2) is not True:
        return apply
    return lambda value: apply(value, state)


def _import_entry(path, stem):
    """Imports by file, so that an algorithm may be called `statistics` and still use the library's own."""
    taken = stem in sys.modules or stem in sys.stdlib_module_names
    module_name = "algorithm_" + stem if taken else stem
    spec = spec_from_file_location(module_name, path)
    module = module_from_spec(spec)
    sys.modules[module_name] = module
    spec.loader.exec_module(module)
    return module


def _accepts(function, count):
    """Whether `function` can be called with `count` positional arguments; None when nobody can tell."""
    code = getattr(function, "__code__", None)
    if code is not None and not hasattr(function, "__wrapped__") and type(function).__name__ == "function":
        required = code.co_argcount - len(function.__defaults__ or ())
        return required <= count and (code.co_argcount >= count or bool(code.co_flags & 0x04))
    import inspect

    try:
        inspect.signature(function).bind(*range(count))
    except TypeError:
        return False
    except ValueError:
        return None
    return True
