"""What scripts may rely on: documents, exit codes, arguments; and what each kind of key may do."""
import json
import os

from harness import EXAMPLES, FIXTURES, DaemonCase
from host import free_port
from wire import Unix, ask

OK, REFUSED, UNREACHABLE, DIFFERENCES, USAGE = 0, 1, 3, 4, 64
USAGE_KEYS = {"id", "account", "algorithm", "version", "outcome", "wall_us", "cpu_us", "amount_microcredits",
              "royalty_microcredits", "start"}
BALANCE_KEYS = {"available_microcredits", "held_microcredits", "spent_microcredits"}


class Documents(DaemonCase):
    def test_user_create_answers_with_the_name_and_nothing_else(self):
        self.assertEqual(self.daemon.must("user", "create", "anna"), {"name": "anna"})

    def test_key_create_answers_with_id_key_and_kind(self):
        for kind in ("algorithm", "management", "admin"):
            document = self.daemon.must("key", "create", "--user", "author", "--kind", kind)
            self.assertEqual((set(document), document["kind"]), ({"id", "key", "kind"}, kind))
            self.assertRegex(document["key"], "^sim[A-Za-z0-9+/]{25}$")

    def test_a_secret_is_shown_once_and_stored_as_a_hash(self):
        key = self.daemon.key("author", "algorithm")
        for document in (self.daemon.must("key", "list"), self.daemon.must("user", "show", "author")):
            self.assertNotIn(key["key"], json.dumps(document))
        for file in os.listdir(self.daemon.state):
            path = os.path.join(self.daemon.state, file)
            if os.path.isfile(path):
                with open(path, "rb") as stored:
                    self.assertNotIn(key["key"].encode(), stored.read(), file)
        self.assertNotIn(key["key"], self.daemon.log_text())

    def test_credit_top_up_and_show_answer_with_the_balance(self):
        document = self.daemon.must("credit", "top-up", "author", "0.000001", "--ref", "least")
        self.assertEqual(set(document), BALANCE_KEYS)
        self.assertEqual(document, self.daemon.must("credit", "show", "author"))
        self.assertEqual(document["available_microcredits"] % 1_000_000, 1)

    def test_algo_deploy_answers_with_name_version_hash_and_runtime(self):
        first = self.daemon.must("algo", "deploy", os.path.join(EXAMPLES, "hello"), "--name", "author/hello", "--public")
        self.assertEqual(set(first), {"name", "version", "hash", "runtime", "environment"})
        self.assertEqual((first["name"], first["version"]), ("author/hello", "0.1.0"))
        again = self.daemon.must("algo", "deploy", os.path.join(EXAMPLES, "hello"), "--name", "author/hello")
        self.assertEqual((again["version"], again["hash"]), ("0.2.0", first["hash"]))

    def test_algo_deploy_passes_every_option_on(self):
        self.daemon.must("algo", "deploy", os.path.join(FIXTURES, "echo"), "--name", "author/limits", "--royalty", 7, "--memory",
                         32, "--cpus", 2, "--timeout", 9, "--isolation", "shared")
        version = self.daemon.must("algo", "show", "author/limits")["versions"][0]
        wanted = {"royalty_microcredits": 7, "memory_bytes": 32 << 20, "cpus": 2, "timeout_seconds": 9,
                  "isolation": "shared", "public": False}
        self.assertEqual({key: version[key] for key in wanted}, wanted)

    def test_algo_deploy_says_how_workers_start(self):
        deploy = ("algo", "deploy", os.path.join(FIXTURES, "echo"), "--name", "author/starts")
        for options, start in (((), "fork"), (("--start", "exec"), "exec")):
            self.daemon.must(*deploy, *options)
            self.assertEqual(self.daemon.must("algo", "show", "author/starts")["versions"][0]["start"], start)
        for options in (("--start", "spawn"), ("--start", "template", "--isolation", "call")):
            with self.subTest(options):
                printed = self.daemon.ctl(*deploy, *options)
                self.assertEqual(printed.code, USAGE, printed)
                self.assertIn("--start", printed.document["error"]["message"])
        self.assertEqual(len(self.daemon.must("algo", "show", "author/starts")["versions"]), 2)

    def test_usage_list_answers_with_results_newest_first(self):
        ids = [self.daemon.call(self.echo, "x", self.caller).call_id for _ in range(3)]
        results = self.daemon.must("usage", "list", "--account", "caller", "--limit", 2)["results"]
        self.assertEqual([row["id"] for row in results], ids[:0:-1])
        for row in results:
            self.assertLessEqual(USAGE_KEYS, set(row))
            self.assertTrue(all(type(row[key]) is int for key in USAGE_KEYS if key.endswith(("_us", "_microcredits"))))
        self.assertEqual(self.daemon.must("usage", "list", "--account", "author")["results"], [])

    def test_audit_run_answers_with_checks_and_violations(self):
        document = self.daemon.audit()
        self.assertEqual((set(document), document["violations"]), ({"ok", "checks", "violations"}, []))

    def test_algo_call_answers_with_the_envelope_and_its_failure_is_exit_1(self):
        printed = self.daemon.ctl("algo", "call", self.echo, "--data", "hi", "--account", "caller")
        self.assertEqual((printed.code, printed.document["result"]), (OK, "hi"))
        printed = self.daemon.ctl("algo", "call", "author/none", "--data", "hi", "--account", "caller")
        self.assertEqual((printed.code, printed.document["error"]["error_type"]), (REFUSED, "EntityNotFoundError"))

    def test_every_failure_prints_one_document_with_an_error_too(self):
        for arguments in (("user", "create", "author"), ("user", "show", "nobody"), ("user", "create", "1a")):
            printed = self.daemon.ctl(*arguments)
            self.assertIn("message", printed.document["error"], printed)
            self.assertTrue(printed.err.startswith("faasctl: "), printed)

    def test_without_json_people_read_a_table(self):
        printed = self.daemon.run_ctl("user", "list", "--socket", self.daemon.socket_path)
        self.assertIn("NAME", printed.out)
        self.assertNotIn("{", printed.out)

    def test_a_deleted_algorithm_is_gone_at_once_with_its_files(self):
        name = self.daemon.deploy("counter", self.author, name="doomed")
        self.daemon.call(name, "x", self.caller)
        stored = set(os.listdir(self.daemon.state + "/store"))
        self.assertEqual(self.daemon.must("algo", "delete", name), {"name": name, "deleted": True})
        self.assertIn("not found", self.daemon.call(name, "x", self.caller).error["message"])
        self.assertEqual(len(stored - set(os.listdir(self.daemon.state + "/store"))), 1)
        self.assertEqual(self.daemon.ctl("algo", "delete", name).code, REFUSED)


