"""Workers that are forked from a process that has loaded the code: what they share, what they do not, and templates that lie."""
import os
import signal
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

import boxes
from harness import DaemonCase, wait_until

LOADS = """
import os, time, uuid
time.sleep(0.5)
LOADED = str(uuid.uuid4())
SEEN = []
def apply(value):
    SEEN.append(value)
    time.sleep(value)
    return [LOADED, len(SEEN), os.getpid()]
"""
RANDOM = """
import os, random, secrets, time, uuid
def apply(value):
    time.sleep(0.1)
    return [random.random(), secrets.token_hex(), str(uuid.uuid4())]
"""
MISDEEDS = """
import os, sys, threading, time
def busy():
    while True: pass
def apply(value):
    if value == "spin":
        end = time.process_time() + 0.3
        while time.process_time() < end: pass
    if value == "exit": os._exit(3)
    if value == "kill": os.kill(os.getpid(), 11)
    if value == "memory": bytearray(200 << 20)
    if value == "threads":
        for _ in range(200): threading.Thread(target=time.sleep, args=(1,), daemon=True).start()
    time.sleep(0.05)
    return "done"
"""
LIES = {
    # It says that it has forked, and has not.
    "nobody": "def fork(): return 1",
    # The fork leaves at once.
    "leaves": "real = os.fork\ndef fork():\n    pid = real()\n    if not pid: os._exit(0)\n    return pid",
    # The template never comes back.
    "hangs": "def fork(): time.sleep(600)",
    # Its forks' ends are not taken away.
    "keepsdead": "import signal\nreal = os.fork\nsignal.signal = lambda *words: None\ndef fork(): return real()",
    # The fork has a second thread when it is looked at.
    "threads": ("import _thread\nreal = os.fork\ndef fork():\n    pid = real()\n"
                "    if not pid: _thread.start_new_thread(time.sleep, (600,))\n    return pid"),
    # A child of the fork says that it is the fork, and is in none of its groups.
    "pretends": ("import socket\nreal, dup2 = os.fork, os.dup2\ndef fork():\n    pid = real()\n    if not pid:\n"
                 "        os.dup2 = other\n    return pid\ndef other(*words):\n    os.dup2 = dup2\n    if not real():\n"
                 "        socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET, fileno=6).send(b'!')\n        time.sleep(600)\n"
                 "    time.sleep(0.2)\n    return dup2(*words)"),
}
LIAR = "import os, sys, time\n{}\nos.fork = fork\ndef apply(value):\n    time.sleep(0.2)\n    return value\n"


class TemplateCase(DaemonCase):
    config = {"limits": {"workers_per_version_and_account": 8}}

    def source(self, name, text, *options, files=()):
        with tempfile.TemporaryDirectory(prefix="faasd-test-") as folder:
            for file, content in ((f"{name}.py", text), *dict(files).items()):
                with open(os.path.join(folder, file), "w", encoding="ascii") as target:
                    target.write(content)
            return self.daemon.deploy(folder, self.author, "--start", "template", *options, name=name)

    def at_once(self, algorithm, bodies, user=None, kind="application/json"):
        # Each holds the price of its whole timeout while it runs.
        with ThreadPoolExecutor(len(bodies)) as pool:
            jobs = [pool.submit(self.daemon.call, algorithm, body, user or self.caller, kind, "?timeout=20") for body in bodies]
            return [job.result() for job in jobs]


