"""Calls that nobody waits for, `output=void`: answered at once, charged once, told only when they are refused."""
import time

from harness import DaemonCase
from host import wait_until
from wire import connection, send

VOID = "?output=void"


class VoidCase(DaemonCase):
    @classmethod
    def prepare(cls):
        cls.sleeps = cls.daemon.deploy("sleeps", cls.author)

    def begin(self, algorithm, body="x", user=None, query=VOID):
        """The id of a call that was let in."""
        reply = self.daemon.call(algorithm, body, user or self.caller, query=query)
        self.assertEqual((reply.status, list(reply.json)), (200, ["async", "request_id"]), reply)
        self.assertEqual((reply.json["async"], reply.json["request_id"]), ("void", reply.call_id))
        return reply.call_id

    def record(self, call_id):
        return wait_until(lambda: self.daemon.usage(call_id), 10, f"call {call_id} is settled")

    def assert_charged_once(self, record, user, before):
        self.assertGreater(record["amount_microcredits"], 0)
        after = self.daemon.balance(user)
        self.assertEqual(after["held_microcredits"], 0)
        paid = before["available_microcredits"] - after["available_microcredits"]
        self.assertEqual(paid, record["amount_microcredits"])
        listed = self.daemon.must("usage", "list", "--account", user, "--limit", 1000)["results"]
        self.assertEqual([one["id"] for one in listed].count(record["id"]), 1)


class Void(VoidCase):
    def test_a_call_is_recorded_under_its_id_and_charged_once(self):
        royal = self.daemon.deploy("echo", self.author, "--royalty", 5000, name="royal")
        before = self.daemon.balance("caller")
        record = self.record(self.begin(royal))
        self.assert_charged_once(record, "caller", before)
        self.assertEqual((record["account"], record["outcome"]), ("caller", "ok"))
        self.assertGreaterEqual(record["amount_microcredits"], 5000)
        self.daemon.audit()

    def test_the_answer_does_not_wait_for_the_call_and_the_connection_is_free(self):
        opened = connection(self.daemon.port)
        self.addCleanup(opened.close)
        rich = self.daemon.user("rich", credits="10000")  # Each call holds 300 until it has ended.
        fields = {"Authorization": rich.key, "Content-Type": "text/plain"}
        began = time.monotonic()
        ids = [send(opened, "POST", f"/v1/algo/{self.sleeps}{VOID}", "2", fields).json["request_id"] for _ in range(3)]
        self.assert_result(send(opened, "POST", f"/v1/algo/{self.echo}", "x", fields), "x")
        self.assertLess(time.monotonic() - began, 1.5)
        for call_id in ids:
            self.assertIsNone(self.daemon.usage(call_id), "it ended before it can have slept")
        for call_id in ids:
            record = self.record(call_id)
            self.assertEqual(record["outcome"], "ok")
            self.assertGreaterEqual(record["amount_microcredits"], 2_000_000)

    def test_a_closed_connection_does_not_end_the_call(self):
        opened = connection(self.daemon.port)
        fields = {"Authorization": self.caller.key, "Content-Type": "text/plain"}
        call_id = send(opened, "POST", f"/v1/algo/{self.sleeps}{VOID}", "0.5", fields).json["request_id"]
        opened.close()
        self.assertEqual(self.record(call_id)["outcome"], "ok")

    def test_a_failure_is_recorded_and_free(self):
        raises, exits = (self.daemon.deploy(name, self.author) for name in ("raises", "exits"))
        before = self.daemon.balance("caller")
        for algorithm, outcome in ((raises, "algorithm-error"), (exits, "exit")):
            record = self.record(self.begin(algorithm, "3"))
            self.assertEqual((record["outcome"], record["amount_microcredits"]), (outcome, 0))
        self.assertEqual(self.daemon.balance("caller"), before)

    def test_its_timeout_holds(self):
        record = self.record(self.begin(self.sleeps, "60", query=VOID + "&timeout=1"))
        self.assertRegex(record["outcome"], "^timeout")

    def test_a_refusal_is_told_at_once_with_an_error(self):
        poor, stranger = self.daemon.user("poor", credits=None), self.caller._replace(key="sim" + "x" * 25)
        for algorithm, user, error_type in ((self.echo, poor, "PaymentRequiredError"),
                                            (self.echo, stranger, "AuthorizationError"),
                                            ("author/nothing", self.caller, "EntityNotFoundError"),
                                            (self.echo + "/9.9.9", self.caller, "EntityNotFoundError")):
            with self.subTest(error_type):
                self.assert_error(self.daemon.call(algorithm, "x", user, query=VOID), error_type)
        self.assert_error(self.daemon.call(self.echo, "x", query=VOID), "AuthorizationError", "authorization required")

    def test_what_a_program_must_act_on_has_its_own_status(self):
        hasty = self.daemon.user("hasty")
        for metric in ("requests_per_second", "concurrent_calls"):
            self.daemon.must("quota", "set", "account:hasty", metric, 0)
            reply = self.daemon.call(self.echo, "x", hasty, query=VOID)
            self.assert_error(reply, "QuotaExceededError", "account:hasty", status=429)
            self.assertEqual((reply.error["metric"], reply.error["limit"]), (metric, 0))
            self.daemon.must("quota", "unset", "account:hasty", metric)
        for body, kind, query, status in (("{", "application/json", "", 400), ("x", "x/y", "", 400),
                                          ("x", "text/plain", "&timeout=0", 400), (b"\xff", "text/plain", "", 400),
                                          ("x" * ((10 << 20) + 1), "text/plain", "", 413)):
            reply = self.daemon.call(self.echo, body, self.caller, kind=kind, query=VOID + query)
            self.assertEqual((reply.status, list(reply.json)), (status, ["error", "metadata"]), reply)

    def test_a_refused_call_is_neither_recorded_nor_charged(self):
        before = self.daemon.balance("caller")
        reply = self.daemon.call("author/nothing", "x", self.caller, query=VOID)
        self.assertIsNone(self.daemon.usage(reply.call_id))
        self.assertEqual(self.daemon.balance("caller"), before)

    def test_many_at_once_are_each_charged_once(self):
        crowd = self.daemon.user("crowd")
        before = self.daemon.balance("crowd")["available_microcredits"]
        ids = [self.begin(self.echo, "x", crowd) for _ in range(60)]
        amounts = [self.record(call_id)["amount_microcredits"] for call_id in ids]
        self.assertEqual(len(set(ids)), 60)
        after = self.daemon.balance("crowd")
        self.assertEqual(before - after["available_microcredits"], sum(amounts))
        self.assertEqual(after["held_microcredits"], 0)
        self.daemon.audit()


