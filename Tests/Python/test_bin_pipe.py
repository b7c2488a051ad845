"""Published algorithms with a bin/pipe of their own: how writers differ, and what happens to an answer that is none."""
import os
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import frames
from test_langserver import ECHO, FIFO, PublishedCase

START = """\
#!/usr/bin/python3
import base64, json, os, sys, threading, time
def write(*pieces):
    with open("/tmp/algoout", "wb", buffering=0) as fifo:
        for piece in pieces:
            fifo.write(piece if isinstance(piece, bytes) else piece.encode())
            time.sleep(pause)
def answer(result, kind="text"):
    return json.dumps({"result": result, "metadata": {"content_type": kind}})
pause = 0
"""
FOLLOW = """
print("PIPE_INIT_COMPLETE", flush=True)
for line in sys.stdin:
    request = json.loads(line)
    data = request["data"]
    """
TEXT, JSON, BINARY = (f'"metadata":{{"content_type":"{kind}"}}' for kind in ("text", "json", "binary"))
CONF = {"algorithmia.conf": "{}"}


class PipeCase(PublishedCase):
    def load(self, program, **options):
        """A worker of a repository with this bin/pipe."""
        return self.load_exactly(CONF | {"bin/pipe": program}, **options)

    def follow(self, answering, before=""):
        """A program that follows the protocol, answering each request so."""
        return self.serve(START + before + FOLLOW + answering)


class Writers(PipeCase):
    def test_a_program_that_follows_the_protocol(self):
        box = self.follow("write(answer([request['content_type'], data], 'json'), '\\n')")
        for kind, data, seen in ((0, "é\n", '["text","é\\n"]'), (1, b'{"a":\n1}', '["json",{"a":1}]'), (2, b"ab", '["binary","YWI="]')):
            self.assert_result(box.call(data, kind), 1, seen.encode())

    def test_a_request_is_one_line_whatever_a_reader_takes_for_the_end_of_one(self):
        box = self.serve(START + "print('PIPE_INIT_COMPLETE', flush=True)\n"
                         "for line in sys.stdin.buffer: write(answer([line.count(b'\\r'), line.count(b'\\n')], 'json'))")
        for kind, data in ((0, "a\r\n\u2028\n"), (1, '[\r\n"\\r\\n",\n1\r]\r'), (2, "\r\n")):
            self.assert_result(box.call(data, kind), 1, b"[0,1]")

    def test_the_kind_of_a_result_is_what_the_answer_says(self):
        box = self.follow("write(data)")
        for answer, kind, payload in (
            (f'{{"result":"x",{TEXT}}}', 0, b"x"), (f'{{"result":"x",{JSON}}}', 1, b'"x"'),
            (f'{{"result":"eA==",{BINARY}}}', 2, b"x"), (f'{{"result":"",{BINARY}}}', 2, b""),
            (f'{{"result":[1],{TEXT}}}', 1, b"[1]"), (f'{{"result":null,{JSON}}}', 1, b"null"),
            (f'{{{JSON},"more":{{}},"error":null,"result":{{"error":1}}}}', 1, b'{"error":1}'),
            (f' \n{{"result":"é",{TEXT}}} \n', 0, "é".encode()),
            (f'{{"result":1e2,{JSON}}}', 1, b"100.0"), (f'{{"result":"\\ud83d\\ude00",{TEXT}}}', 0, "😀".encode()),
        ):
            with self.subTest(answer):
                self.assert_result(box.call(answer), kind, payload)

    def test_an_error_needs_a_message_alone(self):
        box = self.follow("write(data)")
        for answer, error in (
            ('{"error":{"message":"m"}}', ("AlgorithmError", "m", "")),
            ('{"error":{"message":""}}', ("AlgorithmError", "AlgorithmError", "")),
            ('{"error":{"message":"m","error_type":"T","stacktrace":"s"}}', ("T", "m", "s")),
            ('{"error":{"message":7,"error_type":7,"stacktrace":7}}', ("AlgorithmError", "7", "")),
        ):
            self.assertEqual(self.assert_error(box.call(answer), error[0]), error)
        both = f'{{"error":{{"message":"m"}},"result":1,{JSON}}}'
        self.assert_result(box.call(both), 1, b"1")

    def test_a_writer_may_keep_the_fifo_open_and_write_no_newline(self):
        box = self.follow("fifo.write(answer(data).encode())", before="fifo = open('/tmp/algoout', 'wb', buffering=0)\n")
        for text in (b"one", b"two", b"", b"x" * 3_000_000):
            self.assert_result(box.call(text), 0, text)
        self.assertEqual(box.text(), "")

    def test_a_writer_may_take_its_time(self):
        box = self.follow("write(*[answer(data)[at:at + 9] for at in range(0, len(answer(data)), 9)])", before="pause = 0.02\n")
        for text in (b'{"a": "\\', b"}}"):
            self.assert_result(box.call(text), 0, text)

    def test_a_second_answer_is_never_the_next_calls(self):
        for second in ("answer('second')", "'\\n' + answer('second') + '\\n'", "'half {'", "answer('x' * 50_000)"):
            box = self.follow(f"write(answer(data) + {second}) if data == 'one' else write(answer(data), '\\n')")
            self.assert_result(box.call("one"), 0, b"one")
            self.assert_result(box.call("two"), 0, b"two")
        box = self.follow("write(answer(data), '\\n', answer('second'), '\\n'); open('done', 'w').close()")
        for text in (b"one", b"two", b"three"):
            self.assert_result(box.call(text), 0, text)
            self.wait_for_file(box, "done")  # Nothing tells a late answer to this call from one to the next.
        self.assertIn(f"bytes in {FIFO} answered no request and were dropped]", box.text())

    def test_an_answer_before_the_request_is_read_is_the_last(self):
        box = self.serve(START + "print('PIPE_INIT_COMPLETE', flush=True)\nsys.stdin.buffer.raw.read(10)\n"
                         "write(answer('early'))\ntime.sleep(60)")
        self.assert_result(box.call(bytes(1 << 20), 2), frames.LAST, b"early")
        self.assertEqual(box.status(5), 1)

    def test_an_answer_of_a_program_that_ends_with_it_is_the_last(self):
        box = self.follow("write(answer(data)); print('bye', flush=True); sys.exit(0)")
        answer = box.call("x")
        self.assertEqual((answer.kind, answer.payload), (frames.RESULT, b"x"))
        if answer.flags == frames.LAST:
            self.assertEqual(box.status(), 1)
        else:  # It had not ended yet: the next call finds out, before or while it is sent.
            self.assertIn(self.assert_ends(box, 0, "y"), (0, frames.BEFORE_THE_CALL))

    def test_a_program_that_has_ended_is_told_nothing_more(self):
        box = self.follow("write(answer(data)); threading.Timer(0.1, os._exit, [6]).start()")
        self.assert_result(box.call("x"), 0, b"x")
        time.sleep(0.5)
        self.assertEqual(self.assert_ends(box, 6, "y"), frames.BEFORE_THE_CALL)

    def test_a_program_that_closes_its_stdin_is_not_waited_for(self):
        box = self.serve(START + "print('PIPE_INIT_COMPLETE', flush=True)\nos.close(0)\ntime.sleep(60)")
        self.assert_error(box.call(bytes(4 << 20), 2), "SystemExit", "closed its stdin", is_last=True)


