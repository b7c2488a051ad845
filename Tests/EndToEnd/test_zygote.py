"""Workers that are forked from a zygote: how they come to be, that they share no randomness, and what a zygote's end costs."""
import os
import signal
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

import boxes
import proof
from harness import DaemonCase, wait_until

FORKS = 10_000 if proof.IS_FULL else 200
RANDOM = """
import random, secrets, uuid, tempfile
def apply(value):
    return [str(uuid.uuid4()), secrets.token_hex(), random.random(), next(tempfile._get_candidate_names())]
"""
NUMPY = """
import numpy
def apply(value):
    return [numpy.random.rand(), float(numpy.random.default_rng().random())]
"""
LIMITED = """
import resource, os
def apply(value):
    return [resource.getrlimit(resource.RLIMIT_FSIZE)[0], os.statvfs("/tmp").f_blocks * os.statvfs("/tmp").f_frsize]
"""


def is_zygote(pid):
    return os.path.isdir(f"/proc/{pid}/root/roots/p0")


class ZygoteCase(DaemonCase):
    def zygotes(self):
        return [pid for pid in boxes.processes(self.daemon.group, True) if is_zygote(pid)]

    def blanks(self):
        waiting = boxes.processes(self.daemon.group, True).keys() - boxes.processes(self.daemon.group).keys()
        return [pid for pid in waiting if not is_zygote(pid)]

    def stocked(self):
        wait_until(lambda: len(self.zygotes()) >= 1 and len(self.blanks()) >= 4, 20, "there are a zygote and four blanks")

    def source(self, name, text, *options, requirements=None, others=()):
        with tempfile.TemporaryDirectory(prefix="faasd-test-") as folder:
            for file, content in ((f"{name}.py", text), ("requirements.txt", requirements), *dict(others).items()):
                if content is not None:
                    with open(os.path.join(folder, file), "w", encoding="ascii") as target:
                        target.write(content)
            return self.daemon.deploy(folder, self.author, *options, name=name)


