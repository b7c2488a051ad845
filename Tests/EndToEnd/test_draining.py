"""Answers of a daemon that is full, and of one that was told to stop."""
import http.client
import socket
import threading
import time

from harness import DaemonCase
from wire import connection, head, send


class FullHouse(DaemonCase):
    """One worker, and nobody may wait."""

    config = {"limits": {"workers": 1, "waiting_calls": 0}}

    @classmethod
    def prepare(cls):
        cls.sleeps = cls.daemon.deploy("sleeps", cls.author)

    def test_a_full_queue_is_429_with_retry_after_and_free(self):
        long_call = threading.Thread(target=self.daemon.call, args=(self.sleeps, "2", self.caller))
        long_call.start()
        time.sleep(0.7)
        reply = self.daemon.call(self.echo, "x", self.author)
        long_call.join()
        self.assertEqual(reply.status, 429, reply)
        self.assertRegex(reply.headers["Retry-After"] or "missing", "^[1-9][0-9]*$")
        self.assertEqual(int(reply.headers.get("X-Faasd-Charge-Microcredits", 0)), 0)
        self.daemon.audit()
        self.assert_answers_at_once()


class Draining(DaemonCase):
    """What a daemon does that was told to stop."""

    config = {"drain_seconds": 4}

    @classmethod
    def prepare(cls):
        cls.sleeps = cls.daemon.deploy("sleeps", cls.author)

    def setUp(self):
        if self.daemon.process is None:
            self.daemon.start()

    def in_the_background(self, seconds, answers):
        def run():
            try:
                answers.append(self.daemon.call(self.sleeps, str(seconds), self.caller))
            except (OSError, http.client.HTTPException) as error:
                answers.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        time.sleep(0.7)
        return thread

    def test_a_running_call_is_finished_answered_and_charged_once(self):
        answers = []
        thread = self.in_the_background(2, answers)
        self.daemon.stop()
        thread.join()
        self.assertEqual(answers[0].status, 200, answers)
        self.assertEqual(answers[0].result, "slept")
        self.daemon.wait_for_nothing()
        self.daemon.start()
        self.assertEqual(self.daemon.usage(answers[0].call_id)["amount_microcredits"], answers[0].charge)
        self.daemon.audit()

    def test_a_call_that_outlasts_the_drain_is_killed_and_the_daemon_ends_well(self):
        answers = []
        thread = self.in_the_background(60, answers)
        began = time.monotonic()
        self.daemon.stop()
        thread.join()
        self.assertLess(time.monotonic() - began, 15)
        self.daemon.wait_for_nothing()
        self.daemon.start()
        self.daemon.audit()
        self.assertEqual(self.daemon.balance("caller")["held_microcredits"], 0)

    def test_idle_connections_of_clients_do_not_delay_the_end(self):
        opened = [connection(self.daemon.port) for _ in range(3)]
        for one in opened:
            self.addCleanup(one.close)
            self.assertEqual(send(one, "GET", "/healthz").status, 200)
        began = time.monotonic()
        self.daemon.stop()
        self.assertLess(time.monotonic() - began, 3)

    def test_a_body_that_never_comes_does_not_keep_the_daemon_from_ending(self):
        fields = [("Authorization", self.caller.key), ("Content-Type", "text/plain"), ("Content-Length", 1000)]
        raw = socket.create_connection(("127.0.0.1", self.daemon.port))
        self.addCleanup(raw.close)
        raw.sendall(head("POST", f"/v1/algo/{self.echo}", fields) + b"x")
        began = time.monotonic()
        self.daemon.stop()
        self.assertLess(time.monotonic() - began, 4 + 10 + 3)
