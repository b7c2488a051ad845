"""Clients that do not read their answers, or send ahead without end: what they take is bounded, in bytes and in time."""
import socket
import tempfile
import time

import boxes
from harness import DaemonCase
from host import wait_until
from wire import ask, head, read_answer, send, connection

OUTPUT, LOG = 15_000_000, 1 << 20
AT_ONCE = 3
"""Calls of one account that have room for their answers."""


class Unread(DaemonCase):
    config = {"limits": {"answer_bytes": 2 * AT_ONCE * (OUTPUT + LOG), "unread_seconds": 2}}

    @classmethod
    def prepare(cls):
        with tempfile.TemporaryDirectory() as folder:
            with open(folder + "/large.py", "w") as file:
                file.write("def apply(count):\n    return bytes(count)\n")
            cls.large = cls.daemon.deploy(folder, cls.author, name="large")
        cls.sleeps = cls.daemon.deploy("sleeps", cls.author)
        cls.other = cls.daemon.user("other")

    def setUp(self):
        wait_until(lambda: self.answer_bytes() == 0, 20, "all room for answers is free")

    def answer_bytes(self):
        """What the daemon says that answers take."""
        lines = self.daemon.manage("GET", "/metrics").body.decode().splitlines()
        return int(next(line.split()[1] for line in lines if line.startswith("faasd_answer_bytes ")))

    def begin(self, count, query="?output=raw", connection="keep-alive", user=None, receives=4096):
        """A call for that many bytes on a connection whose answer nobody reads yet."""
        raw = socket.create_connection(("127.0.0.1", self.daemon.port), timeout=30)
        self.addCleanup(raw.close)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receives)
        body = str(count).encode()
        fields = [("Authorization", (user or self.caller).key), ("Content-Type", "application/json"),
                  ("Connection", connection), ("Content-Length", len(body))]
        raw.sendall(head("POST", f"/v1/algo/{self.large}{query}", fields) + body)
        return raw

    def call(self, count=1, user=None, query="?output=raw"):
        return self.daemon.call(self.large, str(count), user or self.caller, "application/json", query)

    def test_answers_up_to_the_share_wait_to_be_read_and_the_next_call_waits_for_one_to_leave(self):
        for unread in (AT_ONCE - 1, AT_ONCE):
            with self.subTest(unread):
                opened = [self.begin(OUTPUT) for _ in range(unread)]
                wait_until(lambda: self.answer_bytes() == unread * OUTPUT, 10, f"{unread} answers wait to be read")
                # A share holds so many answers, and the log of each; what is free of the logs is too little for a call.
                began = time.monotonic()
                self.assertEqual(self.call().status, 200)
                waited = time.monotonic() - began
                self.assertEqual(waited > 0.5, unread == AT_ONCE, f"beside {unread} unread answers a call took {waited:.2f} s")
                for raw in opened:
                    raw.close()
                self.setUp()

    def test_a_call_that_gets_no_room_is_429_with_the_bound_and_free(self):
        for _ in range(AT_ONCE):
            self.begin(OUTPUT)
        wait_until(lambda: self.answer_bytes() == AT_ONCE * OUTPUT, 10, "the share is taken")
        reply = self.call(query="?timeout=1")
        share = AT_ONCE * (OUTPUT + LOG)
        self.assert_error(reply, "QueueFullError", "room for the answer", share, "read the answers", status=429)
        figures = {name: reply.error[name] for name in ("metric", "scope", "limit", "value")}
        self.assertEqual(figures, {"metric": "answer_bytes", "scope": "account:caller", "limit": share, "value": AT_ONCE * OUTPUT})
        self.assertEqual(reply.headers["Retry-After"], "1")
        self.assertEqual((reply.charge, self.daemon.usage(reply.call_id)["amount_microcredits"]), (0, 0))

    def test_another_account_is_served_beside_a_share_that_is_taken(self):
        for _ in range(AT_ONCE):
            self.begin(OUTPUT)
        wait_until(lambda: self.answer_bytes() == AT_ONCE * OUTPUT, 10, "the share is taken")
        began = time.monotonic()
        self.assertEqual(len(self.call(OUTPUT, self.other).body), OUTPUT)
        self.assertLess(time.monotonic() - began, 2)

    def test_a_client_that_does_not_read_is_cut_off_charged_and_its_room_is_free(self):
        before = self.daemon.balance("caller")["spent_microcredits"]
        for _ in range(2):
            raw = self.begin(OUTPUT)
            wait_until(lambda: self.answer_bytes() > 0, 10, "the answer waits to be read")
            began = time.monotonic()
            wait_until(lambda: self.answer_bytes() == 0, 10, "its room is free")
            # Two intervals: in the first the kernel's buffers took something.
            self.assertLess(time.monotonic() - began, 5)
            with self.assertRaises(OSError):
                while raw.recv(1 << 20):
                    pass
                raise OSError("ended short")
        records = self.daemon.must("usage", "list", "--account", "caller", "--limit", 2)["results"]
        self.assertEqual([record["outcome"] for record in records], ["ok", "ok"])
        spent = self.daemon.balance("caller")["spent_microcredits"] - before
        self.assertEqual(spent, sum(record["amount_microcredits"] for record in records))
        self.assertEqual(self.daemon.balance("caller")["held_microcredits"], 0)
        self.daemon.audit()

    def test_a_client_that_reads_slowly_gets_all_of_it(self):
        raw, whole, began = self.begin(OUTPUT, connection="close", receives=1 << 20), 0, time.monotonic()
        while piece := raw.recv(200_000):
            whole += len(piece)
            time.sleep(0 if whole > 5_000_000 else 0.2)
        self.assertGreater(whole, OUTPUT)
        self.assertGreater(time.monotonic() - began, 5)

    def test_a_client_that_reads_a_little_now_and_then_does_not(self):
        raw, began = self.begin(OUTPUT), time.monotonic()
        with self.assertRaises(OSError):
            while time.monotonic() - began < 10:
                self.assertTrue(raw.recv(100))
                time.sleep(0.01)
        self.assertLess(time.monotonic() - began, 9)

    def test_a_result_grows_on_the_wire_and_not_in_memory(self):
        self.assertEqual(self.call(OUTPUT).status, 200)
        before = self.memory_bytes()
        for _ in range(AT_ONCE):
            self.begin(OUTPUT, query="")
        wait_until(lambda: self.answer_bytes() == AT_ONCE * OUTPUT, 10, "the share is taken")
        self.assertLess(self.memory_bytes() - before, AT_ONCE * OUTPUT + (16 << 20))

    def memory_bytes(self):
        return int(boxes.status(self.daemon.pid)["VmRSS"].split()[0]) * 1024

    def test_who_sends_ahead_is_answered_in_order_and_nobody_waits_for_it(self):
        ahead = 3_000
        with socket.create_connection(("127.0.0.1", self.daemon.port), timeout=60) as raw:
            sleep = head("POST", f"/v1/algo/{self.sleeps}", [("Authorization", self.caller.key), ("Content-Type", "application/json"),
                                                            ("Content-Length", "1")]) + b"1"
            raw.sendall(sleep + head("GET", "/healthz", []) * ahead + head("GET", "/never", [("Connection", "close")]))
            raw.shutdown(socket.SHUT_WR)
            for _ in range(20):
                began = time.monotonic()
                self.assertEqual(ask(self.daemon.port, "GET", "/healthz").status, 200)
                self.assertLess(time.monotonic() - began, 1)
            said = b""
            while piece := raw.recv(1 << 20):
                said += piece
        self.assertEqual(said.count(b"HTTP/1.1 200"), ahead + 1)
        self.assertEqual(said.count(b"HTTP/1.1 404"), 1)
        self.assertIn(b'"result"', said[: said.index(b"ok\n")])

    def test_who_sends_ahead_without_end_and_leaves_is_cut_off(self):
        fields = [("Authorization", self.caller.key), ("Content-Type", "application/json"), ("Content-Length", "1")]
        with socket.create_connection(("127.0.0.1", self.daemon.port), timeout=0.5) as raw:
            raw.sendall(head("POST", f"/v1/algo/{self.sleeps}", fields) + b"2")
            try:
                while True:
                    raw.send(head("GET", "/healthz", []) * 500)
            except TimeoutError:
                pass  # The daemon reads no more.
            before = self.memory_bytes()
            raw.shutdown(socket.SHUT_WR)
            time.sleep(0.5)
            self.assertLess(self.memory_bytes() - before, 16 << 20)
        self.assert_answers_at_once()

    def test_http_1_0_ends_with_its_answer_unless_it_asks_to_go_on(self):
        for fields, ends in (([], True), ([("Connection", "close")], True), ([("Connection", "keep-alive")], False)):
            with self.subTest(fields), socket.create_connection(("127.0.0.1", self.daemon.port), timeout=5) as raw:
                raw.sendall(head("GET", "/healthz", fields).replace(b"HTTP/1.1", b"HTTP/1.0"))
                self.assertEqual(read_answer(raw).status, 200)
                raw.settimeout(0.5)
                if ends:
                    self.assertEqual(raw.recv(1), b"")
                else:
                    self.assertRaises(TimeoutError, raw.recv, 1)

    def test_http_1_1_goes_on_after_its_answer(self):
        opened = connection(self.daemon.port)
        for _ in range(3):
            self.assertEqual(send(opened, "GET", "/healthz").status, 200)
        opened.close()
