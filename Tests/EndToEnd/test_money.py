"""What calls cost, who gets it, and that every microcredit is accounted for."""
import concurrent.futures
import json
import os
import sqlite3
import subprocess
import tempfile

from harness import DaemonCase
from host import BINARIES

AUTHOR_PAYABLE, PLATFORM_FEE, COMPUTE_REVENUE = 2, 3, 4
ONE_CREDIT_PER_CALL = {"prices": {"compute_picocredits_per_microsecond": 0, "call_microcredits": 1_000_000}}


class Prices(DaemonCase):
    """The standard price book: 1 credit per second by the millisecond, 30 % of royalties to the platform."""

    @classmethod
    def prepare(cls):
        cls.royal = cls.daemon.deploy("sleeps", cls.author, "--royalty", 5000, name="royal")
        cls.failing = cls.daemon.deploy("raises", cls.author, "--royalty", 5000)

    def earned(self, kind):
        return self.daemon.ledger("SELECT total(credits - debits) FROM account WHERE kind = ?", kind)[0][0]

    def test_compute_is_charged_by_the_millisecond_and_the_royalty_per_call(self):
        for seconds in ("0", "0.05", "0.3"):
            with self.subTest(seconds):
                reply = self.daemon.call(self.royal, seconds, self.caller)
                milliseconds = int(reply.headers["X-Faasd-Run-Us"]) // 1000 + 1
                self.assertEqual(int(reply.headers["X-Faasd-Royalty-Microcredits"]), 5000)
                self.assertIn(reply.charge - 5000, (milliseconds * 1000, milliseconds * 1000 - 1000))
                self.assertGreaterEqual(reply.charge - 5000, float(seconds) * 1_000_000)

    def test_the_author_gets_70_percent_of_the_royalty_and_the_platform_the_rest(self):
        before = [self.earned(kind) for kind in (AUTHOR_PAYABLE, PLATFORM_FEE, COMPUTE_REVENUE)]
        paid = self.daemon.balance("caller")["available_microcredits"]
        charge = sum(self.daemon.call(self.royal, "0", self.caller).charge for _ in range(3))
        after = [self.earned(kind) for kind in (AUTHOR_PAYABLE, PLATFORM_FEE, COMPUTE_REVENUE)]
        self.assertEqual([new - old for new, old in zip(after, before)], [3 * 3500, 3 * 1500, charge - 3 * 5000])
        self.assertEqual(self.daemon.balance("caller")["available_microcredits"], paid - charge)
        self.daemon.audit()

    def test_the_royalty_is_credited_to_the_author_of_the_algorithm(self):
        self.daemon.call(self.royal, "0", self.caller)
        owners = self.daemon.ledger("SELECT owner FROM account WHERE kind = ? AND credits > 0", AUTHOR_PAYABLE)
        self.assertEqual(owners, [("author",)])

    def test_failures_are_free(self):
        before = self.daemon.balance("caller")
        reply = self.daemon.call(self.failing, "x", self.caller)
        self.assertEqual((reply.charge, int(reply.headers["X-Faasd-Royalty-Microcredits"])), (0, 0))
        self.assertEqual(self.daemon.balance("caller"), before)

    def test_an_odd_royalty_is_divided_without_a_rest(self):
        before = [self.earned(kind) for kind in (AUTHOR_PAYABLE, PLATFORM_FEE)]
        odd = self.daemon.deploy("echo", self.author, "--royalty", 1, name="odd")
        for _ in range(3):
            self.assertEqual(int(self.daemon.call(odd, "x", self.caller).headers["X-Faasd-Royalty-Microcredits"]), 1)
        after = [self.earned(kind) for kind in (AUTHOR_PAYABLE, PLATFORM_FEE)]
        self.assertEqual(sum(after) - sum(before), 3)
        self.daemon.audit()

    def test_a_top_up_given_twice_counts_once(self):
        first = self.daemon.must("credit", "top-up", "caller", "12.5", "--ref", "invoice-1")
        again = self.daemon.must("credit", "top-up", "caller", "12.5", "--ref", "invoice-1")
        self.assertEqual(first, again)
        other = self.daemon.ctl("credit", "top-up", "caller", "13", "--ref", "invoice-1")
        self.assertEqual(other.code, 1, other)
        self.assertEqual(self.daemon.must("credit", "show", "caller"), again)

    def test_parallel_top_ups_with_one_reference_count_once(self):
        before = self.daemon.balance("caller")["available_microcredits"]
        body = {"credits": "1", "ref": "parallel"}
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            jobs = [pool.submit(self.daemon.manage, "POST", "/v1/manage/accounts/caller/top-ups", body) for _ in range(16)]
        self.assertEqual({job.result().status for job in jobs}, {201})
        self.assertEqual(self.daemon.balance("caller")["available_microcredits"], before + 1_000_000)

    def test_an_account_without_credit_runs_nothing(self):
        poor = self.daemon.user("poor", credits=None)
        reply = self.daemon.call(self.echo, "x", poor)
        self.assert_error(reply, "PaymentRequiredError", "account:poor")
        for figure in ("limit", "value", "scope"):
            self.assertIn(figure, reply.error)

    def test_credit_for_less_than_the_timeout_ends_the_call_when_it_is_used_up(self):
        modest = self.daemon.user("modest", credits="0.5")
        reply = self.daemon.call(self.royal, "30", modest)
        self.assert_error(reply, "PaymentRequiredError", "credit")
        self.assertEqual(self.daemon.usage(reply.call_id)["outcome"], "ceiling")
        balance = self.daemon.balance("modest")
        self.assertGreaterEqual(balance["available_microcredits"], 0)
        self.assertEqual(balance["available_microcredits"] + balance["spent_microcredits"], 500_000)
        self.assertEqual(balance["held_microcredits"], 0)


