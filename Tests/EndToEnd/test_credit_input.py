"""Bad input of the credit verbs: each value at its bounds and beyond is refused with its name, and nothing is done."""
import json

from harness import DaemonCase

OK, REFUSED, USAGE = 0, 1, 64
MAX = (1 << 53) - 1
MAX_CREDITS, OVER_MAX_CREDITS = "9007199254.740991", "9007199254.740992"
#: Never an amount of credits, whatever is asked for.
NO_CREDITS = (OVER_MAX_CREDITS, "0.0000001", "1.0000001", "1e3", "1E3", "1,5", "1.", ".5", "", " 1", "1 ", "١", "NaN",
              "inf", "0x10", "--1", "+-1", "9" * 40, 1, 1.5, -1, None, True, [], {}, ["1"])
NO_POSITIVE = (*NO_CREDITS, "0", "0.000000", "-1", "+1")
NO_LINE = (*NO_CREDITS, "-1", "+1", "-0")
NO_CORRECTION = (*NO_CREDITS, "0", "-0", "+0", "-" + OVER_MAX_CREDITS)
NO_REVISION = (-1, MAX + 1, 1.5, 1e300, "1", "", None, True, [], {})
NO_PRIORITY = (-1, 100, 0.5, 1e300, "1", "", None, True, [], {}, 1 << 63)
NO_REF = ("", "r" * 256, "é" * 128, None, 1, [], {})
NO_REASON = ("", "r" * 1025, None, 1, [])
NO_MOMENT = ("2027-01-31", "30d", "2027-01-31T00:00:00", "2027-02-29T00:00:00Z", "2027-13-01T00:00:00Z", "2027-00-01T00:00:00Z",
             "2027-01-00T00:00:00Z", "2027-01-01T24:00:00Z", "2027-01-01T00:60:00Z", "2027-01-01T00:00:60Z", "1969-12-31T23:59:59Z",
             "2027-01-01T00:00:00.1234567Z", "2027-01-01T00:00:00+24:00", " 2027-01-01T00:00:00Z", "٢٠٢٧-01-01T00:00:00Z",
             "2020-01-01T00:00:00Z", "", 1800000000, None, [], "now")
NO_LIMIT = (-1, MAX + 1, 1.5, 1e300, "1", "", None, True, [], {}, 1 << 63)


