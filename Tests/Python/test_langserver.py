"""Published algorithms of generation B over pipes, src/NAME.py with an apply: values, errors, limits, the end."""
import contextlib
import glob
import os
import shutil
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import NONCE, Version, frames
from test_worker import INPUT_BYTES_MAX, OUTPUT_BYTES_MAX, WorkerCase

CONF = '{"username": "ann", "algoname": "Algo", "language": "python3.x"}'
FIFO = "/tmp/algoout"
ECHO = "def apply(input): return input"


class PublishedCase(WorkerCase):
    def setUp(self):
        self.box_of_now = self.enterContext(contextlib.ExitStack())

    def load(self, source, **options):
        """A worker of a repository whose src/Algo.py this is, or that has these files among others."""
        files = {"src/Algo.py": source} if isinstance(source, str) else source
        return self.load_exactly({"algorithmia.conf": CONF, "src/__init__.py": ""} | files, **options)

    def load_exactly(self, files, **options):
        """A worker of these files, and the only one of this test: FIFO is one for all."""
        self.box_of_now.close()
        self.box_of_now.callback(self.remove_fifo)
        version = self.box_of_now.enter_context(Version(files, **options))
        return self.box_of_now.enter_context(version.start())

    def remove_fifo(self):
        """Removes it, and what it was moved away for, as a /tmp of its own would."""
        for path in glob.glob(FIFO + "*"):
            if os.path.isdir(path) and not os.path.islink(path):
                shutil.rmtree(path)
            else:
                os.unlink(path)

    def wait_for_file(self, box, name, seconds=10):
        """Waits until the algorithm has made a file of this name in its folder, and removes it."""
        path, deadline = f"/proc/{box.process.pid}/cwd/{name}", time.monotonic() + seconds
        while not os.path.exists(path):
            self.assertLess(time.monotonic(), deadline, f"no file {name} in {seconds} s")
            time.sleep(0.01)
        os.unlink(path)

    def assert_error(self, frame, error_type, *parts, is_last=False):
        self.assertEqual((frame.kind, frame.flags), (frames.ERROR, frames.LAST if is_last else 0), frame)
        return super().assert_error(frame, error_type, *parts)

    def assert_load_error(self, box, *parts, error_type="LoadingError"):
        """Loading fails with this message, and the worker ends."""
        frame = box.receive()
        self.assertEqual((frame.kind, frame.nonce), (frames.LOAD_ERROR, NONCE), frame)
        self.assertEqual(frame.error[0], error_type)
        for part in parts:
            self.assertIn(part, frame.error[1])
        self.assertIsNone(box.receive())
        self.assertEqual(box.status(), 1)
        return frame.error

    def assert_ends(self, box, status, payload=""):
        """The call is answered with the status of the algorithm, or minus its signal, and the worker ends."""
        frame = box.call(payload)
        self.assertEqual(frame.kind, frames.CHILD_ENDED, frame)
        self.assertEqual(int.from_bytes(frame.payload, "little", signed=True), status)
        self.assertEqual(box.status(), 1)
        return frame.flags


