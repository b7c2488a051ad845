"""Calls on one connection, byte by byte: those that are served at the gate, those that go to the router, and their order."""
import json
import os
import shutil
import socket
import tempfile
import threading
import time

import boxes
from harness import DaemonCase
from wire import head, read_answer


class Incoming:
    """What comes over a connection, for one answer after another: none of them takes what belongs to the next."""

    def __init__(self, raw):
        self.file = raw.makefile("rb")

    def makefile(self, *_):
        return self

    def __getattr__(self, name):
        return getattr(self.file, name)

    def close(self):
        pass  # An answer that has been read; the connection goes on.


class Lane(DaemonCase):
    @classmethod
    def prepare(cls):
        cls.daemon.deploy("sleeps", cls.author)

    def setUp(self):
        self.raw = socket.create_connection(("127.0.0.1", self.daemon.port), timeout=20)
        self.addCleanup(self.raw.close)
        self.incoming = Incoming(self.raw)

    def request(self, body, path=None, *more, key=None, kind="text/plain"):
        fields = [("Authorization", key or self.caller.key), ("Content-Type", kind), ("Content-Length", len(body)), *more]
        return head("POST", "/v1/algo/" + (path or self.echo), fields) + body

    def answers(self, *expected):
        for result in expected:
            reply = read_answer(self.incoming)
            self.assertEqual((reply.status, reply.json.get("result")), (200, result), reply)

    def test_a_call_in_one_piece(self):
        self.raw.sendall(self.request(b"whole"))
        reply = read_answer(self.incoming)
        self.assertEqual(reply.result, "whole")
        self.assertEqual(reply.headers["Server"], "faasd")
        self.assertRegex(reply.headers["Date"], r"^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$")

    def test_the_same_answer_with_and_without_the_router(self):
        """Field by field; a header that is not ordinary takes the call to the router."""
        replies = []
        for more in ((), (("X-Unusual", "1"),)):
            self.raw.sendall(self.request(b"same", None, *more))
            replies.append(read_answer(self.incoming))
        self.assertEqual(*(sorted(name.lower() for name in reply.headers) for reply in replies))
        self.assertEqual(*(list(reply.json) + sorted(reply.metadata) for reply in replies))

    def test_a_call_byte_by_byte(self):
        self.raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in self.request(b"slow"):
            self.raw.sendall(bytes([byte]))
            time.sleep(0.001)
        self.answers("slow")

    def test_a_body_that_comes_later(self):
        payload = self.request(b"later")
        self.raw.sendall(payload[:-5])
        time.sleep(0.2)
        self.raw.sendall(payload[-5:])
        self.answers("later")

    def test_calls_that_are_sent_ahead_are_answered_in_order(self):
        self.raw.sendall(b"".join(self.request(str(number).encode()) for number in range(50)))
        self.answers(*map(str, range(50)))

    def test_whatever_is_between_them(self):
        chunked = head("POST", "/v1/algo/" + self.echo, [("Authorization", self.caller.key), ("Content-Type", "text/plain"),
                                                         ("Transfer-Encoding", "chunked")]) + b"3\r\nabc\r\n0\r\n\r\n"
        health = head("GET", "/healthz", [])
        self.raw.sendall(self.request(b"1") + health + self.request(b"0.2", "author/sleeps") + self.request(b"4")
                         + health + chunked + self.request(b"7") + health)
        self.answers("1")
        self.assertEqual(read_answer(self.incoming).body, b"ok\n")
        self.answers("slept", "4")
        self.assertEqual(read_answer(self.incoming).body, b"ok\n")
        self.answers("abc", "7")
        self.assertEqual(read_answer(self.incoming).body, b"ok\n")

    def test_a_client_that_ends_its_side_has_its_answer(self):
        self.raw.sendall(self.request(b"0.3", "author/sleeps"))
        self.raw.shutdown(socket.SHUT_WR)
        self.answers("slept")
        self.assertEqual(self.incoming.file.read(1), b"")

    def test_a_client_that_ends_its_side_within_a_call_is_not_waited_for(self):
        self.raw.sendall(self.request(b"never")[:-2])
        self.raw.shutdown(socket.SHUT_WR)
        began = time.monotonic()
        self.incoming.file.read()
        self.assertLess(time.monotonic() - began, 10)

    def test_a_connection_that_is_to_be_closed_is(self):
        self.raw.sendall(self.request(b"last", None, ("Connection", "close")))
        self.answers("last")
        self.assertEqual(self.incoming.file.read(1), b"")

    def test_bodies_around_the_bound_of_the_gate(self):
        for length in (16_383, 16_384, 16_385):
            body = b"x" * length
            self.raw.sendall(self.request(body))
            self.answers(body.decode())

    def test_problems_are_answered_as_everywhere(self):
        self.raw.sendall(self.request(b"{", kind="application/json"))
        reply = read_answer(self.incoming)
        self.assertEqual(reply.status, 400, reply)
        self.assertIn("malformed JSON", reply.error["message"])
        self.raw.sendall(self.request(b"x", key="simnobody"))
        self.assertEqual(read_answer(self.incoming).error["error_type"], "AuthorizationError")
        self.raw.sendall(self.request(b"x", "author/nothing"))
        self.assertIn("not found", read_answer(self.incoming).error["message"])
        self.raw.sendall(self.request(b"after"))
        self.answers("after")

    def test_a_key_that_is_revoked_is_refused_on_a_connection_that_has_used_it(self):
        key = self.daemon.key("caller", "algorithm")
        self.raw.sendall(self.request(b"1", key=key["key"]))
        self.answers("1")
        self.daemon.must("key", "revoke", key["id"])
        self.raw.sendall(self.request(b"2", key=key["key"]))
        self.assertEqual(read_answer(self.incoming).error["error_type"], "AuthorizationError")

    def test_an_algorithm_that_is_deleted_is_gone_on_a_connection_that_has_used_it(self):
        name = self.daemon.deploy("echo", self.author, name="renewed")
        self.raw.sendall(self.request(b"old", name))
        self.answers("old")
        self.daemon.must("algo", "delete", name)
        self.raw.sendall(self.request(b"gone", name))
        self.assertIn("not found", read_answer(self.incoming).error["message"])

    def memory(self):
        return int(boxes.status(self.daemon.pid)["VmRSS"].split()[0]) >> 10

    def test_requests_of_which_one_is_always_incomplete_take_no_memory(self):
        body, count = b"x" * 8_000, 6_000
        payload = memoryview(self.request(body) * count)
        reader = threading.Thread(target=self.answers, args=[body.decode()] * count)
        before = self.memory()
        reader.start()
        for at in range(0, len(payload), 5_000):  # No piece ends where a request does, for a long time.
            self.raw.sendall(payload[at:at + 5_000])
        reader.join()
        self.assertLess(self.memory() - before, 24, "MiB, of 47 that went through")

    def test_answers_that_nobody_reads_hold_up_the_next_calls(self):
        """1 MiB of requests, 200 MB of answers."""
        grows = self.daemon.deploy(self.grows(), self.author, name="grows")
        self.raw.sendall(self.request(b"40000", grows))
        self.answers("x" * 40_000)
        before, spent = self.memory(), self.daemon.balance("caller")["spent_microcredits"]
        self.raw.setblocking(False)
        try:
            self.raw.sendall(self.request(b"40000", grows) * 5_000)
        except BlockingIOError:
            pass
        time.sleep(3)
        self.assertLess(self.memory() - before, 48, "MiB")
        self.assertLess(self.daemon.balance("caller")["spent_microcredits"] - spent, 1_000 * 2_000, "most calls have not run")

    def grows(self):
        folder = tempfile.mkdtemp(prefix="faasd-test-")
        self.addCleanup(shutil.rmtree, folder)
        with open(os.path.join(folder, "grows.py"), "w", encoding="ascii") as file:
            file.write("def apply(text):\n    return 'x' * int(text)\n")
        return folder

    def test_a_body_is_what_it_says(self):
        self.raw.sendall(self.request(json.dumps({"a": [1, None]}).encode(), kind="application/json"))
        self.answers({"a": [1, None]})