class VoidDrain(VoidCase):
    config = {"drain_seconds": 5}

    def setUp(self):
        if self.daemon.process is None:
            self.daemon.start()

    def test_a_call_that_runs_at_sigterm_is_finished_and_charged_before_the_daemon_ends(self):
        self.record(self.begin(self.sleeps, "0"))
        before = self.daemon.balance("caller")
        ids = [self.begin(self.sleeps, "1.5") for _ in range(2)]
        self.daemon.stop()
        rows = self.daemon.ledger("SELECT count(*) FROM usage JOIN account ON account.id = payer "
                                  "WHERE owner = 'caller'")
        self.assertEqual(rows, [(3,)])
        self.daemon.wait_for_nothing()
        self.daemon.start()
        records = [self.daemon.usage(call_id) for call_id in ids]
        for record in records:
            self.assertEqual(record["outcome"], "ok")
            self.assertGreaterEqual(record["amount_microcredits"], 1_500_000)
        after = self.daemon.balance("caller")
        self.assertEqual(before["available_microcredits"] - after["available_microcredits"],
                         sum(record["amount_microcredits"] for record in records))
        self.assertEqual(after["held_microcredits"], 0)
        self.daemon.audit()

    def test_a_call_that_outlasts_the_drain_is_ended_and_holds_nothing(self):
        call_id = self.begin(self.sleeps, "60", self.author)
        began = time.monotonic()
        self.daemon.stop()
        self.assertLess(time.monotonic() - began, 15)
        self.daemon.wait_for_nothing()
        self.daemon.start()
        self.assertIsNotNone(self.daemon.usage(call_id))
        self.assertEqual(self.daemon.balance("author")["held_microcredits"], 0)
        self.daemon.audit()
