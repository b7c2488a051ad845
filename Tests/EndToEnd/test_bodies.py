"""Inputs at, below and above their limits, broken, slow, and never ending."""
import socket
import time

from harness import DaemonCase
from wire import chunked, head, read_answer, talk

MOST = 10 << 20


class Bodies(DaemonCase):
    @classmethod
    def prepare(cls):
        cls.length = cls.daemon.deploy("length", cls.author)

    def fields(self, kind, *more):
        return [("Authorization", self.caller.key), ("Content-Type", kind), ("Connection", "close"), *more]

    def announced(self, body, kind="application/octet-stream", length=None):
        lines = self.fields(kind, ("Content-Length", len(body) if length is None else length))
        return head("POST", f"/v1/algo/{self.length}", lines) + body

    def in_chunks(self, body, kind="application/octet-stream"):
        return head("POST", f"/v1/algo/{self.length}", self.fields(kind, ("Transfer-Encoding", "chunked"))) + chunked(body)

    def assert_too_large(self, reply):
        self.assert_error(reply, "TooLargeError", MOST, status=413)
        self.assertEqual(reply.error["limit"], MOST)

    def test_an_announced_body_is_taken_up_to_10_mib(self):
        for size in (0, 1, MOST - 1, MOST):
            with self.subTest(size):
                self.assert_result(talk(self.daemon.port, self.announced(b"x" * size)), size)

    def test_an_announced_body_above_10_mib_is_413(self):
        reply = talk(self.daemon.port, self.announced(b"x" * (MOST + 1)))
        self.assert_too_large(reply)
        self.assertEqual(reply.error["value"], MOST + 1)

    def test_a_chunked_body_is_taken_up_to_10_mib(self):
        for size in (0, 1, MOST):
            with self.subTest(size):
                self.assert_result(talk(self.daemon.port, self.in_chunks(b"x" * size)), size)

    def test_a_chunked_body_above_10_mib_is_413(self):
        for size in (MOST + 1, 3 * MOST):
            with self.subTest(size):
                self.assert_too_large(self.talk_at_once(self.in_chunks(b"x" * size)))

    def test_a_body_that_announces_a_terabyte_is_refused_before_it_comes(self):
        lines = self.fields("text/plain", ("Content-Length", 1 << 40))
        with socket.create_connection(("127.0.0.1", self.daemon.port), timeout=20) as raw:
            raw.sendall(head("POST", f"/v1/algo/{self.length}", lines) + b"x" * 1000)
            raw.shutdown(socket.SHUT_WR)
            self.assertIn(raw.recv(64)[:12], (b"HTTP/1.1 413", b"HTTP/1.1 400", b""))
        self.assert_answers_at_once()

    def talk_at_once(self, payload):
        """Sends all before it reads anything, as most clients do; nobody may have to wait for the other."""
        began = time.monotonic()
        reply = talk(self.daemon.port, payload, timeout=6)
        self.assertLess(time.monotonic() - began, 5, f"the body was not taken: {reply}")
        return reply

    def test_a_refusal_does_not_leave_the_caller_stuck_in_its_sending(self):
        body = b"x" * (9 << 20)
        for why, path, key in (("wrong key", self.length, "simwrong"), ("unknown", "author/no", self.caller.key)):
            for connection in ("keep-alive", "close"):
                with self.subTest(f"{why}, {connection}"):
                    lines = [("Authorization", key), ("Content-Type", "text/plain"), ("Connection", connection)]
                    lines.append(("Content-Length", len(body)))
                    self.assertEqual(self.talk_at_once(head("POST", f"/v1/algo/{path}", lines) + body).status, 200)

    def json(self, body, query="?output=raw"):
        return self.daemon.call(self.echo, body, self.caller, "application/json", query)

    def test_malformed_json_is_400_with_the_position(self):
        for body, position in ((b"", 0), (b"{", 1), (b"[1,]", 3), (b'{"a":1}}', 7), (b"1 2", 2), (b"nul", 0), (b"'a'", 0),
                               (b'"\x01"', 1), (b'"\\x"', 2), (b"01", 1), (b"[1\x00]", 2), (b"\xef\xbb\xbf1", 0),
                               (b'1},"metadata":{', 1)):
            with self.subTest(body):
                reply = self.json(body, "")
                self.assert_error(reply, "SystemError", "malformed JSON", status=400)
                self.assertAlmostEqual(reply.error["position"], position, delta=1, msg=repr(reply))

    def test_json_that_is_not_utf8_is_400(self):
        for body in (b'"\xff"', b'"\xc0\x80"', b'"\xed\xa0\x80"', b'"\xe2\x82"', b'"\xf4\x90\x80\x80"'):
            with self.subTest(body):
                self.assert_error(self.json(body, ""), "SystemError", "JSON", status=400)

    def test_json_is_taken_512_levels_deep_and_not_513(self):
        for opening, closing in ((b"[", b"]"), (b'{"a":', b"}")):
            for depth in (511, 512):
                body = opening * depth + b"1" + closing * depth
                self.assertEqual(self.json(body).body, body)
            reply = self.json(opening * 513 + b"1" + closing * 513, "")
            self.assert_error(reply, "SystemError", "512", status=400)

    def test_ten_mebibytes_of_brackets_are_refused_at_once(self):
        began = time.monotonic()
        self.assert_error(self.json(b"[" * MOST, ""), "SystemError", "malformed JSON", status=400)
        self.assertLess(time.monotonic() - began, 10)

    def test_a_number_that_is_none_is_told_and_never_comes_back_as_one(self):
        reply = self.json(b'{"a": NaN}', "")
        self.assertIn(reply.status, (200, 400))
        self.assertIn("error", reply.json, reply)

    def test_text_that_is_not_utf8_is_400(self):
        for body in (b"\xff", b"abc\xc3", b"\xed\xbf\xbf"):
            with self.subTest(body):
                reply = self.daemon.call(self.echo, body, self.caller)
                self.assert_error(reply, "SystemError", "not UTF-8", "octet-stream", status=400)

    def test_an_empty_text_is_an_input(self):
        self.assert_result(self.daemon.call(self.echo, "", self.caller), "")

    def test_half_sent_bodies_do_not_hang_the_daemon(self):
        waiting = []
        for part in (self.announced(b"x" * 10, "text/plain", 1000), self.announced(b"", "text/plain", MOST),
                     head("POST", f"/v1/algo/{self.length}", self.fields("text/plain", ("Transfer-Encoding", "chunked"))) + b"5\r\nab",
                     b"POST /v1/algo/author/length HTTP/1.1\r\nHost: x\r\nAutho", b""):
            for _ in range(8):
                raw = socket.create_connection(("127.0.0.1", self.daemon.port), timeout=10)
                raw.sendall(part)
                waiting.append(raw)
        self.assert_answers_at_once()
        for raw in waiting:
            raw.close()
        self.assert_answers_at_once()
        self.assertEqual(self.daemon.balance("caller")["held_microcredits"], 0)

    def test_a_slow_body_is_a_body_all_the_same(self):
        with socket.create_connection(("127.0.0.1", self.daemon.port), timeout=20) as raw:
            for byte in self.announced(b"slow", "text/plain"):
                raw.sendall(bytes([byte]))
            self.assert_result(read_answer(raw), 4)

    def test_a_caller_that_leaves_in_the_middle_costs_nobody_else_anything(self):
        sleeps = self.daemon.deploy("sleeps", self.author)
        for _ in range(5):
            raw = socket.create_connection(("127.0.0.1", self.daemon.port), timeout=10)
            raw.sendall(head("POST", f"/v1/algo/{sleeps}", self.fields("text/plain", ("Content-Length", 1))) + b"1")
            raw.close()
        self.assert_answers_at_once()
        # The balance holds the worst case of three of them at a time, so the others wait for their turn.
        end = time.monotonic() + 30
        while self.daemon.balance("caller")["held_microcredits"] > 0 and time.monotonic() < end:
            time.sleep(0.1)
        self.assertEqual(self.daemon.balance("caller")["held_microcredits"], 0)
        self.daemon.audit()

    def test_garbage_instead_of_http_is_refused_and_forgotten(self):
        for junk in (b"\0" * 4096, b"GET\r\n\r\n", b"\x16\x03\x01\x02\x00\x01" * 100, b"POST / HTTP/9.9\r\n\r\n",
                     b"POST /v1/algo/a/b HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
                     b"POST /v1/algo/a/b HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                     b"GET /healthz HTTP/1.1\r\nX: " + b"y" * (1 << 20) + b"\r\n\r\n"):
            with socket.create_connection(("127.0.0.1", self.daemon.port), timeout=5) as raw:
                try:
                    raw.sendall(junk)
                    raw.shutdown(socket.SHUT_WR)
                    raw.recv(65536)
                except OSError:
                    pass
        self.assert_answers_at_once()