class Starts(ZygoteCase):
    def test_the_first_call_takes_a_blank_and_the_second_its_worker(self):
        algorithm = self.source("first", "def apply(value):\n    return value\n")
        self.stocked()
        self.assertEqual([self.daemon.call(algorithm, "x", self.caller).how for _ in range(2)], ["blank", "warm"])
        self.stocked()

    def test_the_answer_and_the_metrics_say_where_the_time_went(self):
        algorithm = self.source("phases", "import time\ntime.sleep(0.02)\ndef apply(value):\n    return value\n", "--isolation", "call")
        self.stocked()
        reply = self.daemon.call(algorithm, "x", self.caller)
        micros = {phase: int(reply.headers[f"X-Faasd-{phase}-Us"]) for phase in ("Queue", "Start", "Load", "Run", "Freeze", "Commit", "Wall")}
        parts = micros["Queue"] + micros["Start"] + micros["Load"] + micros["Run"]
        self.assertIn(micros["Wall"] - parts, range(4))  # Each is rounded down.
        self.assertGreaterEqual(micros["Load"], 20_000)
        self.assertTrue(all(0 < micros[phase] < 500_000 for phase in micros), micros)
        text = self.daemon.manage("GET", "/metrics").body.decode()
        for phase in ("queue", "start", "load", "run", "freeze", "commit"):
            self.assertIn(f'faasd_call_phase_seconds_count{{phase="{phase}",start="{reply.how}"}}', text)
        self.assertIn('faasd_calls_total{outcome="ok"}', text)

    def test_limits_that_nobody_had_before_are_forked_for_and_then_kept_ready(self):
        algorithm = self.source("rare", LIMITED, "--memory", 200, "--isolation", "call")
        self.stocked()
        first = self.daemon.call(algorithm, "x", self.caller)
        self.assertEqual(first.how, "zygote")
        wait_until(lambda: self.daemon.call(algorithm, "x", self.caller).how == "blank", 10, "a blank of these limits is there")
        again = self.daemon.call(algorithm, "x", self.caller)
        size, tmp = again.result
        self.assertEqual(again.result, first.result)
        self.assertEqual(tmp, 200 * 7 // 8 << 20)
        self.assertEqual(size, tmp + (1 << 20))

    def test_nothing_random_is_shared(self):
        algorithm = self.source("random1", RANDOM, "--isolation", "call")
        self.distinct(algorithm, FORKS, 4)

    def test_nor_what_numpy_draws(self):
        algorithm = self.source("random2", NUMPY, "--isolation", "call", requirements="numpy\n")
        self.distinct(algorithm, FORKS // 10, 2)

    def distinct(self, algorithm, count, columns):
        replies = [self.daemon.call(algorithm, "x", self.caller) for _ in range(count)]
        self.assertLessEqual({reply.how for reply in replies}, {"blank", "zygote"})
        for column in range(columns):
            self.assertEqual(len({reply.result[column] for reply in replies}), count, f"column {column}")

    def test_a_child_that_multiprocessing_starts_is_no_zygote(self):
        text = ("import multiprocessing\ndef double(value):\n    return 2 * value\ndef apply(value):\n"
                "    with multiprocessing.get_context('spawn').Pool(1) as pool:\n        return pool.map(double, [1, 2])\n")
        reply = self.daemon.call(self.source("spawns", text), "x", self.caller)
        self.assertEqual((reply.how in ("blank", "zygote"), reply.result), (True, [2, 4]), reply)


class Faults(ZygoteCase):
    def setUp(self):
        self.algorithm = self.source("each", "def apply(value):\n    return value\n", "--isolation", "call")
        self.stocked()

    def calls(self, count):
        replies = [self.daemon.call(self.algorithm, "x", self.caller) for _ in range(count)]
        self.assertEqual([reply.json.get("result") for reply in replies], ["x"] * count, replies)
        return {reply.how for reply in replies}

    def test_a_zygote_that_is_killed_is_replaced_without_a_failed_call(self):
        (old,) = self.zygotes()
        os.kill(old, signal.SIGKILL)
        self.assertLessEqual(self.calls(30), {"blank", "zygote", "exec"})
        self.stocked()
        self.assertNotEqual(self.zygotes(), [old])

    def test_a_zygote_that_stands_still_is_replaced_without_a_failed_call(self):
        (old,) = self.zygotes()
        os.kill(old, signal.SIGSTOP)
        began = time.monotonic()
        self.calls(30)
        self.assertLess(time.monotonic() - began, 15)
        self.stocked()
        self.assertNotEqual(self.zygotes(), [old])

    def test_a_blank_that_is_gone_is_not_given_to_anybody(self):
        for pid in self.blanks():
            os.kill(pid, signal.SIGKILL)
        self.calls(8)

    def interpreters(self):
        """Boxes' processes but those of the spawner's, which pass through the groups of what they make."""
        def runs_python(pid):
            try:
                return "python3" in boxes.read(f"/proc/{pid}/cmdline")
            except OSError:
                return False
        return {pid: box for pid, box in boxes.processes(self.daemon.group).items() if runs_python(pid)}

    def loading(self, times):
        """A call during whose load() its box is killed from outside, `times` times over."""
        text = "import time\ntime.sleep(0.4)\ndef apply(value):\n    return value\n"
        algorithm = self.source(f"slow{times}", text, "--isolation", "call")
        with ThreadPoolExecutor(1) as pool:
            call = pool.submit(self.daemon.call, algorithm, "x", self.caller)
            for _ in range(times):
                wait_until(self.interpreters, 5, "its box loads")
                time.sleep(0.05)
                (pid, box), = self.interpreters().items()
                os.kill(pid, signal.SIGKILL)
                wait_until(lambda: box not in boxes.processes(self.daemon.group).values(), 5, "it is gone")
            return call.result()

    def test_a_box_that_is_killed_from_outside_while_it_loads_is_replaced(self):
        reply = self.loading(1)
        self.assertEqual((reply.json.get("result"), reply.how), ("x", "exec"), reply)

    def test_but_once_only(self):
        reply = self.loading(2)
        self.assertEqual(reply.json["error"]["message"], "while loading: killed by signal 9 (SIGKILL)")
        self.assertEqual(reply.headers["X-Faasd-Charge-Microcredits"], "0")

    def test_when_the_house_falls_boxes_are_executed_until_there_is_another(self):
        (old,) = self.zygotes()
        spawner = self.daemon.spawner_pid()
        house = next(pid for pid in boxes.children(spawner) if "faasd-spawner" in boxes.read(f"/proc/{pid}/cmdline"))
        os.kill(house, signal.SIGKILL)
        self.calls(10)
        self.stocked()
        self.assertNotEqual(self.zygotes(), [old])


class WithoutBlanks(ZygoteCase):
    config = {"limits": {"blanks": 0}}

    def test_every_interpreter_is_executed_and_there_is_no_zygote(self):
        algorithm = self.source("alone", "def apply(value):\n    return value\n", "--isolation", "call")
        self.assertEqual({self.daemon.call(algorithm, "x", self.caller).how for _ in range(3)}, {"exec"})
        # The last call's box goes once it has been answered.
        wait_until(lambda: not boxes.processes(self.daemon.group, True), 5, "there is no zygote, no blank, and no box that is left")


class Environments(ZygoteCase):
    """Packages that are loaded before the fork."""

    WHERE = "import numpy\ndef apply(value):\n    return [numpy.__file__, numpy.__version__, int(numpy.arange(10).sum())]\n"

    def first_call(self, name, requirements, text=WHERE, **files):
        algorithm = self.source(name, text, requirements=requirements, **files)
        wait_until(lambda: len(self.zygotes()) >= 2, 30, "the environment has a zygote")
        time.sleep(1)
        reply = self.daemon.call(algorithm, "x", self.caller)
        self.assertIn("result", reply.json, reply)
        return reply

    def test_numpy_is_there_before_the_first_call(self):
        reply = self.first_call("early", "numpy==2.2.1\n")
        self.assertEqual(reply.result, ["/env/deps/numpy/__init__.py", "2.2.1", 45])
        self.assertLess(int(reply.headers["X-Faasd-Load-Us"]), 30_000)
        self.assertIn(reply.how, ("blank", "zygote"))

    def test_another_version_of_it_is_another_environment(self):
        self.first_call("newer", "numpy==2.2.1\n")
        reply = self.first_call("older", "numpy==2.1.3\n")
        self.assertEqual(reply.result[1], "2.1.3")

    def test_what_is_not_preloaded_is_the_versions_own(self):
        reply = self.first_call("both", "numpy==2.2.1\nsix==1.17.0\n",
                                "import six, numpy\ndef apply(value):\n    return [six.__file__, numpy.__file__]\n")
        self.assertEqual(reply.result, ["/fn/deps/six.py", "/env/deps/numpy/__init__.py"])

    def test_an_algorithms_own_file_of_that_name_comes_first(self):
        reply = self.first_call("own", "numpy==2.2.1\n", "import numpy\ndef apply(value):\n    return numpy.MINE\n",
                                others={"numpy.py": "MINE = 7\n"})
        self.assertEqual(reply.result, 7)

    def test_no_random_number_is_drawn_twice(self):
        algorithm = self.source("draws", NUMPY, "--isolation", "call", requirements="numpy==2.2.1\n")
        wait_until(lambda: len(self.zygotes()) >= 2, 30, "the environment has a zygote")
        replies = [self.daemon.call(algorithm, "x", self.caller) for _ in range(FORKS // 4)]
        for column in range(2):
            self.assertEqual(len({reply.result[column] for reply in replies}), len(replies))
