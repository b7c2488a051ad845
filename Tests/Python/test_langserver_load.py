"""Published algorithms over pipes: what loads, what does not and what is said then, and what an algorithm finds around it."""
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import RUNTIME, frames
from test_langserver import CONF, ECHO, PublishedCase

LOOP = """\
import json, sys
sys.stdout.write("PIPE_INIT_COMPLETE\\n")
sys.stdout.flush()
for line in sys.stdin:
    answer = {"result": ["loop", json.loads(line)["data"]], "metadata": {"content_type": "json"}}
    with open("/tmp/algoout", "w") as fifo:
        fifo.write(json.dumps(answer) + "\\n")
"""
MANIFEST = "model_manifest.json"


def manifest(*uris):
    return json.dumps({"required_files": [{"name": f"file{n}", "source_uri": uri} for n, uri in enumerate(uris)]})


class Failures(PublishedCase):
    def test_a_module_that_cannot_be_imported_names_itself_and_the_exception(self):
        for source, *parts in (
            ("import nothere", "ModuleNotFoundError: No module named 'nothere'"), ("1 / 0", "ZeroDivisionError"),
            ("def apply(", "SyntaxError"), ("raise ValueError", "ValueError"), ("x = 1", "no function apply(input)"),
            ("apply = 3", "no function apply(input)"), ("open('/no/such')", "FileNotFoundError", "/no/such"),
        ):
            with self.subTest(source):
                error = self.assert_load_error(self.load(source), "src/Algo.py cannot be loaded", *parts)
                self.assertNotIn("pipe.py", error[2])
        source = "class E(Exception): error_type = 'ModelError'\nraise E('no model')"
        error = self.assert_load_error(self.load(source), "E: no model", error_type="ModelError")
        self.assertIn('src/Algo.py", line 2, in <module>', error[2])

    def test_a_module_that_ends_the_process_is_told_by_its_end_and_its_last_words(self):
        for statement, *parts in (
            ("sys.exit(3)", "exited with code 3 before it was loaded: it printed nothing on stderr"),
            ("sys.exit('first\\nlast words\\n\\n')", "exited with code 1", ": last words"),
            ("os._exit(0)", "exited with code 0"), ("os.kill(os.getpid(), 11)", "was killed by signal 11"),
            ("raise KeyboardInterrupt", "was killed by signal 2", ": KeyboardInterrupt"),
            ("os.write(2, b'\\xff' + b'x' * 9_000 + b'end'); os._exit(1)", "xx"),
        ):
            with self.subTest(statement):
                error = self.assert_load_error(self.load(f"import os, sys\n{statement}"), "src/Algo.py", *parts)
                self.assertLessEqual(len(error[2]), 4 << 10)

    def test_what_was_printed_before_a_failure_is_out(self):
        for failure in ("1 / 0", "sys.exit(3)", "os.kill(os.getpid(), 11)"):
            box = self.load(f"import os, sys\nprint('a')\nprint('b', end='')\nprint('c', file=sys.stderr)\n{failure}")
            self.assert_load_error(box, "src/Algo.py")
            self.assertEqual(sorted(box.text()), sorted("a\nbc\n"))

    def test_an_import_that_never_ends_is_left_to_the_deadline(self):
        box = self.load("import time\ntime.sleep(60)")
        with self.assertRaises(TimeoutError):
            box.receive(0.4)
        self.assertIsNone(box.process.poll())

    def test_a_repository_that_is_none_says_so_to_every_call(self):
        for files, *parts in (
            ({"algorithmia.conf": '{"language": "java11"}', "src/Algo.py": ECHO}, "algorithmia.conf", "'java11'"),
            ({"algorithmia.conf": "{", "src/Algo.py": ECHO}, "algorithmia.conf is not JSON"),
            ({"src": "a file", "bin": "another"}, "src/Algo.py nor src/Algorithm.py", "nothing in src/"),
        ):
            box = self.load_exactly({"algorithmia.conf": CONF} | files)
            first = box.receive()
            self.assertEqual(first.kind, frames.LOAD_ERROR, first)
            for part in parts:
                self.assertIn(part, first.error[1])
            self.assertEqual(box.call("x").error, first.error)

    def test_packages_for_another_interpreter_are_refused(self):
        box = self.load({"src/Algo.py": ECHO, "lock/interpreter": "cpython-38 3.8.2 linux glibc-2.31\n"})
        self.assertIn("installed for cpython-38 3.8.2", box.receive().error[1])

    def test_hosted_data_is_not_offered_yet(self):
        for name in (MANIFEST, MANIFEST + ".freeze"):
            for uri in ("data://ann/models/m.bin", "s3://bucket/m.bin", "/m.bin"):
                files = {"src/Algo.py": "# from Algorithmia import ADK\n" + ECHO, name: manifest("file://m.bin", uri)}
                self.assert_load_error(self.load(files), "src/Algo.py", f"{name}: file1 comes from {uri}",
                                       "does not offer hosted data yet", "file://PATH")

    def test_a_manifest_that_needs_nothing_hosted_is_no_obstacle(self):
        for content in (manifest(), manifest("file://m.bin"), "{", "[]", "{}", '{"required_files": 3}', '{"required_files": [{}]}',
                        '{"required_files": [{"name": "a", "source_uri": null}]}', b"\xff"):
            self.assert_result(self.serve({"src/Algo.py": ECHO, MANIFEST: content}).call("x"), 0, b"x")
        files = {"src/Algo.py": "# ADK\n" + ECHO, MANIFEST: manifest("data://a"), MANIFEST + ".freeze": manifest("file://a")}
        self.assert_result(self.serve(files).call("x"), 0, b"x")
        nobody_reads_it = {"src/Algo.py": ECHO, MANIFEST: manifest("data://a")}
        self.assert_result(self.serve(nobody_reads_it).call("x"), 0, b"x")


