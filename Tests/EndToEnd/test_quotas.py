"""Quotas: each metric and scope at its limit, what a refusal says, and what administrators see."""
import threading
import time

from harness import DaemonCase

DAY, MONTH = "spend_day_microcredits", "spend_month_microcredits"
RATE, CONCURRENT, CPU = "requests_per_second", "concurrent_calls", "cpu_seconds_month"
CREDIT = 1_000_000


class QuotaCase(DaemonCase):
    def limit(self, scope, metric, value):
        document = self.daemon.must("quota", "set", scope, metric, value)
        self.assertEqual((document["scope"], document["metric"], document["limit"]), (scope, metric, value))

    def call(self, user, algorithm=None, body="x", **options):
        return self.daemon.call(algorithm or self.echo, body, user, **options)

    def outcomes(self, user, count, algorithm=None):
        """How many of so many calls ran, and the last refusal."""
        replies = [self.call(user, algorithm) for _ in range(count)]
        refused = [reply for reply in replies if "error" in reply.json]
        return count - len(refused), refused[-1] if refused else None

    def assert_refused(self, reply, status, error_type, metric, scope, limit):
        self.assert_error(reply, error_type, scope, status=status)
        error = reply.error
        self.assertEqual((error["limit"], error["scope"], error["metric"]), (limit, scope, metric), reply)
        self.assertIsInstance(error["value"], int)
        if status == 429:
            self.assertRegex(reply.headers["Retry-After"] or "missing", "^[1-9][0-9]*$")
        self.assertNotIn("X-Faasd-Charge-Microcredits", reply.headers)
        self.assertIsNone(self.daemon.usage(reply.call_id))