class ExitCodes(DaemonCase):
    def test_what_exists_already_or_not_at_all_is_refused_with_1(self):
        for arguments in (("user", "create", "author"), ("user", "create", "AUTHOR"), ("user", "show", "nobody"),
                          ("credit", "show", "nobody"), ("credit", "top-up", "nobody", "1", "--ref", "r"),
                          ("key", "create", "--user", "nobody", "--kind", "admin"), ("key", "revoke", "key_aaaaaaaaaaaa"),
                          ("algo", "show", "author/nothing"), ("usage", "show", "0" * 32), ("usage", "list", "--account", "nobody"),
                          ("algo", "deploy", os.path.join(FIXTURES, "no_apply"), "--name", "author/no_apply"),
                          ("algo", "deploy", os.path.join(FIXTURES, "echo"), "--name", "nobody/echo")):
            with self.subTest(arguments):
                self.assertEqual(self.daemon.ctl(*arguments).code, REFUSED)

    def test_nobody_at_the_other_end_is_3(self):
        for place in (("--socket", "/nonexistent/faasd.sock"), ("--server", f"http://127.0.0.1:{free_port()}", "--key", "k")):
            with self.subTest(place):
                self.assertEqual(self.daemon.run_ctl("user", "list", *place, "--json").code, UNREACHABLE)

    def test_a_wrong_command_line_is_64(self):
        for arguments in (("nonsense",), ("user", "nonsense"), ("user", "create"), ("user", "create", "a", "b"), ("user", "create", "1a"),
                          ("user", "create", "a-b"), ("user", "create", "x" * 31), ("key", "create", "--user", "author"),
                          ("key", "create", "--user", "author", "--kind", "root"), ("usage", "list", "--limit", "0"),
                          ("algo", "deploy", FIXTURES, "--name", "noslash"), ("credit", "top-up", "author", "1"),
                          ("algo", "call", "a/b", "--timeout", "3001", "--data", "x")):
            with self.subTest(arguments):
                printed = self.daemon.run_ctl(*arguments, "--socket", self.daemon.socket_path)
                self.assertEqual(printed.code, USAGE, printed)

    def test_no_place_to_connect_to_is_64(self):
        self.assertEqual(self.daemon.run_ctl("user", "list").code, USAGE)
        self.assertEqual(self.daemon.run_ctl("user", "list", "--server", "http://127.0.0.1:1").code, USAGE)

    def test_credits_are_decimals_with_at_most_6_places(self):
        for text in ("1", "1.5", "0.000001", "0000001.100000", "12"):
            with self.subTest(text):
                self.assertEqual(self.daemon.ctl("credit", "top-up", "author", text, "--ref", "f" + text).code, OK)
        for text in ("0", "0.0", "0.0000001", "1.0000001", "-1", "+1", "1e3", "1,5", "1.", ".5", "", " 1", "١", "NaN", "0x10", "9" * 20):
            with self.subTest(text):
                self.assertEqual(self.daemon.ctl("credit", "top-up", "author", "--ref", "g", "--", text).code, USAGE)

    def test_credits_are_read_as_strictly_over_http(self):
        before = self.daemon.balance("author")
        for text in ("0", "0.0000001", "-1", "1e3", "", " 1", "1 ", "١", "1_000", "9" * 20, "9007199254.740992"):
            with self.subTest(text):
                reply = self.daemon.manage("POST", "/v1/manage/accounts/author/top-ups", {"credits": text, "ref": "h"})
                self.assertEqual(reply.status, 400, reply)
        for body in ({"credits": 1, "ref": "h"}, {"credits": "1"}, {"ref": "h"}, {"credits": "1", "ref": ""}, {}):
            with self.subTest(body):
                self.assertEqual(self.daemon.manage("POST", "/v1/manage/accounts/author/top-ups", body).status, 400)
        self.assertEqual(self.daemon.balance("author"), before)

    def test_help_is_there_with_an_example_for_every_command(self):
        for words in (("user", "create"), ("user", "list"), ("user", "show"), ("key", "create"), ("key", "list"), ("key", "revoke"),
                      ("credit", "top-up"), ("credit", "show"), ("algo", "deploy"), ("algo", "list"), ("algo", "show"),
                      ("algo", "call"), ("algo", "delete"), ("quota", "set"), ("quota", "get"), ("quota", "list"),
                      ("quota", "unset"), ("quota", "explain"), ("usage", "list"), ("usage", "show"), ("audit", "run")):
            with self.subTest(words):
                printed = self.daemon.run_ctl(*words, "--help")
                self.assertEqual(printed.code, OK)
                self.assertIn("EXAMPLE\n  faasctl " + " ".join(words), printed.out)


