"""Which repositories are published ones, which program answers for them, and what an upload of one may be."""
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import tar_gz
from test_unpack import LOCK, UnpackCase, info

from published import CONF_BYTES_MAX, PIPE, PublishedError, find_program

CONF = "algorithmia.conf"
APPLY = "def apply(input): return input\n"


def conf(**fields):
    return json.dumps(fields).encode()


def find(paths, content=b"{}", algorithm="Algo"):
    """What answers: the path and (author, name), or None. Paths are one text; `content` is that of the conf."""
    paths = paths.split()
    program = find_program(paths, {CONF: content}.__getitem__, algorithm)
    if program is None:
        return None
    assert program.path in paths, program.path
    return program.path, program.author, program.name


class Programs(unittest.TestCase):
    def assert_refused(self, paths, content, *parts):
        with self.subTest(content[:60]), self.assertRaises(PublishedError) as caught:
            find(paths, content)
        for part in (CONF, *parts):
            self.assertIn(part, str(caught.exception))

    def test_the_language_says_whether_it_runs_here(self):
        for key in ("language", "langauge"):
            for language in ("python3.x", "python3-1", "python3", "Python3.8", "python-3.7", "anaconda3", "python",
                             "f9d1c4d8-2f6b-4a3e-9a51-2f0f6e4f6f4e"):
                self.assertEqual(find(f"{CONF} src/Algo.py", conf(**{key: language}))[0], "src/Algo.py")
            for language in ("python2", "python-2.x", "java11", "javascript", "r36", "R", "scala-2", "ruby", "rust"):
                self.assert_refused(f"{CONF} src/Algo.py bin/pipe", conf(**{key: language}), language)
        self.assertEqual(find(f"{CONF} src/Algo.py", conf(language="python3.x", langauge="java11"))[0], "src/Algo.py")
        for content in (b"{}", conf(language=""), conf(language=None), conf(language=["x"]), conf(username="ann")):
            self.assertEqual(find(f"{CONF} src/Algo.py", content)[0], "src/Algo.py")

    def test_the_name_finds_the_module(self):
        for paths, algoname, path in (
            ("src/Algo.py", "Algo", "src/Algo.py"), ("src/algo.py", "Algo", "src/algo.py"), ("src/ALGO.py", "algo", "src/ALGO.py"),
            ("src/ALGO.py src/Algo.py src/algo.py", "Algo", "src/Algo.py"), ("src/Algorithm.py", "Algo", "src/Algorithm.py"),
            ("src/algorithm.py src/other.py", "Algo", "src/algorithm.py"), ("src/Algorithm.py src/algo.py", "Algo", "src/algo.py"),
            ("main.py Algo.py src/Algo.py", "Algo", "src/Algo.py"), ("src/3d.py", "3d", "src/3d.py"),
            ("src/Algo.py", "", "src/Algo.py"), ("src/Algo.py", None, "src/Algo.py"),
        ):
            with self.subTest(paths, algoname=algoname):
                content = conf() if algoname is None else conf(algoname=algoname)
                self.assertEqual(find(f"{CONF} {paths}", content)[0], path)

    def test_author_and_name_are_the_confs_and_the_deployments_where_it_is_silent(self):
        paths = f"{CONF} src/Algorithm.py"
        self.assertEqual(find(paths, conf(username="ann", algoname="Blur"))[1:], ("ann", "Blur"))
        self.assertEqual(find(paths, conf(username="ann"))[1:], ("ann", "Algo"))
        self.assertEqual(find(paths, b"\xef\xbb\xbf{}")[1:], ("", "Algo"))
        self.assertEqual(find("src/Algo.py")[1:], ("", "Algo"))

    def test_bin_pipe_answers_where_the_environment_brought_no_program(self):
        for paths, content, path in (
            ("src/Algo.py bin/pipe", conf(), PIPE), ("src/Algo.py bin/pipe", conf(language="python3-1"), PIPE),
            ("src/Algo.py bin/pipe", conf(language="python-3.x-1"), PIPE),
            ("src/Algo.py bin/pipe", conf(language="python3.x"), "src/Algo.py"),
            ("src/Algo.py bin/pipe", conf(langauge="anaconda3"), "src/Algo.py"), ("bin/pipe", conf(), PIPE),
            ("bin/pipe", conf(language="python3.x"), PIPE), ("bin/pipe src/other.py", conf(algoname="Algo"), PIPE),
            ("src/Algo.py", conf(language="python3-1"), "src/Algo.py"), ("src/Algorithm.py bin/pipe", conf(), PIPE),
        ):
            with self.subTest(paths, content=content):
                self.assertEqual(find(f"{CONF} {paths}", content)[0], path)

    def test_without_a_conf_only_src_name_counts_and_only_alone(self):
        for paths, path in (("src/Algo.py", "src/Algo.py"), ("src/algo.py README.md", "src/algo.py"), ("src/Other.py", None),
                            ("src/Algorithm.py", None), ("bin/pipe", None), ("Algo.py src/Algo.py", None),
                            ("x.py src/Algo.py", None), ("main.py", None), ("", None), ("src/Algo/Algo.py", None),
                            ("src/Algo.pyc", None),
                            ("SRC/Algo.py", None), ("src/Algo.PY", None), (f"folder/{CONF} folder/src/Algo.py", None)):
            with self.subTest(paths):
                found = find(paths)
                self.assertEqual(found and found[0], path)

    def test_nothing_to_run_names_what_was_looked_for_and_what_is_there(self):
        self.assert_refused(f"{CONF} src/b.py src/a.py x.py", conf(algoname="Blur"), "'Blur'", "src/Blur.py", "src/Algorithm.py",
                            PIPE, "found src/a.py, src/b.py")
        self.assert_refused(CONF, b"{}", "'Algo'", "found nothing in src/")
        self.assert_refused(f"{CONF} SRC/Algo.py src/Algo.PY", b"{}", "found src/Algo.PY")

    def test_a_conf_that_cannot_be_used(self):
        for content, *parts in (
            (b"", "not JSON"), (b"{", "not JSON"), (b"{'a': 1}", "not JSON"), (b"\xff\xfe", "not JSON"), (b"[]", "JSON object"),
            (b'"text"', "JSON object"), (b"null", "JSON object"), (b"[" * 60_000, "not JSON"),
            (conf(algoname=1), "algoname must be text"), (conf(username=None), "username must be text"),
            (conf(algoname="my-algo"), "'my-algo' must consist of"), (conf(algoname="sub/algo"), "must consist of"),
            (conf(algoname="__ALGO__"), "algoname", "placeholder __ALGO__"), (conf(algoname="a\nb"), "algoname", "'a\\nb'"),
            (conf(username="__USER__"), "username", "placeholder __USER__"),
            (conf(username="a\0b"), "username", "control characters"), (conf(username="\ud800"), "username", "control"),
        ):
            self.assert_refused(f"{CONF} src/Algo.py bin/pipe", content, *parts)

    def test_the_length_of_a_conf(self):
        for size, ok in ((CONF_BYTES_MAX - 1, True), (CONF_BYTES_MAX, True), (CONF_BYTES_MAX + 1, False)):
            content = b"{}".ljust(size)
            if ok:
                self.assertEqual(find(f"{CONF} src/Algo.py", content)[0], "src/Algo.py")
            else:
                self.assert_refused(f"{CONF} src/Algo.py", content, f"has {size} bytes, limit {CONF_BYTES_MAX}")


