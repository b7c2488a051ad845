"""What published algorithms expect of the Pythons they were written for, given to newer ones; and where modules are.

Python imports this by itself in every interpreter that an algorithm starts. Packages come after the standard library,
as they did where the algorithms were written, and packages of the host are out of reach.
"""
import os
import sys


def _order_path():
    """The standard library, then the version's packages; nothing that happens to be installed on the host."""
    dependencies = os.environ.get("FAASD_DEPENDENCIES")
    sys.path[:] = [path for path in sys.path if not path.endswith("dist-packages") and path != dependencies]
    if dependencies:
        sys.path.append(dependencies)


def _give_site_builtins():
    """exit() and quit(), which an interpreter without the host's packages would lack."""
    import builtins

    if not hasattr(builtins, "exit"):
        import site

        site.setquit()


def _patch_traceback(module):
    """`etype=` was the first parameter's name until 3.9, and the ADK passes it by name."""
    def accept_etype(function):
        def accepting(*arguments, **named):
            if "etype" in named:
                arguments = (named.pop("etype"), *arguments)
            return function(*arguments, **named)
        return accepting

    for name in ("format_exception", "format_exception_only", "print_exception"):
        setattr(module, name, accept_etype(getattr(module, name)))


def _patch_inspect(module):
    """Removed in 3.11; `Algorithmia.handler` counts parameters with it."""
    if hasattr(module, "getargspec"):
        return
    from collections import namedtuple

    ArgSpec = namedtuple("ArgSpec", "args varargs keywords defaults")
    module.ArgSpec = ArgSpec
    module.getargspec = lambda function: ArgSpec(*module.getfullargspec(function)[:4])


def _patch_pkgutil(module):
    """Removed in 3.14; the client looks for numpy with it."""
    def find_loader(name):
        from importlib.util import find_spec

        spec = find_spec(name)
        return spec and spec.loader

    for name in ("find_loader", "get_loader"):
        if not hasattr(module, name):
            setattr(module, name, find_loader)


def _patch_collections(module):
    """Removed in 3.10: the abstract classes under their old address."""
    import collections.abc

    for name in collections.abc.__all__:
        if not hasattr(module, name):
            setattr(module, name, getattr(collections.abc, name))


_PATCHES = {"traceback": _patch_traceback, "inspect": _patch_inspect, "pkgutil": _patch_pkgutil,
            "collections": _patch_collections}


class _Patcher:
    """A finder that lets modules be found as ever, and patches four of them once they are loaded."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        patch = _PATCHES.pop(name, None)
        if patch is None:
            return None
        from importlib.machinery import PathFinder

        spec = PathFinder.find_spec(name, path, target)
        execute = spec.loader.exec_module

        def exec_module(module):
            execute(module)
            patch(module)

        spec.loader.exec_module = exec_module
        return spec


_order_path()
_give_site_builtins()
for _name in list(_PATCHES):
    if _name in sys.modules:
        _PATCHES.pop(_name)(sys.modules[_name])
sys.meta_path.insert(0, _Patcher)
