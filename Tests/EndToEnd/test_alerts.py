"""When an answer says that credit runs low: Ruby's and Rust's clients read `metadata.alerts`."""
from harness import DaemonCase

LOW = 5_000


class DefaultAlerts(DaemonCase):
    def test_below_10_credits_every_answer_of_a_call_has_one_alert_in_words(self):
        raises = self.daemon.deploy("raises", self.author)
        poor = self.daemon.user("poor", credits="10")
        for algorithm in (self.echo, raises):
            reply = self.daemon.call(algorithm, "x", poor)
            (alert,) = reply.metadata["alerts"]
            left = int(reply.headers["X-Faasd-Credit-Remaining-Microcredits"])
            self.assertLess(left, 10_000_000)
            self.assertIn("credit", alert)
            self.assertIn(f"{left // 1_000_000}.", alert)

    def test_with_more_there_is_none(self):
        self.assertNotIn("alerts", self.daemon.call(self.echo, "x", self.caller).metadata)

    def test_raw_and_void_answers_have_no_place_for_it(self):
        poor = self.daemon.user("poorer", credits="9")
        self.assertEqual(self.daemon.call(self.echo, "x", poor, query="?output=raw").body, b"x")
        void = self.daemon.call(self.echo, "x", poor, query="?output=void")
        self.assertEqual(list(void.json), ["async", "request_id"])


class AlertBound(DaemonCase):
    """Calls of one microcredit each, so that the credit left is known."""

    config = {"low_credit_microcredits": LOW,
              "prices": {"compute_picocredits_per_microsecond": 0, "call_microcredits": 1}}

    def test_the_alert_begins_one_microcredit_below_the_bound(self):
        user = self.daemon.user("saver", credits=f"0.{LOW + 2:06}")
        for left, expected in ((LOW + 1, False), (LOW, False), (LOW - 1, True)):
            reply = self.daemon.call(self.echo, "x", user)
            with self.subTest(left):
                self.assertEqual(int(reply.headers["X-Faasd-Credit-Remaining-Microcredits"]), left)
                self.assertEqual("alerts" in reply.metadata, expected, reply)
        self.daemon.must("credit", "top-up", "saver", "1", "--ref", "again")
        self.assertNotIn("alerts", self.daemon.call(self.echo, "x", user).metadata)


class NoAlerts(DaemonCase):
    config = {"low_credit_microcredits": 0,
              "prices": {"compute_picocredits_per_microsecond": 0, "call_microcredits": 1}}

    def test_a_bound_of_zero_is_none(self):
        user = self.daemon.user("spender", credits="0.000002")
        for left in ("1", "0"):
            reply = self.daemon.call(self.echo, "x", user)
            self.assertEqual(reply.headers["X-Faasd-Credit-Remaining-Microcredits"], left)
            self.assertNotIn("alerts", reply.metadata)
        self.assert_error(self.daemon.call(self.echo, "x", user), "PaymentRequiredError")