class Values(PublishedCase):
    def test_each_kind_of_input_comes_back_as_the_same_kind(self):
        box = self.serve(ECHO)
        for kind, data in ((0, "Grüße \0\n\r\u2028 😀 \"\\".encode()), (0, b""), (2, bytes(range(256))), (2, b""), (1, b"null"),
                           (1, '{"a":[1,2.5,true,null,"é😀"],"é":{}}'.encode()), (1, b'"text in JSON"'), (1, b"[]")):
            self.assert_result(box.call(data, kind), 0 if data.startswith(b'"') else kind, data.strip(b'"'))

    def test_json_may_have_line_breaks_between_its_tokens(self):
        box = self.serve(ECHO)
        for data in (b'{\n"a":\n[1,\r\n2]\r}\n', b'\r{"a" : [1\n\n,2\n]}', b'\n\n{\t"a":[1,2]}'):
            self.assert_result(box.call(data, 1), 1, b'{"a":[1,2]}')
        self.assert_result(box.call(rb'"a\nb\r"', 1), 0, b"a\nb\r")

    def test_types(self):
        box = self.serve("def apply(x): return type(x).__name__")
        for kind, data, name in ((0, b"1", b"str"), (1, b"1", b"int"), (2, b"1", b"bytes"), (1, b"[]", b"list"),
                                 (1, b'"x"', b"str")):
            self.assert_result(box.call(data, kind), 0, name)

    def test_results_of_every_type(self):
        box = self.serve("def apply(x): return eval(x)")
        for expression, kind, payload in (
            ("None", 1, b"null"), ("''", 0, b""), ("b'x'", 2, b"x"), ("bytearray(b'x')", 2, b"x"), ("True", 1, b"true"),
            ("{'a': (1, 2)}", 1, b'{"a":[1,2]}'), ("'\\u20ac'", 0, "€".encode()), ("['\\u20ac']", 1, '["€"]'.encode()),
            ("{1: 2, None: 3}", 1, b'{"1":2,"null":3}'), ("1.5", 1, b"1.5"),
        ):
            with self.subTest(expression):
                self.assert_result(box.call(expression), kind, payload)

    def test_results_without_a_form_fail_and_the_next_call_works(self):
        box = self.serve("import functools\ndef apply(x): return eval(x)")
        for expression, *parts in (
            ("float('nan')", "at $:", "nan"), ("{'a': [0, float('inf')]}", "$.a[1]", "inf"), ("'\\ud800'", "U+D800"),
            ("{1, 2}", "set"), ("[object()]", "object"), ("{(1, 2): 3}", "tuple"), ("(a := [], a.append(a), a)[2]", "Circular"),
            ("functools.reduce(lambda a, _: [a], range(100000), [])", "recursion"),
        ):
            with self.subTest(expression):
                self.assert_error(box.call(expression), "AlgorithmError", *parts)
                self.assert_result(box.call("'next'"), 0, b"next")

    def test_numbers_that_are_none_come_in(self):
        self.assert_result(self.serve("def apply(x): return repr(x)").call(b"[NaN,Infinity,-Infinity]", 1), 0, b"[nan, inf, -inf]")

    def test_an_input_that_cannot_be_read_is_a_parsing_error_and_the_next_call_works(self):
        box = self.serve(ECHO)
        for kind, data, part in ((0, b"a\xff", "not UTF-8: invalid start byte at byte 1"), (1, b"9" * 5_000, "4300 digits"),
                                 (1, b"{", "cannot be read"), (1, b"[" * 100_000 + b"]" * 100_000, "cannot be read")):
            self.assert_error(box.call(data, kind), "ParsingError", part)
            self.assert_result(box.call("next"), 0, b"next")

    def test_a_kind_of_input_that_is_none_breaks_the_protocol(self):
        box = self.serve(ECHO)
        self.assertIsNone(box.call("x", 3))
        self.assertEqual(box.status(), frames.EXIT_PROTOCOL)
        self.assertIn("kind of input is 3", box.text())


