"""Idempotency keys: the same request sent twice runs once, is charged once, and is answered the same."""
import concurrent.futures
import time

from harness import DaemonCase


class Idempotency(DaemonCase):
    @classmethod
    def prepare(cls):
        cls.sleeps = cls.daemon.deploy("sleeps", cls.author, "--royalty", 5000)
        cls.raises = cls.daemon.deploy("raises", cls.author)

    def call_with(self, key, algorithm=None, body="x", user=None, **options):
        return self.daemon.call(
            algorithm or self.sleeps, body, user or self.caller, headers=[("Idempotency-Key", key)], **options)

    def records(self, user="caller"):
        return self.daemon.must("usage", "list", "--account", user, "--limit", 1000)["results"]

    def test_the_second_answer_is_the_first_and_costs_nothing(self):
        first = self.call_with("twice", body="0.05")
        records, balance = self.records(), self.daemon.balance("caller")
        second = self.call_with("twice", body="0.05")
        self.assertEqual(second.body, first.body)
        self.assertEqual(second.call_id, first.call_id)
        self.assertEqual(second.charge, first.charge)
        self.assertEqual((first.headers["X-Faasd-Replayed"], second.headers["X-Faasd-Replayed"]), (None, "true"))
        self.assertEqual(self.records(), records)
        self.assertEqual(self.daemon.balance("caller"), balance)
        self.daemon.audit()

    def test_each_form_of_answer_comes_back_as_it_was(self):
        forms = [("text/plain", "täxt".encode(), ""), ("application/json", b'{"a": [1, 2.50, null]}', ""),
                 ("application/octet-stream", bytes(range(256)), ""), ("application/json", b"[1]", "?output=raw"),
                 ("text/plain", b"t", "?output=raw&timing=true"), ("text/plain", b"v", "?output=void")]
        for place, (kind, body, query) in enumerate(forms):
            with self.subTest(kind=kind, query=query):
                key = f"form-{place}"
                first = self.call_with(key, self.echo, body, kind=kind, query=query)
                again = self.call_with(key, self.echo, body, kind=kind, query=query)
                while again.status == 409:  # the call that nobody waits for still runs
                    time.sleep(0.05)
                    again = self.call_with(key, self.echo, body, kind=kind, query=query)
                self.assertEqual((again.status, again.body), (first.status, first.body))
                self.assertEqual(again.headers["Content-Type"], first.headers["Content-Type"])
                self.assertEqual(again.headers["X-Faasd-Replayed"], "true")

    def test_a_failure_is_an_answer_too(self):
        first = self.call_with("failed", self.raises)
        second = self.call_with("failed", self.raises)
        self.assertEqual(second.body, first.body)
        self.assertEqual(second.headers["X-Faasd-Replayed"], "true")

    def test_another_request_under_the_same_key_is_refused(self):
        self.call_with("other", body="0")
        for reply in (self.call_with("other", body="0.01"), self.call_with("other", self.echo, "0"),
                      self.call_with("other", body="0", query="?timing=true")):
            self.assert_error(reply, "IdempotencyKeyError", "used for another request", status=422)

    def test_the_same_key_of_another_account_is_another_key(self):
        other = self.daemon.user("keyed", credits="100")
        mine, theirs = self.call_with("shared", body="0"), self.call_with("shared", body="0", user=other)
        self.assertNotEqual(mine.call_id, theirs.call_id)
        self.assertIsNone(theirs.headers["X-Faasd-Replayed"])

    def test_of_fifty_at_once_one_runs(self):
        records = len(self.records())
        with concurrent.futures.ThreadPoolExecutor(25) as pool:
            replies = list(pool.map(lambda _: self.call_with("crowd", body="0.3"), range(50)))
        ran = [reply for reply in replies if reply.status == 200]
        early = [reply for reply in replies if reply.status == 409]
        self.assertEqual(len(ran) + len(early), 50)
        self.assertTrue(early and ran, [reply.status for reply in replies])
        self.assertEqual({reply.call_id for reply in ran}, {ran[0].call_id})
        self.assertTrue(all(reply.headers["Retry-After"] == "1" for reply in early))
        self.assertEqual(len(self.records()), records + 1)

    def test_bad_keys_are_refused_with_the_limit(self):
        for key, ok in (("k" * 255, True), ("k" * 256, False), ("has space", False), ("", False)):
            with self.subTest(length=len(key)):
                reply = self.call_with(key, body="0")
                if ok:
                    self.assertEqual(reply.status, 200)
                else:
                    self.assert_error(reply, "SystemError", "Idempotency-Key", "255", status=400)

    def test_a_refused_call_leaves_its_key_free(self):
        poor = self.daemon.user("penniless", credits="0.001")
        self.assert_error(self.call_with("later", body="0", user=poor), "PaymentRequiredError")
        self.daemon.must("credit", "top-up", "penniless", "10", "--ref", "later-1")
        reply = self.call_with("later", body="0", user=poor)
        self.assertIsNone(reply.headers["X-Faasd-Replayed"])
        self.assertGreater(reply.charge, 0)

    def test_a_large_answer_is_computed_once_more_for_nothing_and_then_no_more(self):
        body = b"\0" * (1 << 20)
        rich = self.daemon.user("large", credits="10000")
        first = self.call_with("large", self.echo, body, user=rich, kind="application/octet-stream")
        balance = self.daemon.balance("large")
        second = self.call_with("large", self.echo, body, user=rich, kind="application/octet-stream")
        self.assertEqual(second.json["result"], first.json["result"])
        self.assertEqual(second.charge, 0)
        self.assertNotEqual(second.call_id, first.call_id)
        third = self.call_with("large", self.echo, body, user=rich, kind="application/octet-stream")
        self.assert_error(third, "IdempotencyKeyError", first.call_id, "too large to keep", status=410)
        self.assertEqual(self.daemon.balance("large"), balance)
        self.daemon.audit()

    def test_a_key_outlives_the_daemon(self):
        first = self.call_with("restart", body="0")
        self.daemon.kill9()
        self.daemon.wait_for_nothing()
        self.daemon.start()
        second = self.call_with("restart", body="0")
        self.assertEqual((second.body, second.headers["X-Faasd-Replayed"]), (first.body, "true"))
        self.daemon.audit()
