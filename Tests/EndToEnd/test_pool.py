"""Workers for many: lines that are bounded and fair, seats for those who need them, and what is set for workers."""
import concurrent.futures
import os
import tempfile
import time

import boxes
from harness import DaemonCase, wait_until

ECHO = "def apply(value):\n    return value\n"
FIRST_CALLS = 1_000
VERSIONS = 200


class PoolCase(DaemonCase):
    @classmethod
    def prepare(cls):
        cls.sleeps = cls.daemon.deploy("sleeps", cls.author)
        # Each running or waiting call holds the price of its whole timeout.
        cls.daemon.must("credit", "top-up", "caller", 1_000_000, "--ref", "enough")

    def source(self, name, text=ECHO, *options):
        with tempfile.TemporaryDirectory(prefix="faasd-test-") as folder:
            with open(os.path.join(folder, f"{name}.py"), "w", encoding="ascii") as file:
                file.write(text)
            return self.daemon.deploy(folder, self.author, *options, name=name)

    def together(self, calls):
        """Calls at once, each a function; their replies in order."""
        with concurrent.futures.ThreadPoolExecutor(len(calls)) as pool:
            return [future.result() for future in [pool.submit(call) for call in calls]]

    def sleep(self, seconds, user=None, query="", algorithm=None):
        return lambda: self.daemon.call(algorithm or self.sleeps, str(seconds), user or self.caller, query=query)


class OneWorker(PoolCase):
    config = {"limits": {"workers": 1, "waiting_calls": 6, "waiting_calls_per_account": 4, "waiting_calls_per_version": 5}}

    def refusals(self, replies):
        self.assertEqual({reply.status for reply in replies}, {200, 429}, replies)
        refused = [reply for reply in replies if reply.status == 429]
        for reply in refused:
            self.assertEqual(reply.error["error_type"], "QueueFullError")
            self.assertRegex(reply.headers["Retry-After"], "^[1-9][0-9]*$")
            self.assertIn(f"try again in {reply.headers['Retry-After']} second", reply.error["message"])
            self.assertEqual(reply.charge, 0)
        return refused

    def test_an_accounts_line_is_bounded(self):
        refused = self.refusals(self.together([self.sleep(0.3)] * 8))
        self.assertEqual(len(refused), 3, "one runs, four wait")
        error = refused[0].error
        self.assertEqual((error["metric"], error["scope"], error["limit"]), ("waiting_calls", "account:caller", 4))

    def test_a_versions_line_is_bounded(self):
        other = self.daemon.user("other", "1000000")
        users = [self.caller] * 4 + [other] * 4
        refused = self.refusals(self.together([self.sleep(0.3, user) for user in users]))
        self.assertEqual(len(refused), 2, "one runs, five wait")
        self.assertIn("algorithm:author/sleeps", {reply.error["scope"] for reply in refused})

    def test_who_waits_is_told_the_place_and_the_time(self):
        replies = self.together([self.sleep(0.2)] * 4)
        places = sorted(int(reply.headers["X-Faasd-Queue-Position"]) for reply in replies)
        self.assertEqual(places, [0, 1, 2, 3])
        for reply in replies:
            place, waited = int(reply.headers["X-Faasd-Queue-Position"]), int(reply.headers["X-Faasd-Queue-Us"])
            self.assertGreaterEqual(waited, place * 150_000)

    def test_one_call_does_not_wait_behind_all_of_another_account(self):
        shared = self.source("shared1", "import time\ndef apply(value):\n    time.sleep(0.2)\n    return value\n", "--isolation", "shared")
        other = self.daemon.user("polite", "1000000")
        self.daemon.call(shared, "warm", self.caller)
        flood = [lambda: self.daemon.call(shared, "x", self.caller)] * 4

        def late():
            time.sleep(0.1)
            began = time.monotonic()
            return self.daemon.call(shared, "x", other), time.monotonic() - began

        reply, seconds = self.together([*flood, late])[-1]
        self.assertEqual(reply.result, "x")
        self.assertLess(seconds, 0.75, "behind the running one and one more, not behind all")

    def test_a_call_whose_time_is_over_in_the_line_is_told_so(self):
        replies = self.together([self.sleep(1.5), lambda: (time.sleep(0.3), self.sleep(0, query="?timeout=1")())[1]])
        self.assertEqual(replies[1].status, 429, replies[1])
        self.assertIn("within 1 second", replies[1].error["message"])