class Spend(QuotaCase):
    config = {"prices": {"compute_picocredits_per_microsecond": 0, "call_microcredits": CREDIT}}

    def test_a_cap_below_at_and_above_whole_calls_lets_as_many_run_as_it_pays_for(self):
        for number, (limit, runs) in enumerate(((0, 0), (1, 0), (CREDIT - 1, 0), (CREDIT, 1), (CREDIT + 1, 1),
                                                (2 * CREDIT - 1, 1), (2 * CREDIT, 2))):
            with self.subTest(limit):
                user = self.daemon.user(f"spender{number}")
                self.limit(f"account:{user.name}", DAY, limit)
                ran, refusal = self.outcomes(user, runs + 2)
                self.assertEqual(ran, runs)
                self.assert_refused(refusal, 200, "PaymentRequiredError", DAY, f"account:{user.name}", limit)

    def test_the_reset_of_a_day_is_the_next_midnight_utc_and_of_a_month_the_next_first(self):
        user = self.daemon.user("resetting")
        for metric in (DAY, MONTH):
            self.limit("account:resetting", metric, 0)
            reset = self.call(user).error["reset"]
            self.daemon.must("quota", "unset", "account:resetting", metric)
            moment = time.gmtime(reset)
            self.assertGreater(reset, time.time())
            self.assertEqual((moment.tm_hour, moment.tm_min, moment.tm_sec), (0, 0, 0))
            self.assertTrue(metric == DAY and reset - time.time() <= 86_400 or moment.tm_mday == 1, moment)

    def test_each_scope_limits_its_own_calls_and_no_others(self):
        first, second = self.daemon.user("first"), self.daemon.user("second")
        other = self.daemon.deploy("echo", self.author, name="other")
        cases = ((f"account:{first.name}", (first, self.echo), (second, self.echo)),
                 (f"key:{first.key_id}", (first, self.echo), (second, self.echo)),
                 ("algorithm:author/other", (second, other), (second, self.echo)),
                 ("account:first+algorithm:author/other", (first, other), (first, self.echo)))
        for scope, (limited, algorithm), (free, elsewhere) in cases:
            with self.subTest(scope):
                self.limit(scope, MONTH, 0)
                self.assert_refused(self.call(limited, algorithm), 200, "PaymentRequiredError", MONTH, scope, 0)
                self.assert_result(self.call(free, elsewhere), "x")
                self.daemon.must("quota", "unset", scope, MONTH)
                self.assert_result(self.call(limited, algorithm), "x")

    def test_an_algorithms_quota_counts_the_calls_of_everybody(self):
        popular = self.daemon.deploy("echo", self.author, name="popular")
        self.limit("algorithm:author/popular", DAY, 2 * CREDIT)
        ran = [self.call(user, popular) for user in (self.caller, self.author, self.caller)]
        self.assertEqual(["result" in reply.json for reply in ran], [True, True, False])

    def test_a_quota_survives_a_restart_with_what_is_used_of_it(self):
        user = self.daemon.user("patient")
        self.limit("account:patient", DAY, 2 * CREDIT)
        self.assert_result(self.call(user), "x")
        self.daemon.stop()
        self.daemon.start()
        self.assertEqual(self.outcomes(user, 3)[0], 1)

    def test_a_quota_that_is_unset_limits_no_more(self):
        user = self.daemon.user("freed")
        self.limit("account:freed", DAY, 0)
        self.assertEqual(self.outcomes(user, 1)[0], 0)
        removed = self.daemon.must("quota", "unset", "account:freed", DAY)
        self.assertEqual(removed, {"scope": "account:freed", "metric": DAY, "removed": True})
        self.assertEqual(self.outcomes(user, 1)[0], 1)
        self.assertEqual(self.daemon.must("quota", "list", "--scope", "account:freed")["results"], [])

    def test_a_quota_names_its_account_without_regard_to_case_as_accounts_do(self):
        user = self.daemon.user("Mixed")
        printed = self.daemon.ctl("quota", "set", "account:mixed", DAY, 0)
        if printed.code == 0:
            self.assertIn("error", self.call(user).json, "the quota was accepted and does not limit")

    def test_explain_names_the_limit_that_binds(self):
        user = self.daemon.user("curious")
        self.limit("account:curious", DAY, 5 * CREDIT)
        self.limit("algorithm:author/echo", DAY, 1000 * CREDIT)
        self.call(user)
        document = self.daemon.must("quota", "explain", "curious", "--algorithm", "author/echo")
        by_metric = {row["metric"]: row for row in document["results"]}
        binding = by_metric[DAY]["binding"]
        self.assertEqual((binding["scope"], binding["limit"], binding["used"]), ("account:curious", 5 * CREDIT, CREDIT))
        self.assertEqual(len(by_metric[DAY]["chain"]), 2)
        self.assertIsNone(by_metric[CPU]["binding"])
        self.assertEqual(by_metric[CONCURRENT]["binding"]["limit"], 80)
        self.daemon.must("quota", "unset", "algorithm:author/echo", DAY)

    def test_the_audit_agrees_with_the_counters(self):
        user = self.daemon.user("counted")
        self.limit("account:counted", DAY, 3 * CREDIT)
        self.outcomes(user, 5)
        checks = {check["name"]: check for check in self.daemon.audit()["checks"]}
        self.assertGreater(next(check["examined"] for name, check in checks.items() if "quota" in name), 0)