class OneCreditPerCall(DaemonCase):
    config = ONE_CREDIT_PER_CALL

    def run_200(self, user):
        """200 parallel calls: replies by whether they ran."""
        with concurrent.futures.ThreadPoolExecutor(200) as pool:
            jobs = [pool.submit(self.daemon.call, self.echo, "x", user) for _ in range(200)]
        replies = [job.result() for job in jobs]
        ran = [reply for reply in replies if reply.status == 200 and "result" in reply.json]
        return ran, [reply for reply in replies if reply not in ran]

    def assert_exactly_100(self, user, ran, refused):
        self.assertEqual((len(ran), len(refused)), (100, 100), refused[:3])
        self.assertEqual({reply.charge for reply in ran}, {1_000_000})
        for reply in refused:
            self.assert_error(reply, "PaymentRequiredError")
        rows = self.daemon.ledger("SELECT count(*), total(amount_ucr) FROM usage JOIN account ON account.id = payer "
                                  "WHERE owner = ?", user.name)
        self.assertEqual(rows, [(100, 100_000_000)])
        self.assertEqual(self.daemon.balance(user.name)["held_microcredits"], 0)
        self.daemon.audit()

    def test_of_200_parallel_calls_a_cap_of_100_credits_lets_exactly_100_run(self):
        capped = self.daemon.user("capped")
        self.daemon.must("quota", "set", "account:capped", "spend_day_microcredits", 100_000_000)
        ran, refused = self.run_200(capped)
        self.assert_exactly_100(capped, ran, refused)
        for reply in refused:
            error = reply.error
            self.assertEqual((error["limit"], error["scope"]), (100_000_000, "account:capped"), error)
            self.assertGreaterEqual(error["value"], 99_000_001)
            self.assertIsInstance(error["reset"], int)
            for figure in ("100", "account:capped", "spend_day_microcredits"):
                self.assertIn(figure, error["message"])

    def test_of_200_parallel_calls_a_balance_of_100_credits_lets_exactly_100_run(self):
        saver = self.daemon.user("saver", credits="100")
        ran, refused = self.run_200(saver)
        self.assert_exactly_100(saver, ran, refused)
        self.assertEqual(self.daemon.balance("saver"),
                         {"available_microcredits": 0, "held_microcredits": 0, "spent_microcredits": 100_000_000})
        for reply in refused:
            self.assertEqual(reply.error["scope"], "account:saver")


