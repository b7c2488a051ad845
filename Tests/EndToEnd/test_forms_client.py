"""Every form of a call that the official Python client can express: a row each."""
import math

from archives import archive
from harness import DaemonCase
from host import import_algorithmia

DESCRIBE = b"def apply(value):\n    return f'{type(value).__name__} {value!r}'\n"
INPUTS = (
    ("Jane", "str 'Jane'"), ("", "str ''"), ("null", "str 'null'"), ("Grüße 😀\n\0", "str 'Grüße 😀\\n\\x00'"),
    (None, "NoneType None"), (True, "bool True"), (False, "bool False"), (0, "int 0"), (10**30, f"int {10**30}"),
    (-2.5e-9, "float -2.5e-09"), ([], "list []"), ([1, "é", None], "list [1, 'é', None]"), ({}, "dict {}"),
    ({"a": {"b": [True]}}, "dict {'a': {'b': [True]}}"), ({"error": None}, "dict {'error': None}"),
    ({"a": math.nan}, "dict {'a': nan}"), ([math.inf, -math.inf], "list [inf, -inf]"), (math.nan, "float nan"),
    (b"", "bytes b''"), (b"\0\xff\n", "bytes b'\\x00\\xff\\n'"), (bytearray(b"ab"), "bytes b'ab'"),
)


