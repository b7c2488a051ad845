"""Algorithms of all of Algorithmia's Python generations, unchanged: each rule holds for each of them."""
import base64
import functools
import json
import statistics
import threading
import time

from repositories import PublishedCase
from wire import connection, send

GENERATIONS = ("legacy", "environment", "handler", "adk")
MOST_IN, MOST_OUT = 10 << 20, 15_000_000
WARM_CALLS = 1_000
FAULT_OF_THE_HANDLER = "string argument without an encoding"
"""All releases of `Algorithmia.handler` with this loop take base64 for bytes."""


def each(*left_out):
    """Runs a test for each generation, but for those left out."""
    def decorate(test):
        @functools.wraps(test)
        def run(self):
            for name in GENERATIONS:
                if name not in left_out:
                    with self.subTest(name):
                        test(self, name)
        return run
    return decorate


class EveryGeneration(PublishedCase):
    repositories = {name: (name, {}) for name in GENERATIONS}

    @classmethod
    def prepare(cls):
        super().prepare()
        cls.rich = cls.daemon.user("rich", credits="100000")

    @each()
    def test_text_and_json_reach_apply_and_results_keep_their_kind(self, name):
        self.assert_result(self.call(name, "Jane"), "Hello Jane")
        self.assert_result(self.call(name, "Grüße\n\"'\\ \u2028😀"), "Hello Grüße\n\"'\\ \u2028😀")
        self.assert_result(self.call(name, ""), "Hello ")
        self.assert_result(self.call(name, None), "Hello None")
        for value, kind in ((None, "json"), (0, "json"), (True, "json"), ([], "json"), ({"a": [1.5, None, "é"]}, "json"),
                            ("é\0😀", "text"), ("", "text"),
                            ({"error": "e", "result": 1, "metadata": {}}, "json")):
            reply = self.do(name, "give", value=value)
            self.assertEqual((reply.result, reply.metadata["content_type"]), (value, kind), reply)

    @each()
    def test_json_arrives_however_it_is_written(self, name):
        for body, result in (('{\r\n "do":\n"give",\n\n "value": [1,\n2]}\n', [1, 2]),
                             ('{"do": "give", "value": "Grüße \u2028 😀"}', "Grüße \u2028 😀"),
                             ('{"do": "give", "value": "\\u0000\\ud83d\\ude00"}', "\0😀"),
                             ('{"do": "give", "value": ' + "[" * 500 + "]" * 500 + "}", json.loads("[" * 500 + "]" * 500)),
                             ('"NaN"', "Hello NaN"), ("NaN", "Hello nan")):
            with self.subTest(body[:60]):
                self.assert_result(self.daemon.call(f"author/{name}", body, self.caller, kind="application/json"), result)

    @each("handler")
    def test_bytes_reach_apply_and_come_back_as_bytes(self, name):
        reply = self.call(name, bytes(range(256)))
        self.assertEqual(base64.b64decode(reply.result), bytes(range(255, -1, -1)))
        self.assertEqual(reply.metadata["content_type"], "binary")
        raw = self.call(name, b"\0\xff", query="?output=raw")
        self.assertEqual((raw.status, raw.body), (200, b"\xff\0"))

    def test_bytes_into_a_handler_fail_as_they_always_did(self):
        before = self.worker("handler")
        self.assert_error(self.call("handler", b"\0"), "AlgorithmError", FAULT_OF_THE_HANDLER)
        self.assertEqual(self.worker("handler"), (before[0], before[1] + 1))

    @each()
    def test_an_exception_is_told_its_trace_to_the_owner_only_and_the_worker_goes_on(self, name):
        for user, sees in ((self.author, True), (self.caller, False)):
            before = self.worker(name, user)
            reply = self.do(name, "fail", user, message="boom")
            self.assert_error(reply, "AlgorithmError")
            self.assertEqual(reply.error["message"], "boom")
            trace = reply.error["stacktrace"]
            for part in ("Traceback (most recent call last)", "tasks.py", "ValueError: boom"):
                self.assertEqual(part in trace, sees, trace)
            self.assert_same_worker(name, before, user=user)

    @each()
    def test_an_error_type_is_kept_when_it_is_text(self, name):
        for given, told in (("InputError", "InputError"), ("Own", "Own"), (None, "AlgorithmError"),
                            (7, "AlgorithmError")):
            self.assert_error(self.do(name, "fail", message="m", error_type=given), told, "m")

    @each()
    def test_a_result_without_a_form_in_json_is_an_error_and_the_worker_goes_on(self, name):
        before = self.worker(name)
        self.assert_error(self.do(name, "nan"), "AlgorithmError", "nan")
        self.assert_error(self.do(name, "give", value="\ud800"), "AlgorithmError", "lone surrogate")
        self.assert_error(self.do(name, "object"), "AlgorithmError", "not JSON serializable")
        self.assert_same_worker(name, before, calls=3)

    @each()
    def test_an_input_of_10_mib_arrives_whole(self, name):
        text = "0123456789abcdef" * (MOST_IN >> 4)
        self.assertTrue(self.call(name, text).result == "Hello " + text)
        if name != "handler":
            self.assertTrue(base64.b64decode(self.call(name, text.encode()).result) == text[::-1].encode())

    @each()
    def test_a_result_may_have_15_million_bytes_and_no_more(self, name):
        before = self.worker(name)
        self.assertEqual(len(base64.b64decode(self.do(name, "bytes", count=MOST_OUT).result)), MOST_OUT)
        self.assertEqual(len(self.do(name, "text", count=MOST_OUT).result), MOST_OUT)
        for task in ("bytes", "text"):
            reply = self.do(name, task, count=MOST_OUT + 1)
            self.assert_error(reply, "TooLargeError", MOST_OUT + 1, MOST_OUT)
        self.assert_same_worker(name, before, calls=4)

    @each()
    def test_a_thousand_warm_calls_are_answered_by_one_worker(self, name):
        fields = {"Authorization": self.caller.key, "Content-Type": "text/plain"}
        before = self.worker(name)
        opened, micros = connection(self.daemon.port), []
        self.addCleanup(opened.close)
        for index in range(WARM_CALLS):
            reply = send(opened, "POST", f"/v1/algo/author/{name}", f"{name} {index}", fields)
            self.assertEqual((reply.result, reply.start), (f"Hello {name} {index}", "warm"))
            micros.append(int(reply.headers["X-Faasd-Run-Us"]))
        self.assert_same_worker(name, before, calls=WARM_CALLS)
        print(f"{name}: median of {WARM_CALLS} warm calls {statistics.median(micros):.0f} µs", flush=True)

    @each()
    def test_stdout_is_what_this_call_printed(self, name):
        for word in ("one", "two", "three"):
            printed = self.do(name, "say", self.author, "?stdout=true", text=word).metadata["stdout"]
            self.assertIn(f"said {word}\n", printed)
            self.assertIn(f"warned {word}\n", printed)
            for other in {"one", "two", "three"} - {word}:
                self.assertNotIn(other, printed)
            self.assertNotIn("PIPE_INIT_COMPLETE", printed)
        self.assertEqual(self.do(name, "give", self.author, "?stdout=true").metadata["stdout"], "")

    @each()
    def test_two_workers_at_once_answer_their_own_calls(self, name):
        answers, gate = {}, threading.Barrier(2)

        def run(side):
            gate.wait()
            answers[side] = [self.do(name, "sleep", self.rich, seconds=0.02, token=f"{side} {index}").result
                             for index in range(20)]

        threads = [threading.Thread(target=run, args=(side,)) for side in ("left", "right")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for side in ("left", "right"):
            self.assertEqual([token for token, _ in answers[side]], [f"{side} {index}" for index in range(20)])
        self.assertEqual(len({worker for side in answers.values() for _, worker in side}), 2)

    @each()
    def test_a_timeout_ends_the_call_in_time_and_the_next_call_works(self, name):
        began = time.monotonic()
        reply = self.do(name, "sleep", query="?timeout=1", seconds=30)
        self.assertLess(time.monotonic() - began, 1.8)
        self.assert_error(reply, "TimeoutError", "1 second")
        self.assert_result(self.call(name, "Jane"), "Hello Jane")

    @each("handler")
    def test_a_process_that_ends_is_told_by_its_status_and_the_next_call_works(self, name):
        for task, arguments, error_type, words in (("leave", {"status": 3}, "SystemExit", "exited with code 3"),
                                                   ("leave", {"status": 0}, "SystemExit", "exited with code 0"),
                                                   ("die", {}, "SignalError", "SIGKILL")):
            self.assert_error(self.do(name, task, **arguments), error_type, words)
            reply = self.call(name, "Jane")
            self.assert_result(reply, "Hello Jane")
            self.assertEqual(reply.start, "cold")

    def test_an_exit_within_a_handler_ends_its_worker_and_no_later_call_gets_the_answer_of_another(self):
        # Its loop writes the former answer once more on its way out, as it always did.
        for _ in range(3):
            self.assert_result(self.call("handler", "Jane"), "Hello Jane")
            self.do("handler", "leave", status=3)
            reply = self.call("handler", "John")
            if "error" in reply.json:  # It may have met the process that was leaving.
                self.assert_error(reply, "SystemExit", "exited with code 3")
                reply = self.call("handler", "John")
            self.assert_result(reply, "Hello John")
            self.assertEqual(reply.start, "cold")

    def test_data_and_calls_that_are_not_offered_yet_fail_at_once_saying_so(self):
        began = time.monotonic()
        for task in ("call_another", "read_data"):
            with self.subTest(task):
                self.assert_error(self.do("environment", task), "AlgorithmError", "not-offered-yet")
        self.assertLess(time.monotonic() - began, 3)

    @each()
    def test_the_memory_limit_is_told_as_one_and_the_next_call_works(self, name):
        self.assert_error(self.do(name, "eat"), "OutOfMemoryError", 512 << 20)
        self.assert_result(self.call(name, "Jane"), "Hello Jane")