class Uploads(UnpackCase):
    def archive(self, *members):
        return tar_gz([(CONF, conf(algoname="Algo", language="python3.x")), *members])

    def test_a_module_needs_no_apply_because_it_may_answer_by_itself(self):
        cache = f"code/src/__pycache__/Algo.{sys.implementation.cache_tag}.pyc"
        for source in (APPLY, "from Algorithmia import ADK\nADK(print).init()\n", "apply = 1\n"):
            files = self.accept(self.archive(("src/Algo.py", source)))
            self.assertEqual(set(files), {LOCK, f"code/{CONF}", "code/src/Algo.py", cache})
        self.accept(tar_gz([("src/algo.py", APPLY)]))

    def test_a_module_that_does_not_parse_is_refused_with_its_line(self):
        self.refuse(self.archive(("src/Algo.py", "x = 1\ndef apply(:\n")), "src/Algo.py, line 2", "def apply(:")
        self.accept(self.archive(("src/Algo.py", APPLY), ("src/old.py", "print 'two'")))

    def test_bin_pipe_must_be_executable(self):
        for mode, ok in ((0o755, True), (0o644, False)):
            data = tar_gz([(CONF, b"{}"), (info(PIPE, mode=mode), "#!/bin/sh\n")])
            if ok:
                self.assertEqual(self.accept(data)[f"code/{PIPE}"], (b"#!/bin/sh\n", True))
            else:
                self.refuse(data, "bin/pipe is not executable: chmod +x bin/pipe")

    def test_what_cannot_be_run_is_refused(self):
        self.refuse(tar_gz([(CONF, conf(language="java11")), ("src/Algo.py", APPLY)]), CONF, "'java11'")
        self.refuse(tar_gz([(CONF, b"{}" + b" " * (2 << 20)), ("algo.py", APPLY)]), CONF, f"limit {CONF_BYTES_MAX}")
        self.refuse(tar_gz([(CONF, b"{}"), ("algo.py", APPLY)]), "neither src/algo.py nor")
        self.refuse(tar_gz([(f"Algo/{CONF}", b"{}"), ("Algo/src/Algo.py", APPLY)]), "all files lie in Algo/")


if __name__ == "__main__":
    unittest.main()