class Programs(PublishedCase):
    def test_the_module_is_found_by_its_name(self):
        say = "import os\ndef apply(_): return os.path.relpath(__file__)"
        for path in ("src/Algo.py", "src/ALGO.py", "src/Algorithm.py"):
            self.assert_result(self.serve({path: say, "main.py": "1 / 0"}).call("x"), 0, path.encode())
        self.assert_result(self.serve({"algorithmia.conf": "{}", "src/Call.py": say}, name="call").call("x"), 0, b"src/Call.py")

    def test_a_module_may_answer_by_itself_and_never_come_back(self):
        box = self.serve(LOOP)
        self.assert_result(box.call("a"), 1, b'["loop","a"]')
        self.assert_result(box.call("[1]", 1), 1, b'["loop",[1]]')
        self.assertEqual(box.text(), "")

    def test_a_module_may_print_the_mark_and_come_back(self):
        for text in ("PIPE_INIT_COMPLETE", "  PIPE_INIT_COMPLETE now"):
            box = self.serve(f"print('before')\nprint({text!r})\nprint('after')\n{ECHO}")
            for call in ("a", "b"):
                self.assert_result(box.call(call), 0, call.encode())
            self.assertEqual(box.text(), "before\nafter\nPIPE_INIT_COMPLETE\n")

    def test_an_import_that_fails_behind_the_mark_fails_the_first_call(self):
        box = self.serve("import sys\nprint('PIPE_INIT_COMPLETE')\nsys.stdin.readline()\n1 / 0")
        self.assert_error(box.call("x"), "AlgorithmError", "ZeroDivisionError", is_last=True)
        self.assertEqual(box.status(), 1)


class Around(PublishedCase):
    def test_the_standard_library_comes_before_packages_and_the_repository_last(self):
        source = "import argparse, src, os, sys, helper, pkg\ndef apply(_): return [argparse.__file__, pkg.x, helper.x, sys.path]"
        box = self.serve({"src/Algo.py": source, "deps/argparse.py": "1 / 0", "deps/pkg.py": "x = 2", "deps/helper.py": "x = 3",
                          "argparse.py": "1 / 0", "helper.py": "x = 4"})
        found, package, helper, path = json.loads(box.call("x").payload)
        self.assertTrue(found.startswith("/usr/lib/python3"), found)
        self.assertEqual((package, helper), (2, 3))
        self.assertEqual([os.path.basename(entry) for entry in path[-2:]], ["deps", ""])
        self.assertEqual([entry for entry in path if "dist-packages" in entry or "site-packages" in entry or entry == RUNTIME], [])

    def test_programs_that_an_algorithm_starts_find_the_same_modules(self):
        source = ("import subprocess, sys\ncode = 'import argparse, pkg, sys; print([pkg.x, sys.path])'\n"
                  "def apply(_): return eval(subprocess.check_output([sys.executable, '-c', code]))")
        box = self.serve({"src/Algo.py": source, "deps/argparse.py": "1 / 0", "deps/pkg.py": "x = 2"})
        value, path = json.loads(box.call("x").payload)
        self.assertEqual((value, [entry for entry in path if "dist-packages" in entry]), (2, []))
        self.assertEqual(os.path.basename(path[-1]), "deps")

    def test_modules_of_ours_are_out_of_reach(self):
        names = ("frames", "calls", "codec", "langserver", "values", "published", "algorithm", "worker", "pipe")
        source = f"import importlib.util\ndef apply(_): return [n for n in {names} if importlib.util.find_spec(n)]"
        self.assert_result(self.serve(source).call("x"), 1, b"[]")

    def test_the_folder_is_the_repositorys_and_its_modules_find_each_other(self):
        source = ("import os\nfrom .near import x\nfrom src import near\nimport src.near, top\n"
                  "def apply(_): return [x, near is src.near, top.x, open('data.txt').read(), __name__]")
        box = self.serve({"src/Algo.py": source, "src/near.py": "x = 1", "top.py": "x = 2", "data.txt": "d"})
        self.assert_result(box.call("x"), 1, b'[1,true,2,"d","src.Algo"]')

    def test_a_folder_without_init_is_a_package_too(self):
        for files in ({"algorithmia.conf": CONF, "src/Algo.py": ECHO}, {"src/algo.py": ECHO, "README.md": ""}):
            box = self.load_exactly(files)
            self.assertEqual(box.receive().kind, frames.READY)
            self.assert_result(box.call("x"), 0, b"x")

    def test_the_environment_names_the_algorithm_and_no_server(self):
        source = "import os\ndef apply(x): return os.environ.get(x)"
        box = self.serve(source)
        for name, value in (("ALGORITHMIA_ALGORITHM_NAME", "Algo"), ("ALGORITHMIA_ALGORITHM_AUTHOR_NAME", "ann"),
                            ("PYTHONUNBUFFERED", "1"), ("LANG", "C.UTF-8")):
            self.assert_result(box.call(name), 0, value.encode())
        self.assertTrue(box.call("ALGORITHMIA_API").payload.endswith(b".invalid"))

    def test_nothing_is_written_into_the_repository(self):
        box = self.serve({"src/Algo.py": "import os, src.near\ndef apply(_): return os.listdir('src')", "src/near.py": ""})
        self.assertEqual(sorted(json.loads(box.call("x").payload)), ["Algo.py", "__init__.py", "near.py"])


if __name__ == "__main__":
    unittest.main()
