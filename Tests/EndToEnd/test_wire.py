"""Statuses, bodies and headers of algorithm calls: contract 2.2, row by row."""
import os
import re
import shutil

from harness import DaemonCase
from wire import ask, connection, send

INTEGERS = ("Price-Version", "Queue-Us", "Load-Us", "Run-Us", "Wall-Us", "Cpu-Us", "Charge-Microcredits",
            "Royalty-Microcredits", "Credit-Remaining-Microcredits")


class CallAnswers(DaemonCase):
    @classmethod
    def prepare(cls):
        for fixture in ("raises", "spins", "eats_memory", "talks", "sleeps"):
            cls.daemon.deploy(fixture, cls.author, *(["--memory", 64] if fixture == "eats_memory" else []))
        cls.daemon.deploy("echo", cls.author, name="hidden", public=False)

    def call(self, algorithm=None, body="x", user=None, **options):
        return self.daemon.call(algorithm or self.echo, body, user or self.caller, **options)

    def with_authorization(self, value):
        return self.daemon.call(self.echo, "x", headers={"Authorization": value})

    def assert_receipt(self, reply):
        for name in INTEGERS:
            self.assertRegex(reply.headers["X-Faasd-" + name] or "missing", r"^[0-9]+$", name)
        self.assertIn(reply.start, ("cold", "warm"))

    def test_success_is_200_with_result_metadata_and_receipt(self):
        reply = self.call()
        self.assertEqual(list(reply.json), ["result", "metadata"])
        self.assertEqual(reply.headers["Content-Type"], "application/json")
        self.assertEqual(set(reply.metadata), {"content_type", "duration", "request_id"})
        self.assert_receipt(reply)

    def test_a_failure_of_the_algorithm_is_200_with_error_metadata_and_receipt(self):
        reply = self.call("author/raises")
        self.assertEqual(list(reply.json), ["error", "metadata"])
        self.assert_error(reply, "AlgorithmError", "boom")
        self.assert_receipt(reply)
        self.assertIn("duration", reply.metadata)

    def test_one_id_names_a_call_in_header_metadata_and_usage(self):
        for algorithm in (self.echo, "author/raises"):
            with self.subTest(algorithm):
                reply = self.call(algorithm)
                self.assertEqual(reply.call_id, reply.metadata["request_id"])
                record = self.daemon.usage(reply.call_id)
                self.assertEqual((record["id"], record["account"]), (reply.call_id, "caller"))
                self.assertEqual(record["amount_microcredits"], reply.charge)
                listed = self.daemon.must("usage", "list", "--account", "caller", "--limit", 1)["results"][0]
                self.assertEqual(listed["id"], reply.call_id)

    def test_the_receipt_adds_up(self):
        before = self.daemon.balance("caller")["available_microcredits"]
        reply = self.call()
        self.assertEqual(int(reply.headers["X-Faasd-Credit-Remaining-Microcredits"]), before - reply.charge)
        parts = sum(int(reply.headers[f"X-Faasd-{part}-Us"]) for part in ("Queue", "Load", "Run"))
        self.assertAlmostEqual(int(reply.headers["X-Faasd-Wall-Us"]), parts, delta=2)

    def test_a_timeout_is_200_with_error(self):
        self.assert_error(self.call("author/spins", query="?timeout=1"), "TimeoutError", "1 second")

    def test_the_memory_limit_is_200_with_error(self):
        self.assert_error(self.call("author/eats_memory"), "OutOfMemoryError", 64 << 20)

    def test_an_unknown_algorithm_or_version_is_200_with_its_name(self):
        for name in ("author/nothing", "nobody/echo", "author/echo/9.9.9", "author/echo/" + "0" * 40, "author/echo/zz",
                     "author/e%2Fcho", "au..thor/echo", "author", "author/echo/0.1.0/x", "%00/%ff"):
            with self.subTest(name):
                reply = self.call(name)
                self.assertEqual(reply.status, 200, reply)
                self.assertRegex(reply.error["message"], "^algorithm algo://.* not found$")
                self.assertIn("error_type", reply.error)

    def test_a_private_algorithm_does_not_exist_for_strangers(self):
        hidden = self.call("author/hidden").error["message"]
        self.assertEqual(hidden, "algorithm algo://author/hidden not found")
        self.assert_result(self.call("author/hidden", user=self.author), "x")

    def test_a_missing_key_is_200_authorization_required(self):
        reply = self.daemon.call(self.echo, "x")
        self.assert_error(reply, "AuthorizationError", "authorization required")

    def test_a_wrong_key_is_200_with_authorization_error(self):
        for value in ("sim" + "a" * 25, "nonsense", "Simple", "Bearer a.b.c", "Basic dXNlcjpwYXNz", self.caller.key + "x",
                      self.caller.key[:-1], self.caller.key.upper(), self.caller.key_id):
            with self.subTest(value):
                self.assert_error(self.with_authorization(value), "AuthorizationError", "nvalid API key")

    def test_a_key_is_taken_in_all_its_forms(self):
        for form in ("{}", "Simple {}", "Bearer {}", "simple {}"):
            with self.subTest(form):
                self.assert_result(self.with_authorization(form.format(self.caller.key)), "x")

    def test_a_revoked_key_is_refused_at_once(self):
        key = self.daemon.key("caller", "algorithm")
        self.assert_result(self.with_authorization(key["key"]), "x")
        self.daemon.must("key", "revoke", key["id"])
        self.assert_error(self.with_authorization(key["key"]), "AuthorizationError")

    def test_management_and_admin_keys_may_not_call(self):
        for kind in ("management", "admin"):
            with self.subTest(kind):
                reply = self.with_authorization(self.daemon.key("caller", kind)["key"])
                self.assert_error(reply, "AuthorizationError", kind)

    def test_an_unknown_content_type_is_400_and_named(self):
        for kind in ("x/y", "application/xml", "multipart/form-data; boundary=a", "application/jsonx", "", " ", ";"):
            with self.subTest(kind):
                reply = self.call(kind=kind)
                named = kind.partition(";")[0].strip()
                self.assert_error(reply, "SystemError", f"unsupported Content-Type '{named}'", status=400)

    def test_every_known_content_type_is_taken(self):
        for kind, content in (("text/plain", "text"), ("text/plain; charset=utf-8", "text"), ("application/text", "text"),
                              ("TEXT/PLAIN", "text"), ("application/json;charset=UTF-8", "json"),
                              ("application/octet-stream", "binary")):
            with self.subTest(kind):
                self.assertEqual(self.call(body="1", kind=kind).metadata["content_type"], content)

    def test_a_timeout_from_1_to_3000_is_taken(self):
        for value in (1, 2, 3000):
            with self.subTest(value):
                self.assert_result(self.call(query=f"?timeout={value}"), "x")

    def test_any_other_timeout_is_400_naming_value_and_limit(self):
        for value in ("0", "3001", "-1", "abc", "", "1.5", "1e3", "99999999999999999999", "%20%31"):
            with self.subTest(value):
                reply = self.call(query=f"?timeout={value}")
                self.assert_error(reply, "SystemError", "timeout is", 3000, status=400)

    def test_unknown_query_keys_are_ignored(self):
        self.assert_result(self.call(query="?timeout=60&stdout=True&foo=bar&sudo=true&timing&=&x=%zz"), "x")

    def test_flags_are_read_in_python_and_in_json_style(self):
        for value, asked in (("True", True), ("true", True), ("False", False), ("false", False)):
            with self.subTest(value):
                reply = self.call("author/talks", user=self.author, query=f"?stdout={value}")
                self.assertEqual("stdout" in reply.metadata, asked, reply)

    def test_stdout_is_for_the_owner_only(self):
        self.assertNotIn("stdout", self.call("author/talks", query="?stdout=true").metadata)
        self.assertIn("said x", self.call("author/talks", user=self.author, query="?stdout=true").metadata["stdout"])

    def test_raw_output_is_the_bare_value_with_its_own_content_type(self):
        for kind, body in (("text/plain; charset=utf-8", b"\xc3\xa9"), ("application/json", b'{"a":1}'),
                           ("application/octet-stream", b"\0\xff")):
            with self.subTest(kind):
                reply = self.call(body=body, kind=kind, query="?output=raw")
                self.assertEqual((reply.status, reply.headers["Content-Type"], reply.body), (200, kind, body))
                self.assert_receipt(reply)

    def test_a_raw_failure_is_400_with_the_same_body(self):
        for name, error_type in (("author/raises", "AlgorithmError"), ("author/nothing", "EntityNotFoundError")):
            with self.subTest(name):
                self.assert_error(self.call(name, query="?output=raw"), error_type, status=400)
        self.assert_error(self.daemon.call(self.echo, "x", query="?output=raw"), "AuthorizationError", status=400)

    def test_a_trailing_slash_changes_nothing(self):
        self.assert_result(self.call(self.echo + "/"), "x")
        self.assert_result(self.call(self.echo + "/0.1.0/"), "x")

    def test_names_are_compared_without_case(self):
        self.assert_result(self.call("AUTHOR/Echo"), "x")

    def test_methods_and_paths_that_do_not_exist_are_404_or_405(self):
        for method, path in (("GET", "/v1/algo/author/echo"), ("PUT", "/v1/algo/author/echo"), ("GET", "/"),
                             ("POST", "/v1/algo"),
                             ("GET", "/v1/manage/nothing"), ("DELETE", "/healthz"), ("GET", "/../../etc/passwd")):
            with self.subTest(f"{method} {path}"):
                reply = ask(self.daemon.port, method, path, headers={"Authorization": self.caller.key})
                self.assertIn(reply.status, (404, 405), reply)
                self.assertNotIn(b"root:", reply.body)

    def test_one_connection_serves_many_calls_whatever_came_before(self):
        opened = connection(self.daemon.port)
        self.addCleanup(opened.close)
        fields = {"Authorization": self.caller.key, "Content-Type": "text/plain"}
        for path, status in (("/v1/algo/author/echo", 200), ("/v1/nothing", 404), ("/v1/algo/author/raises", 200),
                             ("/v1/algo/author/echo?timeout=0", 400), ("/v1/algo/author/echo", 200)):
            self.assertEqual(send(opened, "POST", path, "x", fields).status, status, path)

    def test_ids_are_never_used_twice(self):
        ids = [self.call("author/nothing").call_id for _ in range(20)] + [self.call().call_id for _ in range(20)]
        self.assertEqual(len(set(ids)), 40)
        for call_id in ids:
            self.assertRegex(call_id, re.compile(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"))

    def test_a_call_that_was_not_let_in_is_neither_recorded_nor_charged(self):
        before = self.daemon.balance("caller")
        for reply in (self.call("author/nothing"), self.call(kind="x/y"), self.call(query="?timeout=0")):
            self.assertIsNone(self.daemon.usage(reply.call_id))
        self.assertEqual(self.daemon.balance("caller"), before)

    def test_a_failure_of_the_platform_is_500_free_and_recorded_as_one(self):
        store = self.daemon.state + "/store"
        before = set(os.listdir(store))
        lost = self.daemon.deploy("echo", self.author, name="lost")
        (folder,) = set(os.listdir(store)) - before
        shutil.rmtree(f"{store}/{folder}")
        reply = self.call(lost)
        self.assert_error(reply, "SystemError", "platform", status=500)
        self.assertNotIn(folder, reply.error["message"])
        record = self.daemon.usage(reply.call_id)
        self.assertEqual((record["outcome"], record["amount_microcredits"]), ("platform-fault", 0))
        self.assert_answers_at_once()

    def test_healthz_answers_without_a_key(self):
        self.assertEqual(ask(self.daemon.port, "GET", "/healthz").status, 200)
