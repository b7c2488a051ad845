"""Ends that nobody asked for: of the daemon, of its spawner, of both; and what holds afterwards."""
import http.client
import os
import random
import signal
import socket
import struct
import subprocess
import threading
import time
import unittest

import boxes
from archives import archive
from harness import STOP_SECONDS_MAX, Daemon, DaemonCase
from host import wait_until
from proof import SEED, note
from wire import connection, send

ROUNDS = int(os.environ.get("FAASD_CRASH_ROUNDS") or 50)
CLIENTS = 4
FIRST_AND_SECOND = {}


def setUpModule():
    """Starts a second daemon on the state of a first: it is refused only after it has waited for the first to end."""
    first = FIRST_AND_SECOND["first"] = Daemon().start()
    unittest.addModuleCleanup(first.close)
    command = first.command()
    command[command.index("--listen") + 1] = "127.0.0.1:0"
    FIRST_AND_SECOND["second"] = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                                  stdin=subprocess.DEVNULL)


class Clients:
    """Threads that call without a pause, and remember what every answer said it cost."""

    def __init__(self, daemon, algorithms, user):
        self.daemon, self.algorithms, self.user = daemon, algorithms, user
        self.charges, self.twice, self.strange = {}, [], []
        self.lock, self.is_over = threading.Lock(), threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(number,)) for number in range(CLIENTS)]
        for thread in self.threads:
            thread.start()

    def run(self, number):
        opened, turn = connection(self.daemon.port, 20), number
        while not self.is_over.is_set():
            turn += 1
            algorithm, body = self.algorithms[turn % len(self.algorithms)]
            fields = {"Authorization": self.user.key, "Content-Type": "text/plain"}
            try:
                self.note(send(opened, "POST", f"/v1/algo/{algorithm}", body, fields))
            except (OSError, http.client.HTTPException):
                opened.close()
                time.sleep(0.02)
        opened.close()

    def note(self, reply):
        with self.lock:
            if reply.status != 200 or "X-Faasd-Charge-Microcredits" not in reply.headers:
                self.strange.append(reply)
                return
            if reply.call_id in self.charges:
                self.twice.append(reply.call_id)
            self.charges[reply.call_id] = reply.charge

    def end(self):
        self.is_over.set()
        for thread in self.threads:
            thread.join()


def invocation(hexadecimal):
    """The written form of the 16 bytes of an id."""
    parts = (hexadecimal[:8], hexadecimal[8:12], hexadecimal[12:16], hexadecimal[16:20], hexadecimal[20:])
    return "-".join(parts).lower()


class KilledUnderLoad(DaemonCase):
    @classmethod
    def prepare(cls):
        cls.sleeps = cls.daemon.deploy("sleeps", cls.author, "--royalty", 5000)
        cls.raises = cls.daemon.deploy("raises", cls.author)
        cls.heavy = cls.daemon.user("heavy", credits="1000000")

    def kill(self, also_the_spawner):
        """Kills it at a random moment; returns what was alive then."""
        spawner = self.daemon.spawner_pid()
        living = {boxes.identity(pid) for pid in boxes.processes(self.daemon.group)} - {None}
        groups = set(boxes.directories(self.daemon.group).items())
        self.daemon.kill9()
        if also_the_spawner:
            os.kill(spawner, signal.SIGKILL)
        return living, groups

    def assert_nothing_survived(self, living, groups):
        wait_until(lambda: not [one for one in living if boxes.identity(one[0]) == one], 3, "every box process is dead")
        self.assertEqual(groups & set(boxes.directories(self.daemon.group).items()), set(), "control groups are left")

    def assert_charged_once(self, clients):
        """Every answered call has one usage record, with the charge that its header said."""
        with clients.lock:
            answered = dict(clients.charges)  # Before the ledger is read: calls go on being answered.
        rows = self.daemon.ledger("SELECT hex(invocation), amount_ucr FROM usage")
        recorded = {invocation(name): amount for name, amount in rows}
        self.assertEqual(len(rows), len(recorded), "an id is in the ledger twice")
        missing = [call_id for call_id in answered if call_id not in recorded]
        self.assertEqual(missing, [], "answered, and not in the ledger")
        wrong = {call_id: (said, recorded[call_id]) for call_id, said in answered.items() if recorded[call_id] != said}
        self.assertEqual(wrong, {}, "charged something else than was said")
        self.assertEqual(clients.twice, [])
        return len(answered)

    def test_kills_lose_no_charge_double_none_and_leave_no_process(self):
        dice = random.Random(SEED)
        clients = Clients(self.daemon, [(self.echo, "x"), (self.sleeps, "0.03"), (self.raises, "x")], self.heavy)
        self.addCleanup(clients.end)
        try:
            for number in range(ROUNDS):
                with self.subTest(round=number, seed=SEED):
                    time.sleep(dice.uniform(0.02, 0.4))
                    left = self.kill(also_the_spawner=number % 10 == 9)
                    self.daemon.start()
                    self.assert_nothing_survived(*left)
                    self.daemon.audit()
                    self.assert_charged_once(clients)
        finally:
            clients.end()
        answered = self.assert_charged_once(clients)
        self.assertGreater(answered, 5 * ROUNDS, "there was hardly any load")
        self.assertEqual([reply for reply in clients.strange if reply.status not in (500, 503)], [])
        self.assertEqual(self.daemon.balance("heavy")["held_microcredits"], 0)
        spent = self.daemon.ledger("SELECT total(amount_ucr) FROM usage JOIN account ON account.id = payer WHERE owner = 'heavy'")
        self.assertEqual(self.daemon.balance("heavy")["spent_microcredits"], spent[0][0])
        self.daemon.audit()
        self.assert_answers_at_once()
        charged = self.daemon.ledger("SELECT count(*) FROM usage")[0][0]
        note("kill -9 of the daemon under HTTP load", kills=ROUNDS, answered=answered, charged=charged)


