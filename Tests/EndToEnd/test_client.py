"""The official Python client, PyPI algorithmia 2.0.5, unmodified."""
import importlib.metadata
import time

from harness import DaemonCase
from host import import_algorithmia


class OfficialClient(DaemonCase):
    @classmethod
    def prepare(cls):
        cls.library = import_algorithmia()
        deploy = cls.daemon.deploy
        for fixture in ("raises", "sleeps", "talks"):
            deploy(fixture, cls.author)

    def algo(self, name, user=None, **options):
        key = (user or self.caller).key
        found = self.library.client(key, f"http://127.0.0.1:{self.daemon.port}").algo(name)
        return found.set_options(**options) if options else found

    def pipe_error(self, algo, value):
        with self.assertRaises(self.library.errors.AlgorithmException) as caught:
            algo.pipe(value)
        return caught.exception

    def test_the_client_is_the_published_one(self):
        self.assertEqual(importlib.metadata.version("algorithmia"), "2.0.5")

    def test_text_comes_back_as_text(self):
        answer = self.algo(self.echo).pipe("Grüße, 世界 \"'\\ \n\t\x01\x7f 😀")
        self.assertEqual(answer.result, "Grüße, 世界 \"'\\ \n\t\x01\x7f 😀")
        self.assertEqual(answer.metadata.content_type, "text")
        self.assertIsInstance(answer.metadata.duration, float)

    def test_json_comes_back_as_json(self):
        for value in ({"a": [1, 2.5, "é\u2028", None, True]}, [], 0, -1.5e-300, False, {"error": None}):
            with self.subTest(value=value):
                answer = self.algo(self.echo).pipe(value)
                self.assertEqual((answer.result, answer.metadata.content_type), (value, "json"))

    def test_none_is_sent_and_returned_as_null(self):
        self.assertIsNone(self.algo(self.echo).pipe(None).result)

    def test_binary_comes_back_as_the_same_bytes(self):
        value = bytes(range(256)) * 5
        answer = self.algo(self.echo).pipe(value)
        self.assertEqual((answer.result, answer.metadata.content_type), (value, "binary"))
        self.assertEqual(self.algo(self.echo).pipe(bytearray(value)).result, value)

    def test_raw_output_is_the_bare_value(self):
        from Algorithmia.algorithm import OutputType

        algo = self.algo(self.echo, output=OutputType.raw)
        self.assertEqual(algo.pipe("Jane"), "Jane")
        self.assertEqual(algo.pipe({"a": [1]}), '{"a":[1]}')

    def test_an_exception_arrives_with_message_and_stack_trace_at_the_owner(self):
        error = self.pipe_error(self.algo("author/raises", self.author), "x")
        self.assertEqual((error.message, error.error_type), ("boom", "AlgorithmError"))
        self.assertIn("Traceback (most recent call last)", error.stack_trace)
        self.assertIn('raises.py", line 2, in apply', error.stack_trace)
        self.assertIn("ValueError: boom", error.stack_trace)

    def test_another_caller_learns_the_message_but_not_the_code(self):
        error = self.pipe_error(self.algo("author/raises"), "x")
        self.assertEqual((error.message, error.error_type), ("boom", "AlgorithmError"))
        for secret in ("Traceback", "raises.py", "line 2", "ValueError"):
            self.assertNotIn(secret, error.stack_trace or "")

    def test_a_timeout_of_one_second_ends_a_sleeping_call_within_1_5_seconds(self):
        algo = self.algo("author/sleeps", timeout=1)
        for start in ("cold", "cold after a kill"):
            with self.subTest(start):
                began = time.monotonic()
                error = self.pipe_error(algo, "60")
                self.assertLess(time.monotonic() - began, 1.5)
                self.assertEqual(error.error_type, "TimeoutError")
                self.assertIn("1 second", error.message)

    def test_a_missing_key_is_told_in_the_words_the_official_test_expects(self):
        algo = self.library.client(None, f"http://127.0.0.1:{self.daemon.port}").algo(self.echo)
        self.assertEqual(self.pipe_error(algo, "x").message, "authorization required")

    def test_a_wrong_key_is_told_as_one(self):
        algo = self.library.client("sim" + "x" * 25, f"http://127.0.0.1:{self.daemon.port}").algo(self.echo)
        error = self.pipe_error(algo, "x")
        self.assertEqual((error.message, error.error_type), ("Unknown or invalid API key.", "AuthorizationError"))

    def test_an_unknown_algorithm_is_told_by_its_name(self):
        error = self.pipe_error(self.algo("author/whoopsWrongAlgo"), "x")
        self.assertEqual(error.message, "algorithm algo://author/whoopsWrongAlgo not found")

    def test_every_written_form_of_the_name_reaches_the_algorithm(self):
        for form in ("author/echo", "/author/echo", "algo://author/echo", "author/echo/", "author/echo/0.1.0",
                     "author/echo/0.1.x/", "author/echo/latest", "Author/Echo", "author/echo?timeout=10"):
            with self.subTest(form):
                self.assertEqual(self.algo(form).pipe("Jane").result, "Jane")

    def test_the_owner_gets_stdout_when_it_is_asked_for(self):
        self.assertEqual(self.algo("author/talks", self.author).pipe("x").metadata.stdout, None)
        printed = self.algo("author/talks", self.author, stdout=True).pipe("x").metadata.stdout
        self.assertIn("said x", printed)
        self.assertIn("warned x", printed)

    def test_another_caller_never_gets_stdout(self):
        self.assertIsNone(self.algo("author/talks", stdout=True).pipe("x").metadata.stdout)


