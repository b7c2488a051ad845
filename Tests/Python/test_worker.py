"""The worker over pipes: loading, the three kinds of input and result, errors, limits."""
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import NONCE, Version, frames

OUTPUT_BYTES_MAX = 15_000_000
INPUT_BYTES_MAX = 10 << 20


class WorkerCase(unittest.TestCase):
    def serve(self, source=None, **options):
        """A worker that is ready for calls."""
        box = self.load(source, **options)
        first = box.receive()
        self.assertEqual(first.kind, frames.READY, first)
        return box

    def load(self, source=None, **options):
        version = self.enterContext(Version(source, **options))
        return self.enterContext(version.start())

    def assert_result(self, frame, kind, payload):
        if frame.kind == frames.ERROR:
            self.fail(frame.error)
        self.assertEqual((frame.kind, frame.flags, frame.payload), (frames.RESULT, kind, payload))

    def assert_error(self, frame, error_type, *parts):
        self.assertEqual(frame.kind, frames.ERROR, frame)
        self.assertEqual(frame.error[0], error_type, frame.error)
        for part in parts:
            self.assertIn(part, frame.error[1])
        return frame.error


class Values(WorkerCase):
    def test_each_kind_of_input_has_its_type_and_comes_back_as_the_same_kind(self):
        box = self.serve(fixture="echo")
        for kind, data in ((0, "Grüße\0\n".encode()), (0, b""), (2, bytes(range(256))), (2, b""), (1, b"null"),
                           (1, b'{"a":[1,2.5,true,null,"\xc3\xa9"]}'), (1, b'"text in JSON"')):
            self.assert_result(box.call(data, kind), 0 if data.startswith(b'"') else kind,
                               data.strip(b'"') if data.startswith(b'"') else data)

    def test_types(self):
        box = self.serve("def apply(x): return type(x).__name__")
        for kind, data, name in ((0, b"1", b"str"), (1, b"1", b"int"), (2, b"1", b"bytes"), (1, b"[]", b"list")):
            self.assert_result(box.call(data, kind), 0, name)

    def test_results_of_every_type(self):
        for expression, kind, payload in (
            ("None", 1, b"null"), ("''", 0, b""), ("bytearray(b'x')", 2, b"x"), ("{'a': (1, 2)}", 1, b'{"a":[1,2]}'),
            ("'\\u20ac'", 0, "€".encode()), ("['\\u20ac']", 1, '["€"]'.encode()), ("True", 1, b"true"),
            ("__import__('enum').IntEnum('E', 'a').a", 1, b"1"), ("{1: 2, None: 3}", 1, b'{"1":2,"null":3}'),
        ):
            with self.subTest(expression):
                self.assert_result(self.serve(f"def apply(_): return {expression}").call("x"), kind, payload)

    def test_results_without_a_form_name_type_and_path(self):
        for expression, *parts in (
            ("float('nan')", "at $:", "nan"), ("{'a': [0, float('inf')]}", "$.a[1]", "inf"), ("[{1, 2}]", "$[0]", "set"),
            ("{'a': {'b': object()}}", "$.a.b", "object"), ("{(1, 2): 3}", "key of type tuple"), ("'\\ud800'", "U+D800"),
            ("{'k': ['x', 'ab\\udfff']}", "$.k[1]", "U+DFFF at character 2"), ("(a := [], a.append(a), a)[2]", "itself"),
            ("__import__('decimal').Decimal(1)", "decimal.Decimal"), ("{'\\ud800': 1}", "U+D800"), ("(i for i in 'a')",
            "generator"), ("__import__('functools').reduce(lambda a, _: [a], range(100000), [])", "nested"),
        ):
            with self.subTest(expression):
                answer = self.serve(f"def apply(_): return {expression}").call("x")
                self.assertEqual(self.assert_error(answer, "AlgorithmError", *parts)[2], "")

    def test_numbers_that_are_none_come_in_and_never_go_out(self):
        box = self.serve("def apply(x): return repr(x) if isinstance(x, list) else x")
        self.assert_result(box.call(b"[NaN, Infinity, -Infinity]", 1), 0, b"[nan, inf, -inf]")
        for data, part in ((b"NaN", "nan"), (b"Infinity", "inf"), (b"-Infinity", "-inf")):
            self.assert_error(box.call(data, 1), "AlgorithmError", f"at $: {part} has no form in JSON")

    def test_json_that_python_cannot_read_is_a_parsing_error(self):
        box = self.serve(fixture="echo")
        for data, part in ((b"nan", "cannot"), (b"[inf]", "cannot"), (b"{", "cannot"), (b'"\xff"', "UTF-8"), (b"", "cannot"),
                           (b"[" * 100_000 + b"]" * 100_000, "nested"), (b"9" * 5_000, "cannot")):
            self.assert_error(box.call(data, 1), "ParsingError", part)
        self.assert_error(box.call(b"\xff", 0), "ParsingError", "not UTF-8", "byte 0")
        self.assert_result(box.call(b"[1]", 1), 1, b"[1]")

    def test_output_limit(self):
        box = self.serve(fixture="big_output")
        for size in (OUTPUT_BYTES_MAX - 1, OUTPUT_BYTES_MAX):
            self.assertEqual(len(box.call(str(size)).payload), size)
        self.assert_error(box.call(str(OUTPUT_BYTES_MAX + 1)), "TooLargeError", "15000001", "15000000")
        self.assertEqual(box.call("65520").payload, b"x" * 65520)

    def test_output_limit_counts_bytes_not_characters(self):
        box = self.serve("def apply(n): return 'é' * int(n)")
        self.assertEqual(len(box.call(str(OUTPUT_BYTES_MAX // 2)).payload), OUTPUT_BYTES_MAX)
        self.assert_error(box.call(str(OUTPUT_BYTES_MAX // 2 + 1)), "TooLargeError", "15000002")
        self.assert_error(box.call(str(OUTPUT_BYTES_MAX + 1)), "TooLargeError", "at least 15000001")
        box = self.serve("def apply(n): return ['x' * int(n)]")
        self.assertEqual(len(box.call(str(OUTPUT_BYTES_MAX - 4)).payload), OUTPUT_BYTES_MAX)
        self.assert_error(box.call(str(OUTPUT_BYTES_MAX - 3)), "TooLargeError")

    def test_input_limit(self):
        for size, status in ((INPUT_BYTES_MAX - 1, None), (INPUT_BYTES_MAX, None), (INPUT_BYTES_MAX + 1, 76)):
            box = self.serve("def apply(x): return len(x)")
            if status is None:
                self.assert_result(box.call(b"x" * size, 2), 1, str(size).encode())
            else:
                box.send_raw(frames.HEADER.pack(frames.MAGIC, frames.CALL, 2, size, 1))
                self.assertEqual(box.status(), status)
                self.assertIn(f"{size} bytes, limit {INPUT_BYTES_MAX}", box.text())


class Errors(WorkerCase):
    def test_an_exception_has_message_type_and_a_trace_without_our_frames(self):
        kind, message, trace = self.assert_error(self.serve(fixture="raises").call("x"), "AlgorithmError", "boom")
        self.assertEqual(message, "boom")
        self.assertIn('raises.py", line 2, in apply', trace)
        self.assertIn("ValueError: boom", trace)
        self.assertNotIn("calls.py", trace)

    def test_error_type_is_passed_on_when_it_is_text(self):
        source = "class E(Exception):\n  error_type = {}\ndef apply(_): raise E('m')"
        for given, expected in (("'InputError'", "InputError"), ("None", "AlgorithmError"), ("7", "AlgorithmError"),
                                ("''", "AlgorithmError"), ("property(lambda s: 1/0)", "AlgorithmError")):
            self.assert_error(self.serve(source.format(given)).call("x"), expected)

    def test_exceptions_that_misbehave(self):
        for raised, message in (("KeyboardInterrupt", "KeyboardInterrupt"), ("GeneratorExit", "GeneratorExit"),
                                ("MemoryError", "MemoryError"), ("StopIteration", "StopIteration"), ("E", "E"),
                                ("BaseException('b')", "b"), ("ValueError('\\ud800')", "\\ud800")):
            source = f"class E(Exception):\n  def __str__(self): return 1/0\ndef apply(_): raise {raised}"
            box = self.serve(source)
            self.assertEqual(self.assert_error(box.call("x"), "AlgorithmError")[1], message)
            self.assertEqual(box.call("x").kind, frames.ERROR)
        box = self.serve("def apply(x): return apply(x)")
        self.assert_error(box.call("x"), "AlgorithmError", "recursion")

    def test_error_fields_are_clipped(self):
        source = "class E(Exception):\n  error_type = 't' * int({0})\ndef apply(n): raise E('é' * int(n))"
        for count, clipped in ((4_095, 8_190), (4_096, 8_190), (4_097, 8_190)):
            _, message, trace = self.serve(source.format(1)).call(str(count)).error
            self.assertEqual(len(message.encode()), clipped)  # 8192 less the type's byte, cut between characters
        error_type, message, trace = self.serve(source.format(300)).call("100000").error
        self.assertEqual((len(error_type), len(message.encode())), (256, 8192 - 256))
        self.assertLessEqual(len(trace.encode()), 65536)
        self.assertGreater(len(trace.encode()), 65532)

    def test_clip_keeps_short_text_whole_at_the_bound(self):
        for size in (8_190, 8_191, 8_192):
            payload = frames.error_payload("t", "m" * size)
            self.assertEqual(int.from_bytes(payload[5:9], "little"), min(size, 8_191))

    def test_sys_exit_ends_the_process_with_its_status(self):
        for code, status in (("", 0), ("0", 0), ("3", 3), ("256", 0), ("'why'", 1), ("None", 0)):
            box = self.serve(f"import sys\ndef apply(_): sys.exit({code})")
            self.assertIsNone(box.call("x"))
            self.assertEqual(box.status(), status)
            self.assertEqual(box.text(), "why\n" if status == 1 else "")
        box = self.serve("import sys, threading, time\n"
                         "def apply(_):\n  threading.Thread(target=time.sleep, args=(60,)).start()\n  sys.exit(5)")
        self.assertIsNone(box.call("x"))
        self.assertEqual(box.status(5), 5)

    def test_os_exit_and_faults_end_the_replies(self):
        box = self.serve(fixture="exits")
        self.assertIsNone(box.call("7"))
        self.assertEqual(box.status(), 7)
        box = self.serve(fixture="segfault")
        self.assertIsNone(box.call(""))
        self.assertEqual(box.status(), -11)


class Loading(WorkerCase):
    def assert_load_error(self, box, *parts):
        frame = box.receive()
        self.assertEqual((frame.kind, frame.nonce), (frames.LOAD_ERROR, NONCE), frame)
        for part in parts:
            self.assertIn(part, frame.error[1])
        again = box.call("x", nonce=5)
        self.assertEqual((again.kind, again.nonce, again.error), (frames.ERROR, 5, frame.error))
        return frame.error

    def test_the_entry_is_found_by_name_then_main_then_alone(self):
        say = "def apply(_): return __file__.rpartition('/')[2]"
        for names, entry in ((("algo.py", "main.py"), "algo.py"), (("ALGO.py", "main.py"), "ALGO.py"),
                             (("Algo.py", "algo.py"), "algo.py"), (("main.py", "b.py"), "main.py"), (("b.py",), "b.py"),
                             (("b.py", ".c.py", "d/main.py"), "b.py")):
            self.assert_result(self.serve({name: say for name in names}).call("x"), 0, entry.encode())
        self.assert_load_error(self.load({"b.py": say, "c.py": say}), "algo.py", "b.py, c.py")
        self.assert_load_error(self.load({"README": "x"}), "found no .py file")

    def test_load_errors_name_entry_and_reason(self):
        for source, *parts in (("def apply(", "algo.py", "SyntaxError"), ("x = 1", "no function apply"),
                               ("import nothere\ndef apply(x): pass", "nothere"), ("apply = 3", "no function apply"),
                               ("def load(): raise KeyError('k')\ndef apply(x, s): pass", "algo.py", "KeyError: 'k'"),
                               ("import sys\nsys.exit(3)", "SystemExit: 3"), ("raise KeyboardInterrupt", "Keyboard"),
                               ("def apply(x, s): pass", "no load()"), ("def load(m): pass\ndef apply(x): pass", "load()")):
            with self.subTest(source):
                error_type, _, trace = self.assert_load_error(self.load(source), *parts)
                self.assertEqual(error_type, "LoadingError")
                self.assertNotIn("importlib", trace)
                self.assertNotIn("load.py", trace)
        self.assert_load_error(self.load(fixture="load_fails"), "load_fails.py", "the model is not there")
        self.assert_load_error(self.load(fixture="no_apply"), "no_apply.py")

    def test_state_goes_to_an_apply_that_takes_two(self):
        for source, payload in (
            ("def load(): return []\ndef apply(x, s): s.append(x); return s", b'["x"]'),
            ("def load(): return 0\ndef apply(x, s): return s", b"0"), ("def load(): return 5\ndef apply(x): return 1", b"1"),
            ("def load(): return 5\ndef apply(x, *more): return more", b"[5]"), ("def apply(x, y=7): return y", b"7"),
            ("def load(): return 5\ndef apply(x, *, k=2): return k", b"2"), ("def apply(*a): return a", b'["x"]'),
            ("class A:\n  def go(self, x, s): return s\ndef load(): return 5\napply = A().go", b"5"),
            ("import functools\ndef load(): return 5\ndef f(x): return 1\n@functools.wraps(f)\n"
             "def apply(*a): return f(*a)", b"1"),
            ("def load(): return None\ndef apply(x, s): return [s]", b"[null]"),
        ):
            with self.subTest(source):
                self.assert_result(self.serve(source).call("x"), 1, payload)

    def test_modules_of_the_author_keep_their_names(self):
        sources = {f"{name}.py": f"who = 'author {name}'" for name in ("frames", "calls", "codec", "entry", "load", "reaper")}
        sources["algo.py"] = ("import sys, frames, calls, codec, entry, load, reaper\n"
                              "def apply(_): return [m.who for m in (frames, calls, codec, entry, load, reaper)]")
        names = ("frames", "calls", "codec", "entry", "load", "reaper")
        self.assert_result(self.serve(sources).call("x"), 1, json.dumps([f"author {n}" for n in names],
                                                                         separators=(",", ":")).encode())

    def test_an_entry_may_be_called_like_a_library_module(self):
        source = "import statistics, sys\ndef apply(_): return [statistics.mean([1, 3]), __name__]"
        box = self.load({"statistics.py": source}, name="statistics")
        self.assertEqual(box.receive().kind, frames.READY)
        self.assert_result(box.call("x"), 1, b'[2,"algorithm_statistics"]')

    def test_packages_for_another_interpreter_are_refused(self):
        tag, source = sys.implementation.cache_tag, "def apply(_): return 1"
        for lock, ok in ((f"{tag} 3.x linux", True), (f"{tag}\n", True), ("cpython-38 3.8.2 linux", False), (f"{tag}0 ", False)):
            box = self.load({"algo.py": source, "lock/interpreter": lock})
            if ok:
                self.assertEqual(box.receive().kind, frames.READY)
            else:
                self.assert_load_error(box, f"installed for {lock.strip()}", f"now runs {tag}: deploy it again")

    def test_paths_and_folder(self):
        source = ("import os, sys, helper, wheel\n"
                  "def apply(_): return [helper.x, wheel.x, open('data.txt').read(), os.path.basename(sys.argv[0])]")
        box = self.serve({"algo.py": source, "helper.py": "x = 1", "data.txt": "d", "deps/wheel.py": "x = 2",
                          "deps/helper.py": "x = 3"})
        self.assert_result(box.call("x"), 1, b'[1,2,"d","algo.py"]')


if __name__ == "__main__":
    unittest.main()