class ClientForms(DaemonCase):
    @classmethod
    def prepare(cls):
        cls.library = import_algorithmia()
        cls.output = __import__("Algorithmia.algorithm").algorithm.OutputType
        cls.daemon.post_archive("author/describe", archive({"main.py": DESCRIBE}))
        for fixture in ("talks", "sleeps", "raises"):
            cls.daemon.deploy(fixture, cls.author)
        (version,) = cls.daemon.must("algo", "show", cls.echo)["versions"]
        cls.hash = version["hash"]

    def client(self, key, **options):
        return self.library.client(key, f"http://127.0.0.1:{self.daemon.port}", **options)

    def algo(self, name, user=None, **options):
        found = self.client((user or self.caller).key).algo(name)
        return found.set_options(**options) if options else found

    def pipe_error(self, algo, value="x", kind=None):
        with self.assertRaises(kind or self.library.errors.AlgorithmException) as caught:
            algo.pipe(value)
        return caught.exception

    def test_every_input_arrives_as_the_value_it_was(self):
        for value, described in INPUTS:
            with self.subTest(value=value):
                self.assertEqual(self.algo("author/describe").pipe(value).result, described)

    def test_every_way_to_write_the_reference_reaches_the_algorithm(self):
        for start in ("", "/", "algo://"):
            for end in ("", "/", "/latest", "/0.1.0", "/0.1", "/0.1.x", "/0.1.*", "/0", "/0.x", "/0.*", "/0.1.0/",
                        f"/{self.hash}", f"/{self.hash}/", "?timeout=9"):
                with self.subTest(start + self.echo + end):
                    self.assertEqual(self.algo(start + self.echo + end).pipe("Jane").result, "Jane")

    def test_options_that_mean_nothing_here_are_ignored(self):
        for options in ({"foo": "bar"}, {"a b": "c&d=é"}, {"foo": None}, {"foo": [1, 2]}, {"foo": ""}, {"0": 1.5}, {}):
            with self.subTest(options):
                answer = self.algo(self.echo, timeout=60, **options).pipe("Jane")
                self.assertEqual((answer.result, answer.metadata.content_type), ("Jane", "text"))

    def test_the_default_options_are_those_of_no_options(self):
        plain = self.algo(self.echo).pipe("x").metadata
        default = self.client(self.caller.key).algo(self.echo).set_options().pipe("x").metadata
        explicit = self.algo(self.echo, output=self.output.default).pipe("x").metadata
        self.assertEqual(set(plain.full_metadata), {"content_type", "duration", "request_id"})
        for other in (default, explicit):
            self.assertEqual(set(other.full_metadata), set(plain.full_metadata))

    def test_the_timeout_holds(self):
        error = self.pipe_error(self.algo("author/sleeps", timeout=1), "60")
        self.assertEqual(error.error_type, "TimeoutError")
        self.assertEqual(self.algo("author/sleeps", timeout=9).pipe("0.01").result, "slept")

    def test_stdout_is_there_when_the_owner_asks_and_else_not(self):
        for user, options, expected in ((self.author, {"stdout": True}, True), (self.author, {"stdout": False}, False),
                                        (self.author, {}, False), (self.caller, {"stdout": True}, False)):
            with self.subTest(user=user.name, **options):
                printed = self.algo("author/talks", user, **options).pipe("x").metadata.stdout
                self.assertEqual("said x" in (printed or ""), expected)
                self.assertEqual(printed is not None, expected)

    def test_timing_is_there_when_it_is_asked_for(self):
        timing = self.algo(self.echo, timing=True).pipe("x").metadata.full_metadata["timing"]
        self.assertEqual(set(timing), {"running", "total"})
        self.assertGreaterEqual(timing["total"], timing["running"])
        self.assertGreater(timing["running"], 0)

    def test_raw_output_is_the_bare_value(self):
        for value, expected in (("Jane", "Jane"), ({"a": [1, None]}, '{"a":[1,null]}'), (None, "null"), (True, "true"),
                                (b"abc", "abc")):
            with self.subTest(value=value):
                answer = self.algo(self.echo, output=self.output.raw).pipe(value)
                self.assertEqual(answer if isinstance(answer, str) else answer.decode(), expected)

    def test_a_raw_failure_is_the_status_400_and_nothing_else(self):
        for name in ("author/raises", "author/nothing"):
            error = self.pipe_error(self.algo(name, output=self.output.raw), kind=Exception)
            self.assertIn("Non-Algorithm related Failure: <Response [400]>", str(error))

    def test_a_void_call_answers_with_its_id(self):
        for name in (self.echo, "author/raises"):
            with self.subTest(name):
                answer = self.algo(name, output=self.output.void).pipe("x")
                self.assertEqual(answer.async_protocol, "void")
                self.assertRegex(answer.request_id, "^[0-9a-f-]{36}$")

    def test_credentials_are_taken_in_the_forms_the_client_has(self):
        for client in (self.client(self.caller.key), self.client(None, bearer_token=self.caller.key),
                       self.client("Simple " + self.caller.key)):
            self.assertEqual(client.algo(self.echo).pipe("x").result, "x")

    def test_a_bad_key_and_no_key_are_told_in_every_form_of_output(self):
        for key, message in (("sim" + "x" * 25, "Unknown or invalid API key."), (None, "authorization required")):
            with self.subTest(message):
                algo = self.client(key).algo(self.echo)
                self.assertEqual(self.pipe_error(algo).message, message)
                self.assertEqual(self.pipe_error(algo).error_type, "AuthorizationError")
                void = algo.set_options(output=self.output.void)
                self.assertIn(message, str(self.pipe_error(void, kind=self.library.errors.ApiError)))
                raw = algo.set_options(output=self.output.raw)
                self.assertIn("<Response [400]>", str(self.pipe_error(raw, kind=Exception)))

    def test_what_the_client_would_hide_is_a_200(self):
        for name in ("author/nothing", "nobody/echo", self.echo + "/9.9.9", self.echo + "/nonsense"):
            with self.subTest(name):
                error = self.pipe_error(self.algo(name))
                self.assertEqual((error.message, error.error_type),
                                 (f"algorithm algo://{name} not found", "EntityNotFoundError"))

    def test_one_client_calls_on_one_connection_whatever_came_before(self):
        client = self.client(self.caller.key)
        for _ in range(3):
            self.assertEqual(client.algo(self.echo).pipe("x").result, "x")
            self.pipe_error(client.algo("author/raises"))
            client.algo(self.echo).set_options(output=self.output.void).pipe("x")
            self.pipe_error(client.algo("author/nothing"))
