"""The audit's verbs, backups made under load, and what happens when somebody changes the ledger of a running daemon."""
import concurrent.futures
import json
import os
import sqlite3
import stat
import tempfile
import threading
import time

from harness import Daemon, DaemonCase
from host import wait_until
from wire import Unix, ask

APPEND_ONLY = ("usage", "transfer", "block", "royalty", "price_book", "admin_log")


def tamper(path, *statements):
    """Changes a ledger as somebody who can write the file would: without its triggers."""
    connection = sqlite3.connect(path, timeout=30)
    for table in APPEND_ONLY:
        connection.execute(f"DROP TRIGGER IF EXISTS {table}_ro_u")
        connection.execute(f"DROP TRIGGER IF EXISTS {table}_ro_d")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


class Verbs(DaemonCase):
    @classmethod
    def prepare(cls):
        cls.royal = cls.daemon.deploy("echo", cls.author, "--royalty", 5000, name="royal")
        cls.ids = [cls.daemon.call(cls.royal, "x", cls.caller).call_id for _ in range(4)]

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="faasd-test-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def file(self, name, document):
        path = os.path.join(self.folder, name)
        with open(path, "w") as file:
            json.dump(document, file)
        return path

    def offline(self, *arguments):
        return self.daemon.run_ctl("audit", *arguments, "--json")

    def test_chain_and_rates_hold_of_the_live_ledger_and_of_the_file(self):
        path = self.daemon.state + "/ledger.db"
        for verb, rules in (("chain", ["I10", "I11"]), ("rerate", ["I7"])):
            for printed in (self.daemon.ctl("audit", verb), self.offline(verb, "--database", path),
                            self.daemon.ctl("audit", verb, "--from-block", 3)):
                self.assertEqual((printed.code, printed.document["ok"]), (0, True), printed)
                self.assertEqual([check["name"].split()[0] for check in printed.document["checks"]], rules)

    def test_an_exported_head_is_signed_and_found_again(self):
        head = self.daemon.must("audit", "export-head")
        key = os.stat(self.daemon.state + "/head.key")
        self.assertEqual(stat.S_IMODE(key.st_mode), 0o600)
        self.assertEqual(len(bytes.fromhex(head["signature"])), 64)
        path = self.file("head.json", head)
        self.daemon.call(self.royal, "x", self.caller)
        self.assertEqual(self.daemon.ctl("audit", "chain", "--head", path).code, 0)
        ledger = self.daemon.state + "/ledger.db"
        public = ["--public-key", head["public_key"]]
        self.assertEqual(self.offline("chain", "--database", ledger, "--head", path, *public).code, 0)
        by_file = self.daemon.run_ctl("audit", "export-head", "--database", ledger, "--json",
                                      "--signing-key", self.daemon.state + "/head.key")
        self.assertEqual(by_file.document["public_key"], head["public_key"])

    def test_a_head_with_another_hash_or_a_false_signature_is_a_difference(self):
        head = self.daemon.must("audit", "export-head")
        signature = ("1" if head["signature"][0] == "0" else "0") + head["signature"][1:]
        for change in ({"hash": "00" * 32}, {"signature": signature}, {"block": head["block"] + 1}, {"public_key": "00" * 32}):
            with self.subTest(change):
                path = self.file("wrong.json", {**head, **change})
                self.assertEqual(self.daemon.ctl("audit", "chain", "--head", path).code, 4)
        # What a head claims is no reason to stop the marketplace.
        self.assert_result(self.daemon.call(self.echo, "on", self.caller), "on")

    def test_a_tail_cut_off_behind_a_head_is_found(self):
        head = self.file("head.json", self.daemon.must("audit", "export-head"))
        path = os.path.join(self.folder, "copy.db")
        self.daemon.ledger_copy(path)
        tamper(path, "DELETE FROM usage WHERE block = (SELECT max(seq) FROM block)",
               "DELETE FROM transfer WHERE block = (SELECT max(seq) FROM block)",
               "DELETE FROM admin_log WHERE block = (SELECT max(seq) FROM block)",
               "DELETE FROM block WHERE seq = (SELECT max(seq) FROM block)")
        self.assertEqual(self.offline("chain", "--database", path).code, 0)
        printed = self.offline("chain", "--database", path, "--head", head)
        self.assertEqual(printed.code, 4)
        self.assertIn("the chain ends with block", printed.document["violations"][0]["detail"])

    def test_wrong_usage_and_unreadable_files_have_their_codes(self):
        for arguments, code in ((("chain", "--from-block", 0), 64), (("chain", "--head", "/nonexistent"), 3),
                                (("run", "--from-block", 1_000_000), 4), (("explain", "nonsense"), 1)):
            with self.subTest(arguments):
                self.assertEqual(self.daemon.ctl("audit", *arguments).code, code)
        for verb in (["chain"], ["rerate"], ["explain", self.ids[0]], ["export-head"]):
            self.assertEqual(self.daemon.run_ctl("audit", *verb, "--database", "/nonexistent/x.db").code, 3, verb)

    def test_a_call_is_explained_to_who_paid_it_and_to_administrators_only(self):
        for verb in ("usage", "audit"):
            found = self.daemon.must(verb, "explain", self.ids[0])
            lines = {line["name"]: line for line in found["lines"]}
            usage = self.daemon.usage(self.ids[0])
            self.assertEqual(lines["amount"]["value"], str(usage["amount_microcredits"]))
            self.assertEqual((lines["to the author"]["value"], lines["to the platform"]["value"]), ("3500", "1500"))
            self.assertEqual(sum(leg["amount_microcredits"] for leg in found["transfers"]), usage["amount_microcredits"])
            self.assertEqual(found["differences"], [])
            for line in lines.values():
                self.assertIn(line.get("recorded"), (None, line["value"]), line)
        path = f"/v1/manage/usage/{self.ids[0]}/explanation"
        self.assertEqual(self.daemon.manage("GET", path, key=self.caller.key).status, 200)
        self.assertEqual(self.daemon.manage("GET", path, key=self.author.key).status, 403)
        text = self.daemon.run_ctl("usage", "explain", self.ids[0], "--socket", self.daemon.socket_path)
        self.assertIn("to the author", text.out)

    def test_verbs_of_the_ledger_are_for_administrators(self):
        for method, path in (("POST", "/v1/manage/audit"), ("GET", "/v1/manage/audit/head"),
                             ("POST", "/v1/manage/ledger/backups"), ("POST", "/v1/manage/ledger/backups/x/check")):
            self.assertEqual(self.daemon.manage(method, path, {}, key=self.caller.key).status, 403, path)