class WarmWorkers(DaemonCase):
    """Which calls share a loaded copy of the code."""

    @classmethod
    def prepare(cls):
        deploy = cls.daemon.deploy
        cls.counters = {
            "caller": deploy("counter", cls.author),
            "call": deploy("counter", cls.author, "--isolation", "call", name="fresh"),
            "shared": deploy("counter", cls.author, "--isolation", "shared", name="common"),
        }

    def count(self, isolation, user):
        reply = self.daemon.call(self.counters[isolation], "x", user)
        self.assertEqual(reply.status, 200, reply)
        return reply.result, reply.start

    def test_a_second_call_of_one_account_finds_its_worker_warm_and_another_account_does_not(self):
        self.assertEqual(self.count("caller", self.caller), (1, "cold"))
        self.assertEqual(self.count("caller", self.caller), (2, "warm"))
        self.assertEqual(self.count("caller", self.author), (1, "cold"))
        self.assertEqual(self.count("caller", self.caller), (3, "warm"))

    def test_isolation_call_gives_every_call_a_worker_of_its_own(self):
        for _ in range(3):
            self.assertEqual(self.count("call", self.caller), (1, "cold"))

    def test_isolation_shared_lets_accounts_share_a_worker(self):
        self.assertEqual(self.count("shared", self.caller), (1, "cold"))
        self.assertEqual(self.count("shared", self.author), (2, "warm"))

    def test_two_keys_of_one_account_share_its_worker(self):
        algorithm = self.daemon.deploy("counter", self.author, name="keys")
        second = self.daemon.key("caller", "algorithm")["key"]
        first = self.daemon.call(algorithm, "x", self.caller)
        again = self.daemon.call(algorithm, "x", self.caller._replace(key=second))
        self.assertEqual((first.result, again.result), (1, 2))

    def test_a_new_version_is_called_without_its_number_and_never_served_by_the_old_worker(self):
        algorithm = self.daemon.deploy("counter", self.author, name="renewed")
        for _ in range(2):
            self.daemon.call(algorithm, "x", self.caller)
        self.daemon.deploy("echo", self.author, name="renewed")
        self.assert_result(self.daemon.call(algorithm, "x", self.caller), "x")
        self.assert_result(self.daemon.call(algorithm + "/0.1.0", "x", self.caller), 3)