class RateAndConcurrency(QuotaCase):
    @classmethod
    def prepare(cls):
        cls.sleeps = cls.daemon.deploy("sleeps", cls.author)
        cls.spins = cls.daemon.deploy("spins", cls.author)

    def test_the_call_above_the_rate_is_429_and_the_next_second_lets_one_through(self):
        user = self.daemon.user("hasty")
        self.call(user)
        self.limit("account:hasty", RATE, 2)
        replies = [self.call(user) for _ in range(6)]
        refused = [reply for reply in replies if reply.status != 200]
        self.assertGreaterEqual(len(refused), 2)
        self.assert_refused(refused[0], 429, "QuotaExceededError", RATE, "account:hasty", 2)
        time.sleep(int(refused[0].headers["Retry-After"]))
        self.assert_result(self.call(user), "x")

    def test_a_rate_of_zero_forbids(self):
        user = self.daemon.user("stopped")
        self.limit("account:stopped", RATE, 0)
        reply = self.call(user)
        self.assertEqual((reply.status, reply.error["error_type"]), (429, "QuotaExceededError"), reply)

    def hold_the_seat(self, user, seconds):
        replies = []
        thread = threading.Thread(target=lambda: replies.append(self.call(user, self.sleeps, str(seconds))))
        thread.start()
        time.sleep(0.5)
        return thread, replies

    def test_the_second_of_two_calls_waits_for_the_only_seat_and_runs_when_it_is_free(self):
        user = self.daemon.user("patient")
        self.limit("account:patient", CONCURRENT, 1)
        thread, replies = self.hold_the_seat(user, 2)
        began = time.monotonic()
        second = self.call(user)
        waited = time.monotonic() - began
        thread.join()
        self.assert_result(second, "x")
        self.assert_result(replies[0], "slept")
        self.assertGreater(waited, 1)
        self.assertLess(waited, 4)
        self.assertGreater(int(second.headers["X-Faasd-Queue-Us"]), 1_000_000)
        self.assertLess(second.charge, 500_000, "waiting was charged")

    def test_the_second_call_is_429_within_6_seconds_when_no_seat_becomes_free(self):
        user = self.daemon.user("unlucky")
        self.limit("account:unlucky", CONCURRENT, 1)
        thread, replies = self.hold_the_seat(user, 7)
        began = time.monotonic()
        second = self.call(user)
        self.assertLess(time.monotonic() - began, 6)
        self.assert_refused(second, 429, "QuotaExceededError", CONCURRENT, "account:unlucky", 1)
        thread.join()
        self.assert_result(replies[0], "slept")
        self.assert_result(self.call(user), "x")

    def test_a_waiting_call_does_not_outlast_its_own_timeout(self):
        user = self.daemon.user("brief")
        self.limit("account:brief", CONCURRENT, 1)
        thread, _ = self.hold_the_seat(user, 3)
        began = time.monotonic()
        second = self.call(user, query="?timeout=1")
        self.assertLess(time.monotonic() - began, 2)
        self.assertIn("error", second.json)
        thread.join()

    def test_cpu_seconds_are_counted_and_the_call_that_would_pass_the_limit_is_429(self):
        user = self.daemon.user("busy")
        self.limit("account:busy", CPU, 1)
        first = self.call(user, self.spins, query="?timeout=1")
        self.assertIn(first.error["error_type"], ("TimeoutError", "PaymentRequiredError"), first)
        used = self.daemon.usage(first.call_id)["cpu_us"]
        self.assertGreater(used, 100_000)
        for _ in range(40):
            last = self.call(user, self.spins, query="?timeout=1")
            if last.status == 429:
                break
        self.assert_refused(last, 429, "QuotaExceededError", CPU, "account:busy", 1)
        self.assertIsInstance(last.error["reset"], int)
        self.assertGreater(int(last.headers["Retry-After"]), 0)
        self.daemon.audit()

    def test_a_quota_of_nonsense_is_a_wrong_command_line(self):
        for arguments in (("account:a b", RATE, 1), ("planet:mars", RATE, 1), ("account:caller", "warp_factor", 1),
                          ("account:caller", RATE, "-1"), ("account:caller", RATE, "1.5"), ("account:caller", RATE, 1 << 53),
                          ("algorithm:caller", RATE, 1), ("account:", RATE, 1), ("account:a+account:b", RATE, 1)):
            with self.subTest(arguments):
                self.assertEqual(self.daemon.ctl("quota", "set", *arguments).code, 64)

    def test_a_quota_of_nonsense_is_400_over_http(self):
        for scope, metric, limit in (("planet:mars", RATE, 1), ("account:caller", "warp", 1), ("account:caller", RATE, -1),
                                     ("account:caller", RATE, 1 << 60), ("account:caller", RATE, "ten")):
            with self.subTest((scope, metric, limit)):
                reply = self.daemon.manage("PUT", "/v1/manage/quotas", {"scope": scope, "metric": metric, "limit": limit})
                self.assertEqual(reply.status, 400, reply)
                self.assertIn("message", reply.error)