class Limits(PublishedCase):
    def test_the_longest_input(self):
        box = self.serve("def apply(x): return len(x)")
        for kind, data, length in (
            (0, b"x" * INPUT_BYTES_MAX, INPUT_BYTES_MAX), (0, b"\0" * INPUT_BYTES_MAX, INPUT_BYTES_MAX),
            (2, b"\xff" * INPUT_BYTES_MAX, INPUT_BYTES_MAX),
            (1, b"[11" + b",1" * (INPUT_BYTES_MAX // 2 - 2) + b"]", INPUT_BYTES_MAX // 2 - 1),
        ):
            self.assertEqual(len(data), INPUT_BYTES_MAX)
            self.assert_result(box.call(data, kind), 1, str(length).encode())

    def test_the_longest_result(self):
        box = self.serve("def apply(n): return {0: 'x', 2: b'x', 1: ['x'], 3: '\\0'}[int(n[0])] * int(n[1:])")
        for kind in (0, 2):
            answer = box.call(f"{kind}{OUTPUT_BYTES_MAX}")
            self.assertEqual((answer.kind, answer.flags, len(answer.payload)), (frames.RESULT, kind, OUTPUT_BYTES_MAX))
            self.assert_error(box.call(f"{kind}{OUTPUT_BYTES_MAX + 1}"), "TooLargeError", "15000001", "15000000")
        self.assertEqual(box.call("3" + str(OUTPUT_BYTES_MAX)).payload, bytes(OUTPUT_BYTES_MAX))
        self.assert_error(box.call(f"1{OUTPUT_BYTES_MAX // 4}"), "TooLargeError", "at least 15000001")
        self.assertEqual(box.call("065520").payload, b"x" * 65520)


class Errors(PublishedCase):
    def test_an_exception_has_message_type_and_a_trace_without_our_frames(self):
        box = self.serve("def helper(x):\n  raise ValueError('boom ' + x)\ndef apply(x):\n  return helper(x)\n")
        _, message, trace = self.assert_error(box.call("é"), "AlgorithmError")
        self.assertEqual(message, "boom é")
        for part in ("Traceback (most recent call last):\n", 'src/Algo.py", line 4, in apply', "ValueError: boom é\n"):
            self.assertIn(part, trace)
        for part in ("pipe.py", "langserver", "importlib", "sitecustomize"):
            self.assertNotIn(part, trace)
        self.assert_error(box.call("again"), "AlgorithmError", "boom again")

    def test_error_type_is_passed_on_when_it_is_text(self):
        box = self.serve("def apply(x):\n  class E(Exception):\n    if x: error_type = eval(x)\n  raise E('m')")
        for given, expected in (("'InputError'", "InputError"), ("'é'", "é"), ("None", "AlgorithmError"), ("7", "AlgorithmError"),
                                ("''", "AlgorithmError"), ("['a']", "AlgorithmError"), ("", "AlgorithmError")):
            self.assertEqual(self.assert_error(box.call(given), expected)[1], "m")

    def test_messages_of_every_form(self):
        box = self.serve("def apply(x): raise eval(x)")
        for raised, message in (("KeyError('k')", "'k'"), ("ValueError()", "ValueError"), ("StopIteration", "StopIteration"),
                                ("ValueError('\\ud800')", "\\ud800"), ("ValueError('a\\n}{')", "a\n}{")):
            self.assertEqual(self.assert_error(box.call(raised), "AlgorithmError")[1], message)
        self.assertEqual(len(self.assert_error(box.call("ValueError('x' * 20_000)"), "AlgorithmError")[1]), 8192 - 14)

    def test_the_end_of_the_algorithm_is_the_end_of_the_worker(self):
        for statement, status in (("sys.exit(3)", 3), ("sys.exit()", 0), ("sys.exit('why')", 1), ("os._exit(7)", 7),
                                  ("os.kill(os.getpid(), signal.SIGSEGV)", -11), ("os.kill(os.getpid(), 9)", -9)):
            with self.subTest(statement):
                box = self.serve(f"import os, signal, sys\ndef apply(_): {statement}")
                self.assertEqual(self.assert_ends(box, status), 0)
                self.assertEqual(box.text(), "why\n" if status == 1 else "")

    def test_site_builtins_are_there(self):
        self.assert_ends(self.serve("def apply(_): exit(4)"), 4)

    def test_children_of_multiprocessing_can_be_spawned(self):
        box = self.serve("import multiprocessing, os\ndef apply(_):\n"
                         "  with multiprocessing.get_context('spawn').Pool(1) as pool: return pool.map(abs, [-1, 2])")
        self.assert_result(box.call("x"), 1, b"[1,2]")


class Life(PublishedCase):
    def test_nonces_come_back_and_globals_stay(self):
        box = self.serve("count = 0\ndef apply(_):\n  global count\n  count += 1\n  return count")
        for count, nonce in enumerate((0, 1, 2**64 - 1), 1):
            frame = box.call("", nonce=nonce)
            self.assertEqual((frame.nonce, frame.payload), (nonce, str(count).encode()))

    def test_what_is_printed_is_out_before_the_answer(self):
        box = self.serve("import sys\nprint('loading')\n"
                         "def apply(x):\n  print(x * 2)\n  print('é', x, file=sys.stderr)\n  return x")
        self.assertEqual(box.text(), "loading\n")
        self.assert_result(box.call("a"), 0, b"a")
        self.assertEqual(sorted(box.text().splitlines()), ["aa", "loading", "é a"])
        box = self.serve("import os\ndef apply(n): print('x' * int(n)); os.system('echo child'); return 1")
        self.assert_result(box.call("1000000"), 1, b"1")
        self.assertEqual(box.text(), "x" * 1_000_000 + "\nchild\n")
        box = self.serve("import io, sys\nsys.stdout = io.TextIOWrapper(io.FileIO(1, 'w', closefd=False))\n"
                         "def apply(x): print('shown'); exec(x, globals()); return 1")
        self.assert_result(box.call("pass"), 1, b"1")
        self.assertEqual(box.text(), "shown\n")
        for spoiled in ("sys.stdout.close()", "sys.stdout = None", "sys.stdout.flush = 3"):
            self.assert_result(self.serve(f"import sys\ndef apply(_): {spoiled}; return 1").call("x"), 1, b"1")

    def test_a_child_that_prints_for_ever_holds_neither_answer_nor_end(self):
        box = self.serve("import subprocess, sys\ndef apply(x):\n  subprocess.Popen(['/usr/bin/yes'])\n"
                         "  if x: sys.exit(5)\n  return 'answer'")
        self.assert_result(box.call(""), 0, b"answer")
        self.assert_ends(box, 5, "x")

    def test_end_of_requests_ends_the_worker(self):
        box = self.serve(ECHO)
        box.close_requests()
        self.assertEqual(box.status(5), 0)
        self.assertIsNone(box.receive())


if __name__ == "__main__":
    unittest.main()