class ManyFirstCalls(PoolCase):
    config = {"limits": {"workers": 8, "waiting_calls": 700, "waiting_calls_per_account": 700, "waiting_calls_per_version": 700},
              "connections": FIRST_CALLS + 50}

    def test_a_thousand_at_once(self):
        self.daemon.must("quota", "set", "account:caller", "concurrent_calls", FIRST_CALLS)
        algorithm = self.source("rush")
        replies = self.together([lambda: self.daemon.call(algorithm, "x", self.caller, query="?timeout=60")] * FIRST_CALLS)
        served = [reply for reply in replies if reply.status == 200]
        self.assertEqual({reply.json.get("result") for reply in served}, {"x"})
        self.assertEqual({reply.status for reply in replies} - {200}, {429} & {reply.status for reply in replies})
        self.assertGreaterEqual(len(served), 700)
        self.assertLessEqual(sum(reply.how != "warm" for reply in served), 8 + 8, "as many starts as there are seats, about")
        wait_until(lambda: len(boxes.names(self.daemon.group)) <= 8, 10, "no more boxes than seats")
        self.daemon.audit()


class Rotation(PoolCase):
    config = {"limits": {"workers": 20, "workers_per_account": 20}}

    def test_two_hundred_versions_in_turn_with_room_for_twenty(self):
        names = [self.source("turn")]
        for _ in range(VERSIONS - 1):
            names.append(self.source("turn"))
        numbers = [version["version"] for version in self.daemon.must("algo", "show", names[0])["versions"]]
        self.assertEqual(len(numbers), VERSIONS)
        most = 0
        for _ in range(2):
            for number in numbers:
                reply = self.daemon.call(f"{names[0]}/{number}", number, self.caller)
                self.assertEqual(reply.json.get("result"), number, reply)
                most = max(most, len(boxes.names(self.daemon.group)))
        self.assertLessEqual(most, 20 + 2, "those that have just been retired may still be ending")
        self.daemon.audit()


class Terms(PoolCase):
    config = {"limits": {"workers": 3}}

    def set(self, algorithm, **quotas):
        for metric, limit in quotas.items():
            self.daemon.must("quota", "set", f"account:caller+algorithm:{algorithm}", metric, limit)

    def unset(self, algorithm, *metrics):
        for metric in metrics:
            self.daemon.must("quota", "unset", f"account:caller+algorithm:{algorithm}", metric)

    def test_workers_are_warm_before_the_first_call(self):
        algorithm = self.source("warm", "import time\ntime.sleep(0.5)\ndef apply(value):\n    return value\n")
        before = boxes.names(self.daemon.group)
        self.set(algorithm, workers_warm=2)
        wait_until(lambda: len(boxes.names(self.daemon.group) - before) >= 2, 25, "two workers are there")
        time.sleep(1.5)
        self.assertEqual([reply.how for reply in self.together([lambda: self.daemon.call(algorithm, "x", self.caller)] * 2)],
                         ["warm", "warm"])
        self.unset(algorithm, "workers_warm")

    def test_no_more_workers_than_may_be(self):
        self.set(self.sleeps, workers_max=1)
        time.sleep(11)
        began = time.monotonic()
        replies = self.together([self.sleep(0.5)] * 3)
        self.assertEqual({reply.json.get("result") for reply in replies}, {"slept"})
        self.assertGreaterEqual(time.monotonic() - began, 1.5)
        self.unset(self.sleeps, "workers_max")

    def test_a_reserved_place_is_free_however_many_others_call(self):
        algorithm = self.source("mine")
        self.set(algorithm, workers_reserved=1)
        time.sleep(11)
        other = self.daemon.user("greedy", "1000000")
        calls = [self.sleep(1.5, other)] * 5
        replies = self.together([*calls, lambda: (time.sleep(0.4), time.monotonic(), self.daemon.call(algorithm, "x", self.caller),
                                                  time.monotonic())[1:]])
        began, reply, ended = replies[-1]
        self.assertEqual(reply.result, "x")
        self.assertLess(ended - began, 0.8)
        self.unset(algorithm, "workers_reserved")

    def test_what_is_set_for_workers_is_set_for_an_account_and_an_algorithm(self):
        for scope, metric in (("account:caller", "workers_max"), ("algorithm:author/echo", "workers_warm"),
                              ("author:author", "workers_reserved")):
            printed = self.daemon.ctl("quota", "set", scope, metric, 1)
            self.assertNotEqual(printed.code, 0)
            self.assertIn("can have", printed.err + printed.out)
        scope = "account:caller+algorithm:author/echo"
        for limit, is_fine in ((0, True), (1_000, True), (1_001, False)):
            self.assertEqual(self.daemon.ctl("quota", "set", scope, "workers_max", limit).code == 0, is_fine, limit)
        self.daemon.must("quota", "unset", scope, "workers_max")
