"""What administrators do with accounts and credit: grants, overdraft lines, corrections, refunds, freezing, closing, holds."""
import concurrent.futures
import datetime
import threading
import time
import unittest

from harness import Daemon, DaemonCase
from host import import_algorithmia, wait_until

OK, REFUSED, USAGE = 0, 1, 64
CREDIT = 1_000_000
ONE_CREDIT_PER_CALL = {"prices": {"compute_picocredits_per_microsecond": 0, "call_microcredits": CREDIT},
                       "limits": {"unpaid_cpu_seconds_author": 700},
                       "ledger": {"durable_hold_credits": 1, "idempotency_hours": 24, "kept_answer_bytes": 1024}}


def in_seconds(seconds):
    """A moment as RFC 3339."""
    moment = datetime.datetime.fromtimestamp(time.time() + seconds, datetime.timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class CreditCase(DaemonCase):
    config = ONE_CREDIT_PER_CALL

    def available(self, user):
        return self.daemon.balance(user.name)["available_microcredits"]

    def show(self, user):
        return self.daemon.must("account", "show", user.name)

    def assert_ran(self, user, algorithm=None):
        reply = self.daemon.call(algorithm or self.echo, "x", user)
        self.assertEqual((reply.status, reply.charge), (200, CREDIT), reply)
        return reply


class Accounts(CreditCase):
    def test_show_has_balance_line_state_revision_and_grants(self):
        user = self.daemon.user("shown", credits="5")
        self.daemon.must("credit", "grant", "shown", "2", "--ref", "gift", "--expires", "30d", "--priority", "3")
        document = self.show(user)
        wanted = {"account": "shown", "state": "open", "rev": 1, "available_microcredits": 7 * CREDIT, "held_microcredits": 0,
                  "spent_microcredits": 0, "own_microcredits": 5 * CREDIT, "overdraft_microcredits": 0, "running": 0}
        self.assertEqual({key: document[key] for key in wanted}, wanted)
        self.assertEqual(set(document), {*wanted, "created", "grants"})
        grant, = document["grants"]
        self.assertEqual((grant["ref"], grant["priority"], grant["given_microcredits"], grant["left_microcredits"],
                          grant["state"]), ("gift", 3, 2 * CREDIT, 2 * CREDIT, "usable"))
        end = datetime.datetime.fromisoformat(grant["expires"].replace("Z", "+00:00"))
        self.assertEqual((end.hour, end.minute, end.second), (0, 0, 0))
        self.assertGreater(end.timestamp(), time.time() + 30 * 86_400)
        self.assertLessEqual(end.timestamp(), time.time() + 31 * 86_400)
        printed = self.daemon.run_ctl("account", "show", "shown", "--socket", self.daemon.socket_path)
        for words in ("own credit      5 credits", "revision        1", "gift"):
            self.assertIn(words, printed.out)

    def test_names_are_in_any_case(self):
        self.daemon.user("Spelled")
        self.assertEqual(self.daemon.must("account", "show", "sPELLED")["account"], "Spelled")

    def test_list_is_by_name_by_pages_and_by_state(self):
        for name in ("zz1", "zz2", "zz3"):
            self.daemon.user(name, credits=None)
        self.daemon.must("account", "freeze", "zz2")
        names = [row["account"] for row in self.daemon.must("account", "list", "--after", "zz")["results"]]
        self.assertEqual(names, ["zz1", "zz2", "zz3"])
        page = self.daemon.must("account", "list", "--after", "zz1", "--limit", 1)["results"]
        self.assertEqual([(row["account"], row["state"]) for row in page], [("zz2", "frozen")])
        frozen = self.daemon.must("account", "list", "--state", "frozen", "--after", "zz")["results"]
        self.assertEqual([row["account"] for row in frozen], ["zz2"])
        self.assertNotIn("zz2", [row["account"] for row in self.daemon.must("account", "list", "--state", "open")["results"]])
        self.assertNotIn("grants", frozen[0])

    def test_a_frozen_account_s_call_is_answered_in_words_that_the_official_client_shows(self):
        library = import_algorithmia()
        user = self.daemon.user("icy")
        client = library.client(user.key, f"http://127.0.0.1:{self.daemon.port}")
        frozen = self.daemon.must("account", "freeze", "icy", "--reason", "card stolen")
        self.assertEqual((frozen["state"], frozen["rev"]), ("frozen", 2))
        self.assert_error(self.daemon.call(self.echo, "x", user), "AuthorizationError", "icy", "frozen")
        with self.assertRaises(library.errors.AlgorithmException) as caught:
            client.algo(self.echo).pipe("x")
        self.assertIn("Account icy is frozen", str(caught.exception))
        self.daemon.must("credit", "top-up", "icy", "1", "--ref", "icy-pays")
        self.assertEqual(self.daemon.must("account", "unfreeze", "icy")["state"], "open")
        self.assertEqual(client.algo(self.echo).pipe("x").result, "x")
        log = self.daemon.ledger("SELECT verb, after FROM admin_log WHERE subject = 'icy' AND verb LIKE 'account %freeze'")
        self.assertEqual(log, [("account freeze", "frozen, overdraft line 0: card stolen"),
                               ("account unfreeze", "open, overdraft line 0")])

    def test_a_closed_account_stays_closed_and_takes_nothing(self):
        user = self.daemon.user("leaver", credits="1")
        call = self.assert_ran(user)
        self.daemon.must("credit", "top-up", "leaver", "1", "--ref", "too-early")
        refused = self.daemon.ctl("account", "close", "leaver")
        self.assertEqual(refused.code, REFUSED)
        self.assertIn("leaver has 1 credits", refused.err)
        self.daemon.must("credit", "adjust", "leaver", "-1", "--reason", "paid out", "--ref", "out")
        self.assertEqual(self.daemon.must("account", "close", "leaver")["state"], "closed")
        self.assert_error(self.daemon.call(self.echo, "x", user), "AuthorizationError", "leaver", "closed")
        before = self.show(user)
        for arguments in (("account", "freeze", "leaver"), ("account", "unfreeze", "leaver"), ("account", "close", "leaver"),
                          ("account", "set-overdraft", "leaver", "1"), ("credit", "top-up", "leaver", "1", "--ref", "l1"),
                          ("credit", "grant", "leaver", "1", "--ref", "l2"),
                          ("credit", "adjust", "leaver", "1", "--reason", "r", "--ref", "l3"),
                          ("credit", "adjust", "leaver", "-1", "--reason", "r", "--ref", "l4"),
                          ("credit", "refund", call.call_id, "--reason", "r")):
            with self.subTest(arguments):
                printed = self.daemon.ctl(*arguments)
                self.assertEqual(printed.code, REFUSED, printed)
                self.assertIn("leaver", printed.err)
                self.assertIn("closed", printed.err)
        self.assertEqual(self.show(user), before)
        self.daemon.audit()

    def test_two_administrators_at_once_and_the_second_is_told(self):
        user = self.daemon.user("contested")
        rev = self.show(user)["rev"]
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            jobs = [pool.submit(self.daemon.ctl, "account", "set-overdraft", "contested", line, "--if-rev", rev)
                    for line in range(1, 9)]
        printed = [job.result() for job in jobs]
        done = [one for one in printed if one.code == OK]
        self.assertEqual(len(done), 1, printed)
        for one in printed:
            if one.code != OK:
                self.assertEqual((one.code, one.document["error"]["error_type"]), (REFUSED, "conflict"))
                self.assertIn(f"revision {rev + 1}, not {rev}", one.err)
        self.assertEqual(self.show(user)["overdraft_microcredits"], done[0].document["overdraft_microcredits"])

    def test_two_administrators_of_one_quota_at_once_and_the_second_is_told(self):
        self.daemon.user("limited")
        scope, metric = "account:limited", "concurrent_calls"
        first = self.daemon.must("quota", "set", scope, metric, 5, "--if-rev", 0)
        self.assertEqual(self.daemon.must("quota", "get", scope, metric)["results"], [first])
        late = self.daemon.ctl("quota", "set", scope, metric, 7, "--if-rev", 0)
        self.assertEqual(late.code, REFUSED)
        self.assertIn(f"revision {first['rev']}, not 0", late.err)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            jobs = [pool.submit(self.daemon.manage, "PUT", "/v1/manage/quotas",
                                {"scope": scope, "metric": metric, "limit": limit, "if_rev": first["rev"]})
                    for limit in range(10, 18)]
        statuses = sorted(job.result().status for job in jobs)
        self.assertEqual(statuses, [200] + [409] * 7)
        # Removed and set again, it is another quota: an old revision does not fit by chance.
        self.daemon.must("quota", "unset", scope, metric)
        again = self.daemon.must("quota", "set", scope, metric, 6)
        self.assertGreater(again["rev"], first["rev"])
        stale = self.daemon.ctl("quota", "unset", scope, metric, "--if-rev", first["rev"])
        self.assertEqual(stale.code, REFUSED)
        self.assertIn(f"revision {again['rev']}, not {first['rev']}", stale.err)
        self.daemon.must("quota", "unset", scope, metric, "--if-rev", again["rev"])


class Credit(CreditCase):
    @classmethod
    def prepare(cls):
        cls.royal = cls.daemon.deploy("echo", cls.author, "--royalty", 500_000, name="royal")
        cls.sleeps = cls.daemon.deploy("sleeps", cls.author, "--timeout", 30)

    def lots(self, user, *options):
        return self.daemon.must("credit", "lots", user.name, *options)["results"]

    def test_grants_are_used_before_own_credit_by_priority_and_end(self):
        user = self.daemon.user("gifted", credits="2")
        grants = (("late", 10, ["--expires", "20d"]), ("soon", 10, ["--expires", "10d"]), ("first", 0, []))
        for ref, priority, options in grants:
            self.daemon.must("credit", "grant", "gifted", "1", "--ref", ref, "--priority", priority, *options)
        self.assertEqual([lot["ref"] for lot in self.lots(user)], ["first", "soon", "late"])
        for left in (["soon", "late"], ["late"], []):
            self.assert_ran(user)
            self.assertEqual([lot["ref"] for lot in self.lots(user)], left)
            self.assertEqual(self.show(user)["own_microcredits"], 2 * CREDIT)
        self.assert_ran(user)
        self.assertEqual(self.show(user)["own_microcredits"], CREDIT)
        self.assertEqual([(lot["ref"], lot["state"]) for lot in self.lots(user, "--all")],
                         [("first", "used"), ("soon", "used"), ("late", "used")])
        self.daemon.audit()

    def test_a_grant_ends_at_its_time(self):
        user = self.daemon.user("brief", credits=None)
        granted = self.daemon.must("credit", "grant", "brief", "5", "--expires", in_seconds(3), "--ref", "brief")
        self.assertEqual(granted["balance"]["available_microcredits"], 5 * CREDIT)
        self.assert_ran(user)
        time.sleep(3.1)
        self.assertEqual(self.available(user), 0)
        self.assert_error(self.daemon.call(self.echo, "x", user), "PaymentRequiredError", "account:brief")
        self.assertEqual([lot["state"] for lot in self.lots(user, "--all")], ["ended"])
        self.assertEqual(self.lots(user), [])
        self.daemon.user("other")  # any commit sweeps what has ended
        self.assertEqual(self.daemon.ledger("SELECT amount FROM transfer WHERE code = 500 AND dr IN "
                                            "(SELECT id FROM account WHERE owner = 'brief')"), [(4 * CREDIT,)])
        self.assertEqual(self.daemon.balance("brief")["spent_microcredits"], CREDIT)
        self.daemon.audit()

    def test_the_same_grant_is_given_once_and_another_of_its_name_is_refused(self):
        user = self.daemon.user("twice", credits=None)
        grant = ("credit", "grant", "twice", "3", "--expires", "30d", "--ref", "once")
        self.assertEqual(self.daemon.must(*grant), self.daemon.must(*grant))
        for change in (("4", "--expires", "30d"), ("3",), ("3", "--expires", "31d"), ("3", "--expires", "30d", "--priority", "9")):
            with self.subTest(change):
                printed = self.daemon.ctl("credit", "grant", "twice", *change, "--ref", "once")
                self.assertEqual((printed.code, printed.document["error"]["error_type"]), (REFUSED, "conflict"), printed)
        self.assertEqual(self.available(user), 3 * CREDIT)

    def test_an_overdraft_line_is_spent_to_its_end(self):
        user = self.daemon.user("lender", credits=None)
        self.assert_error(self.daemon.call(self.echo, "x", user), "PaymentRequiredError")
        self.daemon.must("account", "set-overdraft", "lender", "2", "--reason", "pays monthly")
        for own in (-CREDIT, -2 * CREDIT):
            self.assert_ran(user)
            self.assertEqual(self.show(user)["own_microcredits"], own)
        self.assert_error(self.daemon.call(self.echo, "x", user), "PaymentRequiredError")
        refused = self.daemon.ctl("account", "set-overdraft", "lender", "1.999999")
        self.assertEqual(refused.code, REFUSED)
        self.assertIn("owes 2 credits", refused.err)
        self.daemon.must("credit", "top-up", "lender", "2", "--ref", "monthly")
        self.assertEqual(self.daemon.must("account", "set-overdraft", "lender", "0")["available_microcredits"], 0)
        self.daemon.audit()

    def test_corrections_go_up_and_down_once_and_never_half(self):
        user = self.daemon.user("corrected", credits="2")
        self.daemon.must("credit", "grant", "corrected", "3", "--ref", "corrected-gift")
        adjust = ("credit", "adjust", "corrected", "-4", "--reason", "paid twice", "--ref", "fix-1")
        self.assertEqual(self.daemon.must(*adjust), self.daemon.must(*adjust))
        self.assertEqual((self.available(user), self.show(user)["own_microcredits"]), (CREDIT, CREDIT))
        for credits in ("-3", "4", "-5"):
            printed = self.daemon.ctl("credit", "adjust", "corrected", credits, "--reason", "r", "--ref", "fix-1")
            self.assertEqual((printed.code, printed.document["error"]["error_type"]), (REFUSED, "conflict"), printed)
        printed = self.daemon.ctl("credit", "adjust", "corrected", "-1.000001", "--reason", "r", "--ref", "fix-2")
        self.assertEqual(printed.code, REFUSED)
        self.assertIn("has 1 credits that no call holds, less than 1.000001", printed.err)
        self.assertEqual(self.available(user), CREDIT)
        self.daemon.must("credit", "adjust", "corrected", "+0.5", "--reason", "made good", "--ref", "fix-3")
        self.assertEqual((self.available(user), self.daemon.balance("corrected")["spent_microcredits"]), (1_500_000, 0))
        self.daemon.audit()

    def test_a_refund_gives_everything_back_once_and_earnings_tell(self):
        writer = self.daemon.user("writer", credits=None)
        paid = self.daemon.deploy("echo", writer, "--royalty", 500_000, name="paid")
        user = self.daemon.user("refunded", credits="10")
        replies = [self.daemon.call(paid, "x", user) for _ in range(3)]
        self.assertEqual([reply.charge for reply in replies], [1_500_000] * 3)
        earned = {"account": "writer", "royalties_microcredits": 1_050_000, "refunded_microcredits": 0,
                  "earned_microcredits": 1_050_000}
        self.assertEqual(self.daemon.must("account", "earnings", "writer"), earned)
        refund = self.daemon.must("credit", "refund", replies[0].call_id, "--reason", "wrong model")
        self.assertEqual((refund["id"], refund["account"], refund["refunded_microcredits"]),
                         (replies[0].call_id, "refunded", 1_500_000))
        self.assertEqual(self.available(user), 7 * CREDIT)
        self.assertEqual(self.daemon.must("account", "earnings", "writer"),
                         {**earned, "refunded_microcredits": 350_000, "earned_microcredits": 700_000})
        again = self.daemon.ctl("credit", "refund", replies[0].call_id, "--reason", "again")
        self.assertEqual((again.code, again.document["error"]["error_type"]), (REFUSED, "conflict"))
        self.assertEqual(self.available(user), 7 * CREDIT)
        unknown = self.daemon.ctl("credit", "refund", "01a20848-7c4e-7b3f-8000-0123456789ab", "--reason", "r")
        self.assertEqual((unknown.code, unknown.document["error"]["error_type"]), (REFUSED, "notFound"))
        self.assertEqual(self.daemon.must("account", "earnings", "refunded")["royalties_microcredits"], 0)
        self.daemon.audit()

    def test_a_hold_on_disk_is_listed_while_its_call_runs_and_cannot_be_voided(self):
        user = self.daemon.user("holder", credits="10")
        replies = []
        thread = threading.Thread(target=lambda: replies.append(self.daemon.call(self.sleeps, "3", user)))
        thread.start()
        time.sleep(1.5)
        hold, = self.daemon.must("hold", "list")["results"]
        self.assertEqual((hold["account"], hold["algorithm"], hold["amount_microcredits"], hold["running"]),
                         ("holder", "author/sleeps", CREDIT, True))
        self.assertIn(hold["age_seconds"], (1, 2))
        self.assertEqual(self.show(user)["held_microcredits"], CREDIT)
        self.assertEqual(self.daemon.must("hold", "list", "--older", "10m")["results"], [])
        self.assertEqual(self.daemon.ctl("hold", "void", hold["invocation"], "--reason", "r").code, USAGE)
        taken = self.daemon.ctl("credit", "adjust", "holder", "-9.000001", "--reason", "r", "--ref", "from-under")
        self.assertEqual(taken.code, REFUSED, "credit was taken from under a running call")
        thread.join()
        self.assertEqual((replies[0].call_id, replies[0].charge), (hold["invocation"], CREDIT))
        self.assertEqual(self.daemon.must("hold", "list")["results"], [])
        self.daemon.audit()

    def test_an_author_s_unpaid_cpu_has_a_limit_of_its_own(self):
        explained = self.daemon.must("quota", "explain", "caller", "--algorithm", "author/echo")["results"]
        unpaid = next(row for row in explained if row["metric"] == "unpaid_cpu_seconds_day")
        self.assertEqual({link["scope"]: link["limit"] for link in unpaid["chain"]},
                         {"account:caller": 60, "author:author": 700, "account:caller+algorithm:author/echo": 60})
        set_ = self.daemon.must("quota", "set", "author:AUTHOR", "unpaid_cpu_seconds_day", 3600)
        self.assertEqual((set_["scope"], set_["limit"]), ("author:author", 3600))
        self.daemon.must("quota", "unset", "author:author", "unpaid_cpu_seconds_day")
        for scope, metric in (("author:author", "spend_day_microcredits"), ("algorithm:author/echo", "unpaid_cpu_seconds_day"),
                              (f"key:{self.caller.key_id}", "unpaid_cpu_seconds_day")):
            printed = self.daemon.ctl("quota", "set", scope, metric, 1)
            self.assertEqual((printed.code, printed.document["error"]["field"]), (REFUSED, "metric"), printed)
        self.assertEqual(self.daemon.ctl("quota", "set", "author:nobody", "unpaid_cpu_seconds_day", 1).code, REFUSED)


class Keys(CreditCase):
    """Owners see what is theirs; only administrators change it."""

    def test_owners_see_their_own_account_only(self):
        for path in ("accounts/caller", "accounts/caller/grants", "accounts/caller/earnings", "accounts/caller/balance"):
            with self.subTest(path):
                self.assertEqual(self.daemon.manage("GET", "/v1/manage/" + path, key=self.caller.key).status, 200)
                self.assertEqual(self.daemon.manage("GET", "/v1/manage/" + path, key=self.author.key).status, 403)
        for path in ("accounts", "holds"):
            self.assertEqual(self.daemon.manage("GET", "/v1/manage/" + path, key=self.caller.key).status, 403)

    def test_owners_change_nothing_not_even_what_is_theirs(self):
        before = self.show(self.caller)
        management = self.daemon.key("caller", "management")["key"]
        call = self.assert_ran(self.daemon.user("someone")).call_id
        for method, path, body in (("POST", "accounts/caller/freeze", {}), ("POST", "accounts/caller/unfreeze", {}),
                                   ("POST", "accounts/caller/close", {}),
                                   ("PUT", "accounts/caller/overdraft", {"credits": "9"}),
                                   ("POST", "accounts/caller/grants", {"credits": "9", "ref": "k1"}),
                                   ("POST", "accounts/caller/adjustments", {"credits": "9", "reason": "r", "ref": "k2"}),
                                   ("POST", f"usage/{call}/refund", {"reason": "r"})):
            for key in (self.caller.key, management):
                with self.subTest(path):
                    reply = self.daemon.manage(method, "/v1/manage/" + path, body, key)
                    self.assertEqual((reply.status, reply.json["error"]["error_type"]), (403, "AuthorizationError"))
        self.assertEqual(self.show(self.caller), before)


class Quiet(unittest.TestCase):
    def test_a_grant_ends_while_nobody_calls(self):
        daemon = Daemon()
        self.addCleanup(daemon.close)
        daemon.start()
        daemon.user("quiet", credits=None)
        daemon.must("credit", "grant", "quiet", "5", "--expires", in_seconds(1), "--ref", "gift")
        swept = "SELECT amount FROM transfer WHERE code = 500"
        wait_until(lambda: daemon.ledger(swept) == [(5 * CREDIT,)], 15, "the grant's rest is taken back")
        daemon.audit()