class BadInput(DaemonCase):
    config = {"prices": {"compute_picocredits_per_microsecond": 0, "call_microcredits": 1_000_000}}

    @classmethod
    def prepare(cls):
        cls.call_id = cls.daemon.call(cls.echo, "x", cls.caller).call_id

    def all_state(self):
        """Every account, grant, quota and transfer."""
        return (self.daemon.ledger("SELECT * FROM account"), self.daemon.ledger("SELECT * FROM transfer"),
                self.daemon.ledger("SELECT * FROM quota"), self.daemon.ledger("SELECT * FROM admin_log"))

    def test_every_field_refuses_what_it_cannot_be_by_name_and_does_nothing(self):
        account = "/v1/manage/accounts/caller/"
        routes = (
            ("POST", account + "top-ups", {"credits": "1", "ref": "t"}, {"credits": NO_POSITIVE, "ref": NO_REF}),
            ("POST", account + "grants", {"credits": "1", "ref": "g"},
             {"credits": NO_POSITIVE, "ref": NO_REF, "priority": NO_PRIORITY, "expires": NO_MOMENT}),
            ("POST", account + "adjustments", {"credits": "1", "reason": "r", "ref": "a"},
             {"credits": NO_CORRECTION, "ref": NO_REF, "reason": NO_REASON}),
            ("PUT", account + "overdraft", {"credits": "1"},
             {"credits": NO_LINE, "if_rev": NO_REVISION, "reason": NO_REASON[1:]}),
            ("POST", account + "freeze", {}, {"if_rev": NO_REVISION, "reason": NO_REASON[1:]}),
            ("POST", account + "unfreeze", {}, {"if_rev": NO_REVISION}),
            ("POST", account + "close", {}, {"if_rev": NO_REVISION}),
            ("POST", f"/v1/manage/usage/{self.call_id}/refund", {"reason": "r"}, {"reason": NO_REASON}),
            ("PUT", "/v1/manage/quotas", {"scope": "account:caller", "metric": "concurrent_calls", "limit": 5},
             {"limit": NO_LIMIT, "if_rev": NO_REVISION, "scope": ("", "caller", "account:", None, 1), "metric": ("", "calls", None, 1)}),
        )
        before = self.all_state()
        for method, path, good, fields in routes:
            for field, values in fields.items():
                for value in values:
                    with self.subTest(path=path, field=field, value=value):
                        reply = self.daemon.manage(method, path, json.dumps({**good, field: value}).encode())
                        error = reply.json["error"]
                        self.assertEqual((reply.status, error.get("field")), (400, field), reply)
                        self.assertTrue(error.get("limit"), "no rule is given")
                        self.assertIn("value", error)
                        self.assertIn(field, error["message"])
            for field in good:
                with self.subTest(path=path, missing=field):
                    reply = self.daemon.manage(method, path, {key: good[key] for key in good if key != field})
                    self.assertEqual((reply.status, reply.json["error"].get("field")), (400, field), reply)
            for body in (b"[]", b"1", b"null", b'"x"', b"{", b"\xff", b'{"credits":NaN}'):
                with self.subTest(path=path, body=body):
                    self.assertEqual(self.daemon.manage(method, path, body).status, 400)
            misspelt = self.daemon.manage(method, path, {**good, "ifrev": 1})
            self.assertEqual((misspelt.status, misspelt.json["error"]["value"]), (400, "ifrev"), misspelt)
        self.assertEqual(self.all_state(), before)

    def test_bounds_themselves_are_taken(self):
        self.daemon.user("bounds", credits=None)
        account = "/v1/manage/accounts/bounds/"
        for method, path, body in (
                ("POST", "top-ups", {"credits": "0.000001", "ref": "b" * 255}),
                ("POST", "top-ups", {"credits": MAX_CREDITS, "ref": "é" * 127}),
                ("POST", "grants", {"credits": "0.000001", "ref": "b1", "priority": 0}),
                ("POST", "grants", {"credits": MAX_CREDITS, "ref": "b2", "priority": 99, "expires": "9999-12-31T23:59:59.999999Z"}),
                ("POST", "grants", {"credits": "1", "ref": "b3", "expires": "2999-02-28t23:59:59+23:59"}),
                ("POST", "adjustments", {"credits": "-0.000001", "ref": "b4", "reason": "r" * 1024}),
                ("POST", "adjustments", {"credits": "+" + MAX_CREDITS, "ref": "b5", "reason": "r"}),
                ("POST", "adjustments", {"credits": "-" + MAX_CREDITS, "ref": "b6", "reason": "r"}),
                ("PUT", "overdraft", {"credits": MAX_CREDITS}), ("PUT", "overdraft", {"credits": "0", "reason": ""})):
            with self.subTest(path=path, body=body):
                self.assertIn(self.daemon.manage(method, account + path, body).status, (200, 201))
        for limit in (0, 1, MAX - 1, MAX):
            body = {"scope": "account:bounds", "metric": "spend_day_microcredits", "limit": limit}
            reply = self.daemon.manage("PUT", "/v1/manage/quotas", body)
            self.assertEqual((reply.status, reply.json["limit"]), (200, limit))
        self.daemon.audit()

    def test_a_reference_with_the_amount_of_another_is_a_conflict(self):
        for path, body in (("grants", {"ref": "shared"}), ("adjustments", {"ref": "shared", "reason": "r"})):
            self.daemon.manage("POST", "/v1/manage/accounts/caller/top-ups", {"credits": "1", "ref": "shared"})
            reply = self.daemon.manage("POST", f"/v1/manage/accounts/caller/{path}", {**body, "credits": "1"})
            self.assertEqual(reply.status, 409, reply)

    def test_unknown_accounts_and_calls_are_404_with_the_remedy(self):
        for method, path, body in (("GET", "", None), ("GET", "/grants", None), ("GET", "/earnings", None),
                                   ("POST", "/grants", {"credits": "1", "ref": "u1"}),
                                   ("POST", "/adjustments", {"credits": "1", "reason": "r", "ref": "u2"}),
                                   ("POST", "/freeze", {}), ("POST", "/unfreeze", {}), ("POST", "/close", {}),
                                   ("PUT", "/overdraft", {"credits": "1"})):
            with self.subTest(path):
                reply = self.daemon.manage(method, "/v1/manage/accounts/nobody" + path, body)
                self.assertEqual((reply.status, reply.json["error"]["field"]), (404, "user"), reply)
                self.assertIn("faasctl user create nobody", reply.json["error"]["message"])
        self.assertEqual(self.daemon.manage("POST", "/v1/manage/usage/x/refund", {"reason": "r"}).status, 400)

    def test_queries_refuse_what_they_cannot_be(self):
        for path in ("accounts?limit=0", "accounts?limit=1001", "accounts?limit=1.5", "accounts?limit=", "accounts?state=gone",
                     "accounts?limit=-1", "accounts?limit=%2B1", "holds?older_seconds=-1", "holds?older_seconds=31536001",
                     "holds?older_seconds=10m", "accounts/caller/grants?all=yes"):
            with self.subTest(path):
                reply = self.daemon.manage("GET", "/v1/manage/" + path)
                self.assertEqual(reply.status, 400, reply)
                self.assertTrue(reply.json["error"]["field"] and reply.json["error"]["limit"], reply)
        for rev in ("-1", "x", "1.5", str(MAX + 1)):
            reply = self.daemon.manage("DELETE", f"/v1/manage/quotas?scope=account:caller&metric=concurrent_calls&if_rev={rev}")
            self.assertEqual((reply.status, reply.json["error"]["field"]), (400, "if_rev"))

    def test_faasctl_refuses_before_it_asks(self):
        correct = ("--reason", "r", "--ref", "x")
        for arguments in (
                ("credit", "grant", "caller", "1"), ("credit", "grant", "caller", "0", "--ref", "x"),
                ("credit", "grant", "caller", "1", "--ref", "x", "--priority", "100"),
                ("credit", "grant", "caller", "1", "--ref", "x", "--priority", "-1"),
                ("credit", "grant", "caller", "1", "--ref", "x", "--priority", "1.5"),
                ("credit", "grant", "caller", "1", "--ref", "x", "--expires", "0d"),
                ("credit", "grant", "caller", "1", "--ref", "x", "--expires", "soon"),
                ("credit", "adjust", "caller", "0", *correct), ("credit", "adjust", "caller", "-0", *correct),
                ("credit", "adjust", "caller", "-1e3", *correct), ("credit", "adjust", "caller", "1", "--ref", "x"),
                ("credit", "adjust", "caller", "1", "--reason", "r"), ("credit", "refund", "x", "--reason", "r"),
                ("credit", "refund", self.call_id), ("account", "set-overdraft", "caller", "-1"),
                ("account", "set-overdraft", "caller", "1e3"), ("account", "freeze", "caller", "--if-rev", "-1"),
                ("account", "freeze", "caller", "--if-rev", str(MAX + 1)), ("account", "freeze", "caller", "--reason", ""),
                ("account", "list", "--limit", "0"), ("account", "list", "--state", "gone"), ("hold", "list", "--older", "10"),
                ("hold", "list", "--older", "-1m"), ("account", "freeze"), ("account", "show", "a", "b"),
                ("quota", "set", "account:caller", "concurrent_calls", "1", "--if-rev", "x")):
            with self.subTest(arguments):
                printed = self.daemon.run_ctl(*arguments, "--socket", self.daemon.socket_path)
                self.assertEqual(printed.code, USAGE, printed)

    def test_help_is_there_with_an_example_for_every_command(self):
        for words in (("account", "show"), ("account", "list"), ("account", "freeze"), ("account", "unfreeze"),
                      ("account", "close"), ("account", "set-overdraft"), ("account", "earnings"), ("credit", "grant"),
                      ("credit", "lots"), ("credit", "adjust"), ("credit", "refund"), ("hold", "list")):
            with self.subTest(words):
                printed = self.daemon.run_ctl(*words, "--help")
                self.assertEqual(printed.code, OK)
                self.assertIn("EXAMPLE\n  faasctl " + " ".join(words), printed.out)