class Backups(DaemonCase):
    def test_a_backup_under_load_is_clean_and_in_the_chain_of_the_ledger(self):
        done = threading.Event()

        def call():
            while not done.is_set():
                self.assert_result(self.daemon.call(self.echo, "x", self.caller), "x")

        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            jobs = [pool.submit(call) for _ in range(4)]
            try:
                time.sleep(0.5)
                made = self.daemon.must("ledger", "backup", "--to", "under-load.db")
                time.sleep(0.3)
            finally:
                done.set()
            for job in jobs:
                job.result()
        self.assertEqual(made["path"], self.daemon.state + "/backups/under-load.db")
        self.assertEqual(stat.S_IMODE(os.stat(made["path"]).st_mode), 0o600)
        self.assertEqual(os.listdir(self.daemon.state + "/backups"), ["under-load.db"])
        checked = self.daemon.must("ledger", "restore-check", "under-load.db")
        self.assertTrue(checked["ok"], checked)
        for field in ("block", "hash", "time_us"):
            self.assertEqual(checked["head"][field], made["head"][field])
        self.assertGreater(checked["loss"]["usage_records"], 0)
        rows = self.daemon.ledger("SELECT count(*), sum(amount_ucr) FROM usage WHERE block > ?", made["head"]["block"])
        self.assertEqual(rows, [(checked["loss"]["usage_records"], checked["loss"]["charged_microcredits"])])
        offline = self.daemon.run_ctl("ledger", "restore-check", made["path"], "--against",
                                      self.daemon.state + "/ledger.db", "--json")
        self.assertEqual((offline.code, offline.document["loss"]), (0, checked["loss"]))
        self.assertEqual(self.daemon.run_ctl("audit", "run", "--database", made["path"]).code, 0)

    def test_names_that_exist_or_lead_elsewhere_are_refused(self):
        self.daemon.must("ledger", "backup", "--to", "once.db")
        self.assertEqual(self.daemon.ctl("ledger", "backup", "--to", "once.db").code, 1)
        self.assertEqual(self.daemon.ctl("ledger", "backup", "--to", "../ledger.db").code, 64)
        for name in ("../x", "a/b", ".hidden", "", "x" * 101, "ä"):
            reply = self.daemon.manage("POST", "/v1/manage/ledger/backups", {"name": name})
            self.assertEqual(reply.status, 400, name)
        self.assertEqual(self.daemon.ctl("ledger", "restore-check", "none.db").code, 1)

    def test_a_changed_backup_is_not_worth_restoring(self):
        made = self.daemon.must("ledger", "backup", "--to", "changed.db")
        tamper(made["path"], "UPDATE account SET credits = credits + 1 WHERE owner = 'caller' AND kind = 1")
        printed = self.daemon.ctl("ledger", "restore-check", "changed.db")
        self.assertEqual((printed.code, printed.document["ok"]), (4, False))

    def test_a_copy_without_a_daemon_goes_anywhere(self):
        folder = tempfile.TemporaryDirectory(prefix="faasd-test-")
        self.addCleanup(folder.cleanup)
        target = folder.name + "/copy.db"
        line = ["ledger", "backup", "--database", self.daemon.state + "/ledger.db", "--to", target, "--json"]
        self.assertEqual(self.daemon.run_ctl(*line).document["path"], target)
        self.assertEqual(self.daemon.run_ctl(*line).code, 1)


