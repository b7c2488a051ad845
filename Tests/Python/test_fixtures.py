"""Fixtures/ as they are shipped: each is a repository of Algorithmia's layout, and keeps its contract."""
import contextlib
import hashlib
import importlib.util
import io
import json
import os
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import REPOSITORY

PUBLISHED = os.path.join(REPOSITORY, "Fixtures")
NAMES = {"demo/Hello", "testing/Fail", "testing/Print", "testing/Sleep", "util/Echo", "util/Reverse", "util/Sha256",
         "WebPredict/ListAnagrams"}
README_LINES_MAX = 8
BYTES = bytes(range(256))


def load(name):
    """The module of OWNER/NAME."""
    algorithm = name.split("/")[1]
    spec = importlib.util.spec_from_file_location(algorithm, os.path.join(PUBLISHED, name, "src", algorithm + ".py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def read(name, path):
    with open(os.path.join(PUBLISHED, name, path), encoding="utf-8") as file:
        return file.read()


class Layout(unittest.TestCase):
    def test_these_are_all(self):
        found = {f"{owner}/{name}" for owner in os.listdir(PUBLISHED)
                 for name in os.listdir(os.path.join(PUBLISHED, owner))}
        self.assertEqual(found, NAMES)

    def test_the_configuration_names_the_folder(self):
        for name in NAMES:
            with self.subTest(name):
                conf = json.loads(read(name, "algorithmia.conf"))
                language = "language" if name == "util/Echo" else "langauge"
                self.assertEqual(list(conf), ["username", "algoname", language])
                self.assertEqual(f"{conf['username']}/{conf['algoname']}", name)
                self.assertEqual(conf[language], "python3.x")

    def test_a_repository_has_these_files_and_no_packages(self):
        for name in NAMES:
            with self.subTest(name):
                root = os.path.join(PUBLISHED, name)
                files = {os.path.relpath(os.path.join(folder, file), root) for folder, _, files in os.walk(root)
                         for file in files if "__pycache__" not in folder}
                module = f"src/{name.split('/')[1]}.py"
                self.assertEqual(files, {"README.md", "algorithmia.conf", "src/__init__.py", module})
                self.assertEqual(read(name, "src/__init__.py"), "")

    def test_a_readme_is_short_and_has_a_call(self):
        for name in NAMES:
            with self.subTest(name):
                text = read(name, "README.md")
                self.assertLessEqual(len(text.splitlines()), README_LINES_MAX)
                self.assertIn(f"$FAASD_SERVER/v1/algo/{name}", text)


class Contract(unittest.TestCase):
    def assert_answers(self, name, *cases):
        """Each of the (input, result) pairs, types included: 1, 1.0 and True are not the same answer."""
        apply = load(name).apply
        for value, expected in cases:
            with self.subTest(f"{name}: {value!r:.80}"):
                result = apply(value)
                self.assertEqual((type(result), result), (type(expected), expected))

    def assert_refuses(self, name, error_type, *cases):
        """Each of the (input, what the message says) pairs."""
        apply = load(name).apply
        for value, part in cases:
            with self.subTest(f"{name}: {value!r:.80}"):
                with self.assertRaises(Exception) as caught:
                    apply(value)
                self.assertEqual(getattr(caught.exception, "error_type", None), error_type, repr(caught.exception))
                self.assertIn(part, str(caught.exception))

    def test_hello_greets(self):
        self.assert_answers("demo/Hello", ("Jane", "Hello Jane"), ("HAL 9000", "Hello HAL 9000"), ("", "Hello "),
                            ("é", "Hello é"), (None, "Hello null"), (3, "Hello 3"), (1.5, "Hello 1.5"),
                            (True, "Hello true"), (["é", 1], 'Hello ["é", 1]'), ({"a": None}, 'Hello {"a": null}'))
        self.assert_refuses("demo/Hello", "AlgorithmError", (b"Jane", "got 4 bytes"), (b"", "got 0 bytes"))

    def test_hello_answers_the_printed_call_as_the_example_does(self):
        spec = importlib.util.spec_from_file_location("hello", os.path.join(REPOSITORY, "Examples/hello/hello.py"))
        example = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(example)
        self.assertEqual(load("demo/Hello").apply("Jane"), example.apply("Jane"))

    def test_echo_gives_back_what_it_got(self):
        self.assert_answers("util/Echo", *((value, value) for value in (
            "text", "", BYTES, b"", None, True, 0, 1.5, [1, [2]], {"a": {"b": None}})))

    def test_sleep_sleeps(self):
        self.assert_answers("testing/Sleep", (0, 0), (0.0, 0.0), ("0", 0), ("0.01", 0.01))
        began = time.monotonic()
        self.assertEqual(load("testing/Sleep").apply(0.2), 0.2)
        self.assertGreaterEqual(time.monotonic() - began, 0.2)

    def test_sleep_has_a_bound_and_says_so(self):
        read_seconds = load("testing/Sleep").read_seconds
        for value, expected in ((2_999, 2_999), (3_000, 3_000), ("3000", 3_000), (" 1e3\n", 1_000)):
            self.assertEqual(read_seconds(value), expected)
        self.assert_refuses(
            "testing/Sleep", "InputError", (3_001, "0 to 3000, got 3001"), (3_000.001, "got 3000.001"), (-1, "got -1"),
            ("-0.5", "got -0.5"), (float("nan"), "got nan"), ("inf", "got inf"), (10**400, "0 to 3000"), ("", "text ''"),
            ("soon", "text 'soon'"), (None, "NoneType"), (True, "bool"), ([1], "list"), ({}, "dict"), (b"1", "bytes"))

    def test_fail_fails_as_it_is_told(self):
        always = "this algorithm always fails"
        self.assert_refuses("testing/Fail", None, ({}, always), (None, always), ("text", always), (b"", always),
                            ([], always), ({"message": "no"}, "no"))
        self.assert_refuses("testing/Fail", "OddError", ({"error_type": "OddError"}, always),
                            ({"message": "no", "error_type": "OddError"}, "no"))
        self.assert_refuses("testing/Fail", "InputError", ({"error_type": "InputError", "message": ""}, ""))

    def test_print_prints_twice_and_counts_once(self):
        apply = load("testing/Print").apply
        for value, text in (("hi", "hi"), ("", ""), ("é\n", "é\n"), (3, "3"), ({"a": None}, "{'a': None}")):
            out, err = io.StringIO(), io.StringIO()
            with self.subTest(value), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                self.assertEqual(apply(value), len(text))
                self.assertEqual((out.getvalue(), err.getvalue()), (text + "\n", text + "\n"))

    def test_list_anagrams(self):
        name = "WebPredict/ListAnagrams"
        self.assert_answers(
            name, (["transformer", "terraforms", "retransform"], ["transformer", "retransform"]),
            (["thing", "night", "other"], ["thing", "night"]), ([], []), (["a"], []), (["a", "a"], []),
            (["ab", "ba", "ab"], ["ab", "ba", "ab"]), (["ab", "c", "ba", "dc", "cd"], ["ab", "ba", "dc", "cd"]),
            (["aab", "ab", "abb"], []), (["éa", "aé"], ["éa", "aé"]))
        self.assert_refuses(
            name, "InputError", ("transformer", "list of words, got str"), (None, "got NoneType"), ({}, "got dict"),
            (b"[]", "got bytes"), (["a", 1], "got int at index 1"), ([["a"]], "got list at index 0"))

    def test_sha256(self):
        empty = hashlib.sha256(b"").hexdigest()
        self.assert_answers(
            "util/Sha256", ("", {"sha256": empty, "bytes": 0}), (b"", {"sha256": empty, "bytes": 0}),
            ("abc", {"sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "bytes": 3}),
            ("é", {"sha256": hashlib.sha256(b"\xc3\xa9").hexdigest(), "bytes": 2}),
            (BYTES, {"sha256": hashlib.sha256(BYTES).hexdigest(), "bytes": 256}))
        self.assert_refuses("util/Sha256", "InputError", (3, "type int"), (None, "type NoneType"), (["a"], "type list"))

    def test_reverse(self):
        self.assert_answers("util/Reverse", (BYTES, BYTES[::-1]), (BYTES[::-1], BYTES), (b"", b""), ("", ""),
                            ("abé", "éba"))
        self.assert_refuses("util/Reverse", "InputError", (3, "type int"), (["a"], "type list"), ({}, "type dict"))


if __name__ == "__main__":
    unittest.main()
