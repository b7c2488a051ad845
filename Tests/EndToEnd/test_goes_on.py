"""A worker that goes on from one call to the next without a rest: whose answer is whose, whose time, whose end."""
import concurrent.futures
import os
import tempfile
import time

import boxes
from harness import DaemonCase, wait_until

CALLS = 400
AT_ONCE = 8
SOURCE = """
import os, time
def apply(text):
    number, _, what = text.partition(' ')
    if what == 'burn':
        end = time.process_time() + 0.004
        while time.process_time() < end:
            pass
    elif what == 'exit':
        os._exit(3)
    elif what == 'raise':
        raise ValueError(number)
    elif what == 'print':
        print('said by', number)
    elif what == 'late':
        os.write(4, b'\\x5d\\xfa' + bytes(40))
    return number
"""


class GoesOn(DaemonCase):
    config = {"limits": {"workers": 1}}

    @classmethod
    def prepare(cls):
        cls.daemon.must("credit", "top-up", "caller", 1_000_000, "--ref", "enough")
        with tempfile.TemporaryDirectory(prefix="faasd-test-") as folder:
            with open(os.path.join(folder, "goes.py"), "w", encoding="ascii") as file:
                file.write(SOURCE)
            cls.goes = cls.daemon.deploy(folder, cls.author, name="goes")

    def all(self, what, count=CALLS):
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(lambda number: self.daemon.call(self.goes, f"{number} {what(number)}", self.caller), range(count)))

    def frozen(self, replies):
        """How many of these were followed by a rest; the others went on."""
        return sum(reply.headers["X-Faasd-Freeze-Us"] != "0" for reply in replies)

    def test_every_answer_is_the_one_to_its_call(self):
        replies = self.all(lambda number: "")
        self.assertEqual([reply.json.get("result") for reply in replies], [str(number) for number in range(CALLS)])
        self.assertLess(self.frozen(replies), CALLS * 0.9, "many are followed by the next at once")
        self.daemon.audit()

    def test_the_time_of_all_is_what_the_kernel_counted(self):
        self.all(lambda number: "", 20)
        time.sleep(0.3)
        (box,) = boxes.names(self.daemon.group)
        before = boxes.cpu_microseconds(self.daemon.group, box)
        replies = self.all(lambda number: "burn")
        time.sleep(0.3)
        used = boxes.cpu_microseconds(self.daemon.group, box) - before
        metered = sum(int(reply.headers["X-Faasd-Cpu-Us"]) for reply in replies)
        self.assertLess(abs(metered - used), 1_000 + 0.02 * used, (metered, used))
        self.assertLess(self.frozen(replies), CALLS / 2)
        each = sorted(int(reply.headers["X-Faasd-Cpu-Us"]) for reply in replies)
        self.assertGreater(each[len(each) // 2], 3_500)

    def test_who_dies_dies_alone(self):
        replies = self.all(lambda number: "exit" if number % 7 == 3 else "raise" if number % 7 == 5 else "", 140)
        for number, reply in enumerate(replies):
            if number % 7 == 3:
                self.assertEqual(reply.error.get("error_type"), "SystemExit", reply)
            elif number % 7 == 5:
                self.assertEqual(reply.error.get("message"), str(number), reply)
            else:
                self.assertEqual(reply.json.get("result"), str(number), reply)
        self.daemon.audit()

    def test_what_is_written_behind_an_answer_is_no_answer_to_the_next(self):
        replies = self.all(lambda number: "late" if number % 10 == 5 else "", 100)
        for number, reply in enumerate(replies):
            if "result" in reply.json:
                self.assertEqual(reply.result, str(number), reply)
            else:
                self.assertEqual(reply.error["error_type"], "ProtocolError", reply)
                self.assertEqual(reply.charge, 0)
        self.assertTrue(any("error" in reply.json for reply in replies))


class Rests(DaemonCase):
    """What a worker may do between two calls: wait awake for a moment, if nothing but its own task is left."""

    SOURCES = {
        "alone": "def apply(text):\n    return text\n",
        "threads": ("import threading, time\n"
                    "def load():\n    threading.Thread(target=time.sleep, args=(3600,), daemon=True).start()\n    return 1\n"
                    "def apply(text, state):\n    return text\n"),
        "later": ("import signal, time\n"
                  "def burn(*_):\n    end = time.process_time() + 0.05\n    while time.process_time() < end:\n        pass\n"
                  "def apply(text):\n"
                  "    if text == 'later':\n"
                  "        signal.signal(signal.SIGALRM, burn)\n        signal.setitimer(signal.ITIMER_REAL, 0.0005)\n"
                  "    return text\n"),
    }

    @classmethod
    def prepare(cls):
        cls.algorithms = {}
        for name, source in cls.SOURCES.items():
            with tempfile.TemporaryDirectory(prefix="faasd-test-") as folder:
                with open(os.path.join(folder, f"{name}.py"), "w", encoding="ascii") as file:
                    file.write(source)
                cls.algorithms[name] = cls.daemon.deploy(folder, cls.author, name=name)

    def rest_after(self, name, text="x"):
        """Microseconds of freezing that an answer's header tells."""
        reply = self.daemon.call(self.algorithms[name], text, self.caller)
        self.assert_result(reply, text)
        return int(reply.headers["X-Faasd-Freeze-Us"]), int(reply.headers["X-Faasd-Cpu-Us"])

    def used(self):
        return sum(boxes.cpu_microseconds(self.daemon.group, box) for box in boxes.names(self.daemon.group))

    def assert_asleep(self):
        group = self.daemon.group
        wait_until(lambda: all(boxes.is_frozen(group, box) or boxes.cpu_microseconds(group, box) == 0 for box in boxes.names(group)),
                   1, "all boxes stand still, but for those that were never used")

    def test_one_that_is_alone_waits_awake_and_then_stands_still(self):
        self.assertEqual([self.rest_after("alone")[0] for _ in range(3)], [0, 0, 0])
        time.sleep(0.05)
        self.assert_asleep()
        self.assertEqual(self.rest_after("alone")[0], 0, "and serves again")

    def test_one_with_threads_is_frozen_at_once(self):
        self.assertTrue(all(self.rest_after("threads")[0] > 0 for _ in range(3)))

    def test_one_that_computes_in_its_rest_is_stopped_and_does_not_get_another(self):
        self.rest_after("later")
        self.assertEqual(self.rest_after("later", "later")[0], 0, "nothing is to be seen of it yet")
        time.sleep(0.1)
        before = self.used()
        time.sleep(0.3)
        self.assertEqual(self.used(), before, "it was stopped")
        frozen, cpu = self.rest_after("later")
        self.assertGreater(cpu, 25_000, "what it had begun is the next call's")
        self.assertGreater(frozen, 0)
        self.assertGreater(self.rest_after("later")[0], 0)


class Loads(DaemonCase):
    """What `load()` may do wrong, and what its caller is told; the next call is as if nothing had been."""

    config = {"limits": {"load_seconds": 2}}

    def loaded(self, name, text, *options):
        with tempfile.TemporaryDirectory(prefix="faasd-test-") as folder:
            with open(os.path.join(folder, f"{name}.py"), "w", encoding="ascii") as file:
                file.write(text + "\ndef apply(value, state):\n    return value\n")
            algorithm = self.daemon.deploy(folder, self.author, *options, name=name)
        return self.daemon.call(algorithm, "x", self.caller)

    def fails(self, name, text, error_type, *words, options=()):
        reply = self.loaded(name, text, *options)
        self.assert_error(reply, error_type, *words)
        self.assertEqual(reply.charge, 0)
        self.assert_answers_at_once()

    def test_it_raises(self):
        self.fails("raises1", "def load():\n    raise ValueError('no model')", "LoadingError", "no model")

    def test_it_hangs(self):
        self.fails("hangs1", "import time\ndef load():\n    time.sleep(60)", "LoadingError", "2 seconds")

    def test_it_exits(self):
        self.fails("exits1", "import os\ndef load():\n    os._exit(9)", "SystemExit", "while loading", "9")

    def test_it_allocates_beyond_the_limit(self):
        self.fails("greedy1", "def load():\n    return bytearray(200 << 20)", "OutOfMemoryError", 64 << 20, options=("--memory", 64))

    def test_it_starts_threads_that_compute(self):
        text = ("import threading\ndef burn():\n    while True:\n        pass\n"
                "def load():\n    for _ in range(3):\n        threading.Thread(target=burn, daemon=True).start()\n    return 1")
        reply = self.loaded("threads1", text)
        self.assert_result(reply, "x")
        time.sleep(0.2)
        group = self.daemon.group
        mine = [box for box in boxes.names(group) if boxes.cpu_microseconds(group, box) > 0 and boxes.is_frozen(group, box)]
        before = {box: boxes.cpu_microseconds(group, box) for box in mine}
        time.sleep(0.5)
        self.assertEqual(before, {box: boxes.cpu_microseconds(group, box) for box in mine}, "asleep, all of it")