class Forks(TemplateCase):
    def test_the_code_is_loaded_once_for_all_workers_of_a_caller(self):
        algorithm = self.source("loads", LOADS)
        replies = self.at_once(algorithm, ["0.3"] * 4)
        self.assertEqual(sorted(reply.how for reply in replies), ["exec", "template", "template", "template"], replies)
        self.assertEqual(len({reply.result[0] for reply in replies}), 1)
        self.assertEqual([reply.result[1] for reply in replies], [1] * 4)
        self.assertEqual(len({reply.result[2] for reply in replies}), 4)
        for reply in replies:
            load = int(reply.headers["X-Faasd-Load-Us"])
            self.assertTrue(load > 500_000 if reply.how == "exec" else load == 0, reply)
        again = self.at_once(algorithm, ["0.3"] * 4)
        self.assertEqual([reply.how for reply in again], ["warm"] * 4)
        self.assertEqual({reply.result[2] for reply in again}, {reply.result[2] for reply in replies})
        self.assertIn('start="template"', self.daemon.manage("GET", "/metrics").body.decode())

    def test_another_caller_has_another(self):
        algorithm = self.source("apart", LOADS)
        other = self.daemon.user("other")
        mine, theirs = self.daemon.call(algorithm, "0", self.caller, "application/json"), self.daemon.call(algorithm, "0", other, "application/json")
        self.assertNotEqual(mine.result[0], theirs.result[0])
        self.assertEqual(theirs.how, "exec")

    def test_nothing_random_is_shared(self):
        replies = self.at_once(self.source("draws", RANDOM), ["0"] * 8)
        for column in range(3):
            self.assertEqual(len({reply.result[column] for reply in replies}), 8)

    def test_code_with_threads_or_children_is_started_as_usual(self):
        for name, text in (("hasthread", "import threading, time\nthreading.Thread(target=time.sleep, args=(600,), daemon=True).start()\n"),
                           ("haschild", "import subprocess\nCHILD = subprocess.Popen(['/bin/sleep', '600'])\n")):
            algorithm = self.source(name, text + "import time\ndef apply(value):\n    time.sleep(0.2)\n    return value\n")
            replies = self.at_once(algorithm, ["1", "2", "3"])
            self.assertEqual([(reply.how, reply.result) for reply in replies], [("exec", 1), ("exec", 2), ("exec", 3)])

    def test_a_call_that_fails_to_load_says_why(self):
        reply = self.daemon.call(self.source("broken", "raise ValueError('no weights')\ndef apply(value):\n    return value\n"), "1", self.caller, "application/json")
        self.assertIn("no weights", reply.json["error"]["message"])

    def test_a_fork_has_its_own_limits_and_its_own_bill(self):
        algorithm = self.source("misdeeds", MISDEEDS, "--memory", 128)
        self.at_once(algorithm, ['"x"'] * 2)
        replies = self.at_once(algorithm, ['"spin"', '"x"'])
        micros = [int(reply.headers["X-Faasd-Cpu-Us"]) for reply in replies]
        self.assertTrue(300_000 <= micros[0] < 340_000 and micros[1] < 50_000, micros)
        for body, error in (('"exit"', "exited with code 3"), ('"kill"', "killed by signal 11 (SIGSEGV)"),
                            ('"memory"', "out of memory"), ('"threads"', "too many processes")):
            replies = self.at_once(algorithm, [body, '"x"'])
            self.assertIn(error, replies[0].json["error"]["message"])
            self.assertEqual(replies[1].json.get("result"), "done", replies[1])

    def test_forks_that_end_leave_nothing(self):
        algorithm = self.source("leaves", MISDEEDS)
        self.at_once(algorithm, ['"x"'] * 4)
        for _ in range(6):
            self.at_once(algorithm, ['"exit"'] * 4)
        groups = {os.path.basename(path) for path in boxes.directories(self.daemon.group)}
        self.assertLessEqual(len(groups), 40)


class Faults(TemplateCase):
    def templates(self):
        """Process 1 of each box; forks have other numbers there."""
        return [pid for pid in boxes.processes(self.daemon.group) if boxes.status(pid)["NSpid"].split()[-1] == "1"]

    def kill(self, pids):
        """Ends processes, and waits until they and what ends with them are dead: some are taken away only when they are missed."""
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: all(self.is_dead(pid) for pid in pids), 5, "they are dead")
        time.sleep(0.1)

    def is_dead(self, pid):
        try:
            return boxes.status(pid)["State"].startswith("Z")
        except OSError:
            return True

    def test_a_fork_that_is_killed_is_replaced_by_another(self):
        algorithm = self.source("killed", LOADS)
        first = self.at_once(algorithm, ["0.2"] * 2)[0].result[0]
        self.kill(boxes.processes(self.daemon.group).keys() - set(self.templates()))
        replies = self.at_once(algorithm, ["0.2"] * 2)
        self.assertEqual([reply.result[0] for reply in replies], [first] * 2)
        self.assertEqual({reply.how for reply in replies}, {"template"})

    def test_when_the_template_is_killed_its_forks_go_and_the_code_is_loaded_again(self):
        algorithm = self.source("gone", LOADS)
        first = self.at_once(algorithm, ["0.2"] * 2)[0].result[0]
        self.kill(self.templates())
        replies = self.at_once(algorithm, ["0.2"] * 2)
        self.assertTrue(all("result" in reply.json for reply in replies), replies)
        self.assertEqual(len({reply.result[0] for reply in replies} | {first}), 2, replies)
        self.assertEqual(sorted(reply.how for reply in replies), ["exec", "template"])

    def test_a_template_that_stands_still_costs_time_and_no_call(self):
        algorithm = self.source("still", LOADS)
        self.at_once(algorithm, ["0"])
        for pid in self.templates():
            os.kill(pid, signal.SIGSTOP)
        began = time.monotonic()
        replies = self.at_once(algorithm, ["0.2"] * 2)
        self.assertTrue(all("result" in reply.json for reply in replies), replies)
        self.assertLess(time.monotonic() - began, 10)


class Lies(TemplateCase):
    """A template is as hostile as any box; whatever it does, calls are answered and metered, and the spawner waits for nobody."""

    def test_lies_cost_a_fork_and_no_call(self):
        for name, text in LIES.items():
            with self.subTest(name):
                algorithm = self.source(name, LIAR.format(text))
                other = self.source("bystander" + name, "def apply(value):\n    return value\n")
                with ThreadPoolExecutor(2) as pool:
                    lying = pool.submit(self.at_once, algorithm, ["1", "2"])
                    while not lying.done():
                        began = time.monotonic()
                        self.assertEqual(self.daemon.call(other, "7", self.caller, "application/json").result, 7)
                        self.assertLess(time.monotonic() - began, 1.5)
                    replies = lying.result()
                if name == "pretends":  # Nobody who is in the box reads the call.
                    self.assertTrue(all(reply.json.get("result") or "TimeoutError" in str(reply.json) for reply in replies), replies)
                    continue
                self.assertEqual([reply.json.get("result") for reply in replies], [1, 2], replies)
                self.assertEqual({reply.how for reply in replies}, {"exec"})