class Audit(DaemonCase):
    config = ONE_CREDIT_PER_CALL

    @classmethod
    def prepare(cls):
        cls.royal = cls.daemon.deploy("echo", cls.author, "--royalty", 5000, name="royal")
        for _ in range(5):
            cls.daemon.call(cls.royal, "x", cls.caller)

    def altered(self, *statements):
        """A copy of the ledger with something changed by hand."""
        folder = tempfile.TemporaryDirectory(prefix="faasd-test-")
        self.addCleanup(folder.cleanup)
        path = os.path.join(folder.name, "copy.db")
        self.daemon.ledger_copy(path)
        connection = sqlite3.connect(path)
        for statement in statements:
            connection.execute(statement)
        connection.commit()
        connection.close()
        return path

    def audits(self, path):
        """The copy, audited by both programs, which must agree."""
        by_tool = self.daemon.run_ctl("audit", "run", "--database", path, "--json")
        line = [os.path.join(BINARIES, "faasd"), "audit", "--database", path, "--json"]
        by_daemon = subprocess.run(line, capture_output=True, stdin=subprocess.DEVNULL)
        self.assertEqual((by_daemon.returncode, json.loads(by_daemon.stdout)), (by_tool.code, by_tool.document))
        self.assertEqual(set(by_tool.document), {"ok", "checks", "violations"})
        return by_tool

    def test_an_untouched_copy_is_clean(self):
        printed = self.audits(self.altered())
        self.assertEqual((printed.code, printed.document["ok"], printed.document["violations"]), (0, True, []))

    def test_one_balance_changed_by_hand_is_found(self):
        for column in ("debits", "credits"):
            with self.subTest(column):
                path = self.altered(f"UPDATE account SET {column} = {column} + 1 WHERE owner = 'caller' AND kind = 1")
                printed = self.audits(path)
                self.assertEqual((printed.code, printed.document["ok"]), (4, False))
                self.assertGreaterEqual(len(printed.document["violations"]), 1)

    def test_money_moved_between_two_balances_is_found(self):
        path = self.altered("UPDATE account SET credits = credits + 7 WHERE owner = 'caller' AND kind = 1",
                            "UPDATE account SET debits = debits + 7 WHERE kind = 5")
        self.assertEqual(self.audits(path).code, 4)

    def test_records_changed_by_hand_are_found(self):
        for table, change in (("usage", "UPDATE usage SET wall_us = wall_us + 1 WHERE seq = 2"),
                              ("transfer", "UPDATE transfer SET actor = 'other' WHERE id = 1"),
                              ("usage", "DELETE FROM usage WHERE seq = (SELECT max(seq) FROM usage)"),
                              ("admin_log", "UPDATE admin_log SET actor = 'other' WHERE id = 1")):
            with self.subTest(change):
                path = self.altered(f"DROP TRIGGER {table}_ro_u", f"DROP TRIGGER {table}_ro_d", change)
                self.assertEqual(self.audits(path).code, 4)

    def test_records_cannot_be_changed_by_mistake(self):
        for statement in ("UPDATE usage SET amount_ucr = 0", "DELETE FROM transfer", "DELETE FROM block"):
            with self.assertRaisesRegex(sqlite3.DatabaseError, "append-only"):
                self.altered(statement)

    def test_a_file_that_is_no_ledger_is_unreadable(self):
        for path in ("/nonexistent/ledger.db", os.path.abspath(__file__)):
            printed = self.daemon.run_ctl("audit", "run", "--database", path)
            self.assertEqual(printed.code, 3, printed)
            self.assertIn(path, printed.err)

    def test_a_live_database_may_be_audited_where_it_is(self):
        printed = self.daemon.run_ctl("audit", "run", "--database", self.daemon.state + "/ledger.db", "--json")
        self.assertEqual(printed.code, 0, printed)
        self.assert_answers_at_once()