class Keys(DaemonCase):
    """The same commands over HTTP with a key."""

    @classmethod
    def prepare(cls):
        cls.management = cls.daemon.key("author", "management")["key"]
        cls.admin = cls.daemon.key("author", "admin")["key"]
        cls.daemon.deploy("echo", cls.author, name="hidden", public=False)
        cls.daemon.deploy("echo", cls.caller, name="callers", public=False)

    def over_http(self, key, *arguments):
        return self.daemon.run_ctl(*arguments, "--server", f"http://127.0.0.1:{self.daemon.port}", "--key", key, "--json")

    def test_a_management_key_deploys_and_deletes_what_is_its_owners(self):
        folder = os.path.join(FIXTURES, "echo")
        self.assertEqual(self.over_http(self.management, "algo", "deploy", folder, "--name", "author/mine").code, OK)
        self.assertEqual(self.over_http(self.management, "algo", "show", "author/mine").code, OK)
        self.assertEqual(self.over_http(self.management, "algo", "delete", "author/mine").code, OK)

    def test_a_management_key_may_not_touch_what_is_others(self):
        folder = os.path.join(FIXTURES, "echo")
        for arguments in (("algo", "deploy", folder, "--name", "caller/x"), ("algo", "delete", "caller/callers"),
                          ("algo", "show", "caller/callers"), ("credit", "show", "caller"), ("usage", "list", "--account", "caller")):
            with self.subTest(arguments):
                printed = self.over_http(self.management, *arguments)
                self.assertEqual(printed.code, REFUSED, printed)
        listed = self.over_http(self.management, "algo", "list").document["results"]
        self.assertNotIn("caller/callers", [row["name"] for row in listed])

    def test_no_key_but_an_admins_administers(self):
        for key in (self.management, self.author.key):
            for arguments in (("user", "create", "x"), ("user", "list"), ("key", "create", "--user", "author", "--kind", "admin"),
                              ("key", "list"), ("credit", "top-up", "author", "1", "--ref", "z"), ("quota", "list"),
                              ("quota", "set", "account:author", "concurrent_calls", 1), ("audit", "run"),
                              ("quota", "explain", "author", "--algorithm", "author/echo")):
                with self.subTest(arguments):
                    self.assertEqual(self.over_http(key, *arguments).code, REFUSED)
        self.assertEqual(self.over_http(self.admin, "user", "list").code, OK)
        self.assertEqual(self.over_http(self.admin, "audit", "run").code, OK)

    def test_an_algorithm_key_may_not_manage(self):
        folder = os.path.join(FIXTURES, "echo")
        for arguments in (("algo", "deploy", folder, "--name", "author/x"), ("algo", "delete", "author/hidden"), ("algo", "list")):
            with self.subTest(arguments):
                self.assertEqual(self.over_http(self.author.key, *arguments).code, REFUSED)

    def test_an_algorithm_key_sees_its_own_usage_and_credit_only(self):
        call = self.daemon.call(self.echo, "x", self.caller)
        self.assertEqual(self.over_http(self.caller.key, "usage", "show", call.call_id).code, OK)
        self.assertEqual(self.over_http(self.author.key, "usage", "show", call.call_id).code, REFUSED)
        self.assertEqual(self.over_http(self.caller.key, "credit", "show", "caller").code, OK)
        self.assertEqual(self.over_http(self.author.key, "credit", "show", "caller").code, REFUSED)
        accounts = {row["account"] for row in self.over_http(self.caller.key, "usage", "list").document["results"]}
        self.assertEqual(accounts, {"caller"})

    def test_an_algorithm_key_calls_over_http(self):
        printed = self.over_http(self.caller.key, "algo", "call", self.echo, "--data", "hi")
        self.assertEqual((printed.code, printed.document["result"]), (OK, "hi"))

    def test_an_admin_key_may_not_call_algorithms(self):
        printed = self.over_http(self.admin, "algo", "call", self.echo, "--data", "hi")
        self.assertEqual((printed.code, printed.document["error"]["error_type"]), (REFUSED, "AuthorizationError"))

    def test_a_revoked_management_or_admin_key_is_refused_at_once(self):
        for kind, command in (("management", ("algo", "list")), ("admin", ("user", "list"))):
            with self.subTest(kind):
                key = self.daemon.key("author", kind)
                self.assertEqual(self.over_http(key["key"], *command).code, OK)
                self.daemon.must("key", "revoke", key["id"])
                self.assertEqual(self.over_http(key["key"], *command).code, REFUSED)

    def test_metrics_ask_for_an_admin_key_or_the_socket(self):
        def metrics(place, key=None):
            return ask(place, "GET", "/metrics", headers={"Authorization": key} if key else {})

        for key in (None, self.author.key, self.management, "nonsense"):
            self.assertIn(metrics(self.daemon.port, key).status, (401, 403), key)
        for reply in (metrics(self.daemon.port, self.admin), metrics(Unix(self.daemon.socket_path))):
            self.assertEqual(reply.status, 200)
            self.assertRegex(reply.body.decode(), r"(?m)^# TYPE faasd_workers gauge$")
            self.assertRegex(reply.body.decode(), r"(?m)^faasd_workers [0-9]+$")

    def test_the_socket_is_for_root_and_the_daemons_user_only(self):
        code = os.stat(self.daemon.state).st_mode & 0o777
        self.assertEqual(code, 0o700)
        self.assertEqual(os.stat(self.daemon.state + "/ledger.db").st_mode & 0o022, 0)

    def test_over_the_socket_a_call_names_who_pays(self):
        path = f"/v1/algo/{self.echo}"
        fields = {"Content-Type": "text/plain"}
        paid = ask(Unix(self.daemon.socket_path), "POST", path, "x", {**fields, "X-Faasd-Account": "caller"})
        self.assertEqual(self.daemon.usage(paid.call_id)["account"], "caller")
        for account in ({}, {"X-Faasd-Account": "nobody"}):
            reply = ask(Unix(self.daemon.socket_path), "POST", path, "x", {**fields, **account})
            self.assert_error(reply, "AuthorizationError", "X-Faasd-Account")

    def test_over_http_nobody_names_who_pays(self):
        reply = self.daemon.call(self.echo, "x", self.author, headers={"X-Faasd-Account": "caller"})
        self.assertEqual(self.daemon.usage(reply.call_id)["account"], "author")
        self.assert_error(self.daemon.call(self.echo, "x", headers={"X-Faasd-Account": "caller"}), "AuthorizationError")