class Faults(PipeCase):
    def test_an_answer_that_is_none_is_told_and_the_worker_ends(self):
        for answer, *parts in (
            ("garbage\n", "expected an object, found b'garbage"), ("[1]", "expected an object"), ("{]", "Expecting"),
            ('{"a"}', "Expecting"), ("{}", "neither"), ('{"result":1}', "neither result"), (f"{{{TEXT}}}", "neither result"),
            ('{"error":"text"}', "neither result"), ('{"error":{"error_type":"T"}}', "error.message"),
            ('{"result":1,"metadata":{"content_type":"xml"}}', "content_type"), ('{"result":1,"metadata":7}', "content_type"),
            ('{"result":1,"metadata":{"content_type":["text"]}}', "content_type"), (f'{{"result":"é",{BINARY}}}', "not base64"),
            (f'{{"result":"a",{BINARY}}}', "not base64"), (f'{{"result":[1],{BINARY}}}', "not base64"),
        ):
            with self.subTest(answer):
                box = self.follow("print('seen', flush=True); write(data)")
                self.assert_error(box.call(answer), "SystemExit", "JSON error - ", *parts, is_last=True)
                self.assertIsNone(box.receive())
                self.assertEqual((box.status(), box.text()), (1, "seen\n"))
        box = self.follow("write(b'{\"\\xff\":1}')")
        self.assert_error(box.call("x"), "SystemExit", "JSON error - ", is_last=True)

    def test_a_result_that_may_not_leave_is_refused_and_the_next_call_works(self):
        box = self.follow("write('{\"result\":' + data + ',\"metadata\":{\"content_type\":\"json\"}}')")
        for result, part in (("NaN", "at $: nan"), ("[1e999]", "at $[0]: inf"), ('"\\ud800"', "U+D800"),
                             ("[" * 100_000 + "]" * 100_000, "nested")):
            self.assert_error(box.call(result), "AlgorithmError", part)
            self.assert_result(box.call("1"), 1, b"1")

    def test_an_answer_that_never_ends_is_refused_while_it_comes(self):
        box = self.follow("write('{\"', *[b'x' * (1 << 20)] * 101)")
        self.assert_error(box.call("x"), "TooLargeError", "104857600 bytes", is_last=True)
        self.assertEqual(box.status(), 1)

    def test_a_program_that_ends_before_it_is_loaded_is_told_by_its_last_words(self):
        for line, *parts in (("echo out; echo first >&2; echo last words >&2; exit 9", "exited with code 9", ": last words"),
                             ("kill -9 $$", "was killed by signal 9", "nothing on stderr"),
                             ("echo PIPE_INIT; echo PIPE_INIT_COMPLETE >&2", "exited with code 0", ": PIPE_INIT_COMPLETE")):
            self.assert_load_error(self.load(f"#!/bin/sh\n{line}"), "bin/pipe", "before it was loaded", *parts)

    def test_an_object_before_the_mark_is_why_it_cannot_be_loaded(self):
        for said, error_type, part in (
            ('{"error": {"message": "no model", "error_type": "ModelError"}}', "ModelError", "no model"),
            ('{"result": 1}', "SystemExit", "it answered before it was asked"), ("{]", "LoadingError", "JSON error - "),
            ("no", "LoadingError", "JSON error - expected an object"),
            ('{"a":' + "[" * 9_999 + "]" * 9_999 + "}", "LoadingError", "nested"),
        ):
            box = self.load(START + f"write({said!r})\nsys.stdin.read()")
            self.assert_load_error(box, "bin/pipe cannot be loaded: ", part, error_type=error_type)

    def test_a_program_that_cannot_be_started(self):
        hint = "its first line must name an interpreter that is here"
        for program, reason, hint in (("#!/no/such\n", "No such file", hint), ("#!/bin/sh\r\n", "No such file", hint),
                                      ("echo\n", "Permission denied", "")):
            self.assert_load_error(self.load(program), f"bin/pipe cannot be started: {reason}", hint)

    def test_what_python_ignores_its_programs_do_not(self):
        box = self.load("#!/bin/sh\ngrep SigIgn /proc/self/status >&2")
        ignored = int(self.assert_load_error(box, "SigIgn")[1].split()[-1], 16)
        self.assertEqual(ignored & 1 << 12, 0)