class Continuous(DaemonCase):
    """Each test changes the ledger of the running daemon, and puts it right again."""

    config = {"audit_seconds": 1}

    @classmethod
    def prepare(cls):
        cls.slow = cls.daemon.deploy("sleeps", cls.author, name="slow")

    def setUp(self):
        for _ in range(3):
            self.assert_result(self.daemon.call(self.echo, "x", self.caller), "x")

    def refused(self):
        reply = self.daemon.call(self.echo, "x", self.caller)
        return reply.status == 503 and "ledger_audit_failed" in reply.error["message"]

    def metric(self, name):
        text = ask(Unix(self.daemon.socket_path), "GET", "/metrics").body.decode()
        return [line.split()[-1] for line in text.splitlines() if line.startswith(name + " ")]

    def test_a_change_by_hand_stops_calls_until_a_clean_audit(self):
        ledger = self.daemon.state + "/ledger.db"
        for change, undo in (
            ("UPDATE transfer SET amount = amount + 1 WHERE id = 1", "UPDATE transfer SET amount = amount - 1 WHERE id = 1"),
            # Of an account that does not move: what moves is written anew from what the daemon knows.
            ("UPDATE account SET credits = credits + 7 WHERE owner = 'author' AND kind = 1",
             "UPDATE account SET credits = credits - 7 WHERE owner = 'author' AND kind = 1"),
        ):
            with self.subTest(change):
                self.assertEqual(self.metric("faasd_ledger_audit_failed"), ["0"])
                with concurrent.futures.ThreadPoolExecutor(1) as pool:
                    running = pool.submit(self.daemon.call, self.slow, "4", self.caller)
                    time.sleep(0.5)
                    tamper(ledger, change)
                    wait_until(self.refused, 5, "calls are refused")
                    health = ask(self.daemon.port, "GET", "/healthz")
                    self.assertEqual((health.status, health.body), (503, b"ledger_audit_failed\n"))
                    self.assertEqual(self.metric("faasd_ledger_audit_failed"), ["1"])
                    self.assertIn("ledger_audit_failed", self.daemon.log_text())
                    # What ran is charged all the same.
                    self.assertGreater(running.result().charge, 3_900_000)
                refusal = self.daemon.call(self.echo, "x", self.caller)
                self.assertEqual(refusal.headers["Retry-After"], "60")
                self.assertNotIn("caller", refusal.error["message"])
                self.assertEqual(self.daemon.ctl("audit", "run").code, 4)
                self.assertTrue(self.refused())
                tamper(ledger, undo)
                self.assertEqual(self.daemon.ctl("audit", "chain").code, 0)
                self.assertTrue(self.refused(), "a part that is clean does not set calls free")
                self.daemon.audit()
                self.assert_result(self.daemon.call(self.echo, "again", self.caller), "again")
                time.sleep(2.5)
                self.assertFalse(self.refused())

    def test_a_stop_outlives_a_restart_until_everything_is_audited(self):
        daemon = Daemon({"audit_seconds": 1})
        self.addCleanup(daemon.close)
        daemon.start()
        user = daemon.user("someone")
        echo = daemon.deploy("echo", user)
        self.assert_result(daemon.call(echo, "x", user), "x")
        daemon.stop()
        path = daemon.state + "/ledger.db"
        tamper(path, "UPDATE usage SET bytes_in = bytes_in + 1 WHERE seq = 1")
        daemon.start()
        wait_until(lambda: daemon.call(echo, "x", user).status == 503, 10, "calls are refused after the start")
        wait_until(lambda: os.path.exists(daemon.state + "/ledger-audit-failed"), 5, "the stop is noted")
        daemon.stop()
        tamper(path, "UPDATE usage SET bytes_in = bytes_in - 1 WHERE seq = 1")
        daemon.start()
        wait_until(lambda: daemon.call(echo, "x", user).status == 200, 10, "calls are taken again")
        self.assertFalse(os.path.exists(daemon.state + "/ledger-audit-failed"))
        daemon.audit()
