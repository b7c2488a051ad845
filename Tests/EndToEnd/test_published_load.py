"""Published repositories that do not load, and those that are refused at the deploy."""
import json
import os

from repositories import NO_PACKAGES, PublishedCase

LOAD_SECONDS = 3
FAILING_LOAD = "import Algorithmia\n\ndef load():\n    raise ValueError('no such model')\n\n"


def environment(source):
    return "environment", {**NO_PACKAGES, "src/environment.py": source}


def legacy(script):
    return "legacy", {"bin/pipe": "#!/bin/sh\n" + script}


def conf(**changes):
    """An algorithmia.conf; None leaves a key out."""
    lines = {"username": "author", "algoname": "environment", "langauge": "python3.x", **changes}
    return json.dumps({key: value for key, value in lines.items() if value is not None})


class LoadingFailures(PublishedCase):
    config = {"limits": {"load_seconds": LOAD_SECONDS}}
    repositories = {
        "import_fails": environment("import nowhere\n\ndef apply(input):\n    return input\n"),
        "raises": environment("raise ValueError('no such model')\n"),
        "own_type": environment("class Odd(Exception):\n    error_type = 'InputError'\n\nraise Odd('not today')\n"),
        "leaves": environment("import sys\nprint('cannot go on', file=sys.stderr)\nsys.exit(9)\n"),
        "no_apply": environment("def aply(input):\n    return input\n"),
        "pipe_exits": legacy("echo 'no such model' >&2\nexit 7\n"),
        "pipe_ends_well": legacy("exit 0\n"),
        "pipe_is_killed": legacy("kill -9 $$\n"),
        "pipe_has_no_program": legacy("exec /nowhere/python3 bin/pipe.py\n"),
        "pipe_is_silent": legacy("sleep 600\n"),
        "pipe_answers_early": legacy("echo '{\"error\": {\"message\": \"model is lost\"}}' >/tmp/algoout; sleep 600\n"),
        "pipe_writes_nonsense": legacy("echo nonsense >/tmp/algoout; sleep 600\n"),
        "pipe_imports": ("legacy", {"src/legacy.py": "1 / 0\n"}),
        "adk_load": ("adk", {"src/adk.py": FAILING_LOAD + "Algorithmia.ADK(lambda input: input, load).init()\n"}),
        "handler_load": ("handler", {"src/handler.py": FAILING_LOAD + "Algorithmia.handler(lambda input: 0, load).serve()\n"}),
        "handler_counts": ("handler", {"src/handler.py": "import Algorithmia\n\n"
                                                         "Algorithmia.handler(lambda a, b, c: a).serve()\n"}),
    }

    def test_the_reason_is_told_and_nothing_is_charged(self):
        for name, *words in (
                ("import_fails", "src/environment.py cannot be loaded", "No module named 'nowhere'"),
                ("raises", "src/environment.py cannot be loaded", "no such model"),
                ("own_type", "not today"),
                ("leaves", "src/environment.py exited with code 9", "cannot go on"),
                ("no_apply", "it defines no function apply(input)"),
                ("pipe_exits", "bin/pipe exited with code 7", "no such model"),
                ("pipe_ends_well", "bin/pipe exited with code 0", "it printed nothing on stderr"),
                ("pipe_is_killed", "bin/pipe was killed by signal 9"),
                ("pipe_has_no_program", "bin/pipe exited with code 127", "/nowhere/python3"),
                ("pipe_answers_early", "bin/pipe cannot be loaded", "model is lost"),
                ("pipe_writes_nonsense", "bin/pipe cannot be loaded", "nonsense"),
                ("pipe_imports", "bin/pipe exited with code 1", "ZeroDivisionError: division by zero"),
                ("handler_load", "src/handler.py cannot be loaded", "no such model"),
                ("handler_counts", "src/handler.py cannot be loaded", "between 1 and 2 parameters, not 3")):
            with self.subTest(name):
                for _ in range(2):
                    reply = self.call(name, "Jane")
                    self.assert_error(reply, "LoadingError", *words)
                    self.assertEqual((reply.charge, reply.start), (0, "cold"))

    def test_a_failed_load_of_the_adk_is_told_in_its_own_words_by_a_worker_that_stays(self):
        for start in ("cold", "warm", "warm"):
            reply = self.call("adk_load", "Jane")
            self.assert_error(reply, "LoadingError")
            self.assertEqual((reply.error["message"], reply.start, reply.charge), ("no such model", start, 0))
        owner = self.call("adk_load", "Jane", self.author)
        self.assertIn("ValueError: no such model", owner.error["stacktrace"])

    def test_a_program_that_never_says_it_is_loaded_is_ended(self):
        self.assert_error(self.call("pipe_is_silent", "Jane"), "LoadingError", f"within {LOAD_SECONDS} seconds")

    def test_where_it_failed_is_told_to_the_owner_only(self):
        for name in ("import_fails", "pipe_imports", "handler_load"):
            with self.subTest(name):
                self.assertIn("Traceback", self.call(name, "x", self.author).error["stacktrace"])
                self.assertNotIn("Traceback", self.call(name, "x").error["stacktrace"])


class Refusals(PublishedCase):
    def test_a_repository_that_cannot_run_here_is_refused_at_the_deploy_naming_what_and_why(self):
        for fixture, changes, *words in (
                ("environment", {"algorithmia.conf": conf(langauge="java11")}, "java11", "python3"),
                ("environment", {"algorithmia.conf": conf(langauge=None, language="java11")}, "java11"),
                ("environment", {"algorithmia.conf": conf(langauge="python2-langpack")}, "python2-langpack"),
                ("environment", {"algorithmia.conf": conf(langauge="r36")}, "r36"),
                ("environment", {"algorithmia.conf": conf(algoname="__ALGO__")}, "algoname", "__ALGO__"),
                ("environment", {"algorithmia.conf": conf(algoname="other")}, "src/other.py", "src/environment.py"),
                ("environment", {"algorithmia.conf": conf(algoname=1)}, "algoname", "text"),
                ("environment", {"algorithmia.conf": "{"}, "algorithmia.conf", "JSON"),
                ("environment", {"algorithmia.conf": "[]"}, "algorithmia.conf", "object"),
                ("environment", {"algorithmia.conf": " " * 70_000}, "algorithmia.conf", 70_000),
                ("environment", {"src/environment.py": "def apply(input:\n"}, "src/environment.py", "line 1"),
                ("environment", {"src/environment.py": None}, "src/environment.py"),
                ("legacy", {"bin/pipe": lambda folder: os.chmod(os.path.join(folder, "bin/pipe"), 0o644)},
                 "bin/pipe", "chmod +x")):
            with self.subTest(fixture=fixture, words=words):
                message = self.refusal(fixture, changes)
                for word in words:
                    self.assertIn(str(word), message)

    def test_every_name_that_python3_had_is_accepted(self):
        for index, language in enumerate(("python3.x", "python3", "python3.8", "Python3", "python3-1", "anaconda3",
                                          "python-3")):
            for key in ("langauge", "language"):
                with self.subTest(language, key=key):
                    name = f"language{index}{key}"
                    changes = {**NO_PACKAGES, "algorithmia.conf": conf(**{"langauge": None, key: language}),
                               "src/environment.py": "def apply(input):\n    return input\n"}
                    self.deploy_temporary(name, "environment", changes)
                    self.assert_result(self.call(name, "Jane"), "Jane")
