"""What older Pythons had and published code still uses, in child interpreters; and where such an interpreter looks for modules."""
import json
import os
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import RUNTIME

SHIMS = os.path.join(RUNTIME, "shims")
PATCHED = ("traceback", "inspect", "pkgutil", "collections", "collections.abc")
BEFORE = f"import {', '.join(PATCHED)}\n"
"""The modules are there when the shims come; when they come later, the shims wait for them."""
ORDERS = (("before", ("-S",), BEFORE + "import sitecustomize\n"), ("after", ("-S",), "import sitecustomize\n"),
          ("by itself", (), ""))


def run(code, *flags, environment=None):
    """What a child with the shims on its path prints, as a Python value."""
    child = subprocess.run(
        ["/usr/bin/python3", "-P", "-B", *flags, "-c", code], capture_output=True, text=True, timeout=20,
        env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "PYTHONPATH": SHIMS} | (environment or {}))
    if child.returncode != 0:
        raise AssertionError(child.stderr)
    return json.loads(child.stdout)


class Patches(unittest.TestCase):
    def assert_gives(self, code, expected, orders=ORDERS):
        """`code` prints `expected` whether the modules came before or after the shims."""
        for name, flags, preamble in orders:
            with self.subTest(name):
                self.assertEqual(run(preamble + "import json\n" + code, *flags), expected)

    def test_traceback_takes_etype_by_name(self):
        self.assert_gives(
            "import io, traceback\nfile = io.StringIO()\n"
            "try: 1 / 0\n"
            "except Exception as error:\n"
            "  new = traceback.format_exception(error)\n"
            "  old = traceback.format_exception(etype=type(error), value=error, tb=error.__traceback__)\n"
            "  positions = traceback.format_exception(type(error), error, error.__traceback__)\n"
            "  only = traceback.format_exception_only(etype=type(error), value=error)\n"
            "  traceback.print_exception(etype=type(error), value=error, tb=error.__traceback__, file=file)\n"
            "  last = traceback.format_exc()\n"
            "print(json.dumps([old == new == positions, only, file.getvalue() == ''.join(new) == last, 'sitecustomize' in last]))",
            [True, ["ZeroDivisionError: division by zero\n"], True, False])

    def test_inspect_has_getargspec(self):
        self.assert_gives(
            "import inspect\ndef f(a, b=1, *c, **d): pass\nspec = inspect.getargspec(f)\n"
            "print(json.dumps([spec, len(spec.args), spec.keywords, inspect.getargspec(lambda x: x).args, type(spec).__name__]))",
            [[["a", "b"], "c", "d", [1]], 2, "d", ["x"], "ArgSpec"])

    def test_pkgutil_has_find_loader(self):
        code = ("import pkgutil\nprint(json.dumps([pkgutil.{0}('nothere'), pkgutil.{0}('statistics') is not None,"
                " 'mean' in dir(pkgutil.{0}('statistics').load_module('statistics'))]))")
        removed = ("removed", ("-S",), BEFORE + "del pkgutil.find_loader, pkgutil.get_loader\nimport sitecustomize\n")
        for function in ("find_loader", "get_loader"):
            self.assert_gives(code.format(function), [None, True, True], (*ORDERS, removed))

    def test_collections_has_the_abstract_classes(self):
        self.assert_gives(
            "import collections, collections.abc\nfrom collections import Callable, Iterable, Mapping, MutableMapping, OrderedDict\n"
            "print(json.dumps([Mapping is collections.abc.Mapping, issubclass(dict, MutableMapping), isinstance(len, Callable),"
            " OrderedDict.__module__, sorted(set(collections.abc.__all__) - set(dir(collections)))]))",
            [True, True, True, "collections", []])

    def test_modules_are_found_as_ever(self):
        self.assert_gives(
            "import collections, inspect, pkgutil, traceback, sys\nmodules = [collections, inspect, pkgutil, traceback]\n"
            "print(json.dumps([[m.__spec__.name for m in modules], all(m.__file__.startswith('/usr/lib/python3') for m in modules),"
            " all(sys.modules[m.__name__] is m for m in modules)]))",
            [["collections", "inspect", "pkgutil", "traceback"], True, True])

    def test_a_module_of_the_author_with_such_a_name_stays_as_it_is(self):
        with tempfile.TemporaryDirectory() as folder:
            os.mkdir(f"{folder}/src")
            with open(f"{folder}/src/traceback.py", "w") as file:
                file.write("mine = True")
            code = (f"import sys\nsys.path.append({folder!r})\nimport json, src.traceback, traceback\n"
                    "print(json.dumps([src.traceback.mine, hasattr(traceback, 'mine')]))")
            self.assertEqual(run(code), [True, False])


class Paths(unittest.TestCase):
    def path(self, *flags, **environment):
        return run("import json, sys\n" + ("import sitecustomize\n" if "-S" in flags else "") + "print(json.dumps(sys.path))",
                   *flags, environment=environment)

    def test_packages_come_last_and_once(self):
        for flags in (("-S",), ()):
            for given in ({"FAASD_DEPENDENCIES": "/v/deps"}, {"FAASD_DEPENDENCIES": "/v/deps", "PYTHONPATH": f"{SHIMS}:/v/deps"}):
                path = self.path(*flags, **given)
                self.assertEqual((path[0], path[-1], path.count("/v/deps")), (SHIMS, "/v/deps", 1))
                self.assertTrue(any(entry.endswith("lib-dynload") for entry in path))

    def test_what_the_host_has_installed_is_out_of_reach(self):
        for flags in (("-S",), ()):
            for given in ({}, {"FAASD_DEPENDENCIES": "/v/deps"}, {"FAASD_DEPENDENCIES": ""}):
                path = self.path(*flags, **given)
                self.assertEqual([entry for entry in path if "-packages" in entry or not entry], [])


if __name__ == "__main__":
    unittest.main()