class Fifo(PublishedCase):
    def test_an_algorithm_may_remove_it_between_calls(self):
        for how in ("os.unlink(FIFO)", "os.unlink(FIFO); open(FIFO, 'w').write('{}')", "os.unlink(FIFO); os.symlink('/etc', FIFO)",
                    "os.unlink(FIFO); os.mkdir(FIFO); open(FIFO + '/x', 'w')", "os.unlink(FIFO); os.symlink(FIFO, FIFO)"):
            box = self.serve(f"import os, threading\nFIFO = {FIFO!r}\ndef tidy():\n  {how}\n  open('done', 'w').close()\n"
                             "def apply(x):\n  threading.Timer(0.05, tidy).start()\n  return x")
            for text in (b"one", b"two"):
                self.assert_result(box.call(text), 0, text)
                self.wait_for_file(box, "done")

    def test_an_algorithm_may_remove_it_while_it_loads(self):
        box = self.serve(f"import os\nos.unlink({FIFO!r})\n{ECHO}")
        self.assert_result(box.call("x"), 0, b"x")

    def test_an_algorithm_that_removes_it_in_a_call_ends_instead_of_waiting(self):
        box = self.serve(f"import os\ndef apply(x): os.unlink({FIFO!r})")
        self.assert_ends(box, 1)
        self.assertIn(f"No such file or directory: '{FIFO}'", box.text())

    def test_what_was_left_there_is_no_obstacle(self):
        for leave in (lambda: open(FIFO, "w").close(), lambda: os.symlink("/nowhere", FIFO), lambda: os.mkfifo(FIFO),
                      lambda: os.mkdir(FIFO)):
            self.box_of_now.close()
            leave()
            self.assert_result(self.serve(ECHO).call("x"), 0, b"x")

    def test_descriptors_of_ours_are_not_inherited(self):
        box = self.serve("import os\ndef apply(_): return [n for n in range(3, 1000) if os.path.exists(f'/proc/self/fd/{n}')]")
        self.assert_result(box.call("x"), 1, b"[]")


if __name__ == "__main__":
    unittest.main()