class EndsTogether(DaemonCase):
    """Spawner and daemon: neither lives on without the other, and no box without both."""

    @classmethod
    def prepare(cls):
        cls.sleeps = cls.daemon.deploy("sleeps", cls.author)

    def in_the_background(self, seconds):
        answers = []

        def run():
            try:
                answers.append(self.daemon.call(self.sleeps, str(seconds), self.caller))
            except (OSError, http.client.HTTPException) as error:
                answers.append(error)

        before = set(boxes.processes(self.daemon.group))
        thread = threading.Thread(target=run)
        thread.start()
        self.addCleanup(thread.join)
        wait_until(lambda: set(boxes.processes(self.daemon.group)) - before or time.sleep(0.3), 5, "the call runs")
        return thread, answers

    def test_the_daemon_ends_with_an_error_when_its_spawner_is_killed_and_no_box_remains(self):
        thread, answers = self.in_the_background(30)
        os.kill(self.daemon.spawner_pid(), signal.SIGKILL)
        self.assertNotEqual(self.daemon.wait(10), 0)
        thread.join()
        wait_until(lambda: not boxes.processes(self.daemon.group), 5, "no box process is left without its spawner")
        self.daemon.start()
        self.assertEqual(boxes.processes(self.daemon.group), {})
        self.assertEqual(boxes.directories(self.daemon.group), {})
        self.daemon.audit()
        self.assertEqual(self.daemon.balance("caller")["held_microcredits"], 0)
        self.assert_answers_at_once()

    def test_the_spawner_ends_all_boxes_and_itself_when_the_daemon_is_killed(self):
        thread, _ = self.in_the_background(30)
        spawner = boxes.identity(self.daemon.spawner_pid())
        self.daemon.kill9()
        thread.join()
        wait_until(lambda: boxes.identity(spawner[0]) != spawner, 10, "the spawner is gone")
        self.assertEqual(boxes.processes(self.daemon.group), {})
        self.assertEqual(boxes.directories(self.daemon.group), {})
        self.daemon.start()

    def test_a_build_cut_short_by_a_kill_leaves_nothing_in_the_store(self):
        versions = set(os.listdir(self.daemon.state + "/store"))
        files = {f"data/{number}": b"x" * 1000 for number in range(4000)}
        payload = archive({"cut.py": b"def apply(x):\n    return x\n", **files})
        uploads = []

        def upload():
            try:
                uploads.append(self.daemon.post_archive("author/cut", payload))
            except (OSError, http.client.HTTPException) as error:
                uploads.append(error)

        thread = threading.Thread(target=upload)
        thread.start()
        wait_until(lambda: set(os.listdir(self.daemon.state + "/store")) - versions or uploads, 10, "the build has begun")
        self.daemon.kill9()
        thread.join()
        self.daemon.start()
        if isinstance(uploads[0], Exception):
            self.assertEqual(set(os.listdir(self.daemon.state + "/store")), versions)
            self.assertIn("not found", self.daemon.call("author/cut", "x", self.caller).error["message"])
        self.daemon.deploy("echo", self.author, name="cut")
        self.assert_result(self.daemon.call("author/cut", "x", self.caller), "x")

    def test_a_port_that_is_taken_ends_the_start_with_its_name(self):
        other = Daemon()
        self.addCleanup(other.close)
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", other.port))
            taken.listen()
            done = subprocess.run(other.command(), capture_output=True, timeout=60, stdin=subprocess.DEVNULL)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(str(other.port), done.stderr.decode() + done.stdout.decode())
        other.wait_for_nothing()

    def test_callers_that_vanish_with_a_reset_do_no_harm(self):
        for _ in range(20):
            raw = socket.create_connection(("127.0.0.1", self.daemon.port))
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            raw.sendall(b"POST /v1/algo/author/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc")
            raw.close()
        self.assert_answers_at_once()


class OneDaemonPerState(unittest.TestCase):
    def test_a_second_daemon_on_the_same_state_is_refused_and_the_first_goes_on(self):
        first, second = FIRST_AND_SECOND["first"], FIRST_AND_SECOND["second"]
        self.addCleanup(second.stdout.close)
        self.assertNotEqual(second.wait(STOP_SECONDS_MAX), 0)
        said = second.stdout.read().decode()
        self.assertIn("another faasd", said)
        self.assertIn(first.state, said)
        caller = first.user("caller")
        algorithm = first.deploy("echo", caller)
        self.assertEqual(first.call(algorithm, "x", caller).result, "x")
