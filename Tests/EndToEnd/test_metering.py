"""CPU time in the record of a call against CPU time that was used, as the clocks of the processes themselves have it.

A process cannot put down what it uses after its last look at its clock: its own end, and for the worker the reading of
the call and the writing of the answer. So each shape of work is called without work as well, in turns and in the same
box, and what is metered of that above what is put down is what the shape costs besides. Medians are compared. What is
left is that processes end at more cost when they have worked: 0.2 ms each, where the kernel's word on a child tells.

Besides, an observer on the host reads the control groups before and after each call.
"""
import collections
import os
import shutil
import statistics
import tempfile
import time

import boxes
import spender
from harness import DaemonCase

MICROSECONDS_OFF, PARTS_OFF = 1000, 0.02
WORK = 200_000_000  # Nanoseconds of a call.
TIMES = 5
LOST_MAX = 10
SERIES = 40
STILL_SECONDS, STILL_LOOKS = 0.2, 4
LAST_STEPS_MICROSECONDS = 100
UNTOLD_MICROSECONDS = 1000  # Of all calls of a test together.
LOADS = """
import time
end = time.thread_time() + %s
while time.thread_time() < end:
    pass
def apply(text):
    return text
"""

Reading = collections.namedtuple("Reading", "metered used seen reply")


def allowed(used):
    """How far the meter may be off, microseconds."""
    return MICROSECONDS_OFF + PARTS_OFF * used


class Lost(Exception):
    """A worker was ended: on a busy machine it may take too long to stand still. Its record counts all the same."""


class Account:
    """A caller of the spender, and so the one who has a certain worker; what the kernel and the worker say of it."""

    made = 0

    def __init__(self, daemon, algorithm):
        Account.made += 1
        self.daemon, self.algorithm = daemon, algorithm
        self.user = daemon.user(f"account{Account.made}")
        self.box = None

    def start(self):
        """A new worker, asleep after a first call that is not looked at."""
        for _ in range(LOST_MAX):
            before = boxes.names(self.daemon.group)
            self.send("rest", 0)
            there = boxes.processes(self.daemon.group).items()
            found = [(pid, box) for pid, box in there if box not in before]
            if found:
                ((pid, self.box),) = found
                self.slots = spender.open_tally(f"/proc/{pid}/root{spender.TALLY}")
                return self
        raise AssertionError(f"{LOST_MAX} workers one after another did not stand still after their first answer")

    def send(self, shape, work, query=""):
        body = f'["{shape}", {work}]'
        return self.daemon.call(self.algorithm, body, self.user, "application/json", query)

    def cgroup(self):
        """Microseconds of CPU time that the kernel counted for the worker's group."""
        try:
            return boxes.cpu_microseconds(self.daemon.group, self.box)
        except (AssertionError, OSError):
            raise Lost from None

    def put_down(self):
        """Microseconds that the worker's processes wrote down."""
        return sum(self.slots) / 1000

    def clear(self):
        self.slots[:] = memoryview(bytes(8 * len(self.slots))).cast("q")

    def call(self, shape, work=0, since=None):
        """One call of a worker that is warm and stays: what is on record, in the tally and seen from the host."""
        self.slots[0] = 0  # The worker's own; the others may go on from one call to the next.
        reading = self.observe(shape, work, since=since)
        assert reading.reply.status == 200 and "result" in reading.reply.json, reading
        if self.box not in boxes.names(self.daemon.group):
            raise Lost
        return reading

    def observe(self, shape, work, query="", since=None):
        """A reading of one call, whether its worker stays or not: what a box used stays in the count of all boxes.

        What was used in its sleep is the call's too; `since` is the count of all boxes when it fell asleep.
        """
        others = boxes.names(self.daemon.group) - {self.box}
        kernel, tally = since or self.all_boxes(), self.put_down()
        reply = self.send(shape, work, query)
        if reply.start != "warm":
            raise Lost
        reading = Reading(metered(reply), self.put_down() - tally, self.all_boxes() - kernel, reply)
        if boxes.names(self.daemon.group) - {self.box} != others:
            raise Lost  # What the end of another box takes is seen from the host too.
        assert abs(reading.seen - reading.metered) <= allowed(reading.used), f"the host saw otherwise: {reading}"
        return reading

    def all_boxes(self):
        """Microseconds of CPU time of all boxes that the daemon ever had; of those that are left, one runs."""
        return boxes.cpu_microseconds(self.daemon.group, "")


def metered(reply):
    return int(reply.headers["X-Faasd-Cpu-Us"])


class MeteringCase(DaemonCase):
    """A spender with two CPUs, and accounts to call it."""

    config = {"limits": {"blanks": 0}}  # What is made in advance would be seen from the host as well.

    @classmethod
    def prepare(cls):
        folder = tempfile.mkdtemp(prefix="faasd-test-")
        cls.addClassCleanup(shutil.rmtree, folder)
        shutil.copy(spender.__file__, folder)
        cls.spender = cls.daemon.deploy(folder, cls.author, "--cpus", 2, name="spender")

    def account(self):
        return Account(self.daemon, self.spender).start()

    def repeatedly(self, account, attempt):
        """The outcome of an attempt in which the worker was not lost."""
        for _ in range(LOST_MAX):
            try:
                return attempt(account)
            except Lost:
                print(f"{account.box} did not stand still in time: another worker", flush=True)
                account.start()
        self.fail(f"{LOST_MAX} workers one after another did not stand still after their answer")

    def assert_close(self, name, readings, besides=0):
        """The median of what is metered is what was used, and what it costs besides, within the bound."""
        used = statistics.median(reading.used for reading in readings)
        off = statistics.median(reading.metered - reading.used for reading in readings) - besides
        told = statistics.median(reading.metered for reading in readings)
        expected = f"{name:22} used {used:9.0f} µs + {besides:5.0f} besides"
        print(f"{expected}, metered {told:9.0f}: {off:+5.0f} of {allowed(used):5.0f}", flush=True)
        self.assertLessEqual(abs(off), allowed(used), f"{name}: {readings}")


class Shapes(MeteringCase):
    """Work that is over when the answer leaves, in every shape that a process can give it."""

    @classmethod
    def prepare(cls):
        super().prepare()
        cls.shared = Account(cls.daemon, cls.spender).start()

    def measure(self, shape):
        """Readings of a shape with work and what it costs besides, in turns so that the machine does both alike."""
        readings = {0: [], WORK: []}
        for turn in range(2 * TIMES):
            work = WORK * (turn % 2)
            readings[work].append(self.repeatedly(self.shared, lambda account: self.cleared(account, shape, work)))
        return readings[WORK], statistics.median(reading.metered - reading.used for reading in readings[0])

    def cleared(self, account, shape, work):
        account.clear()
        return account.call(shape, work)

    def check(self, shape):
        readings, besides = self.measure(shape)
        self.assertGreater(min(reading.used for reading in readings), WORK / 1000 / 4, "it did not work")
        self.assert_close(shape, readings, besides)

    def test_one_thread(self):
        self.check("one_thread")

    def test_eight_threads_at_once(self):
        self.check("eight_threads")

    def test_children_that_are_waited_for(self):
        self.check("forks_and_waits")

    def test_orphans_of_double_forks_that_nobody_waits_for(self):
        self.check("orphans")

    def test_daemons_in_sessions_of_their_own_that_ignore_signals(self):
        self.check("daemons")

    def test_one_process_that_becomes_one_program_after_another(self):
        self.check("chain_of_execs")

    def test_a_storm_of_programs_that_only_start_and_end(self):
        self.check("spawns")

    def test_children_that_are_killed_at_work(self):
        self.check("killed")

    def test_exit_handlers_and_finalisers(self):
        self.check("finalisers")

    def test_the_header_the_record_and_the_row_in_the_ledger_agree(self):
        reading = self.repeatedly(self.shared, lambda account: self.cleared(account, "forks_and_waits", WORK))
        row = self.daemon.ledger("SELECT cpu_us FROM usage ORDER BY seq DESC LIMIT 1")
        shown = self.daemon.must("usage", "show", reading.reply.call_id)
        record = self.daemon.usage(reading.reply.call_id)
        self.assertEqual([row, shown["cpu_us"], record["cpu_us"]], [[(reading.metered,)], reading.metered, reading.metered])


class Background(MeteringCase):
    """Work that goes on when the answer leaves."""

    def test_it_stands_still_to_the_microsecond_and_each_record_has_what_was_used_in_its_call(self):
        readings, besides, untold = self.repeatedly(self.account(), self.series)
        self.assert_close("busy after the answer", readings, besides)
        print(f"{len(readings)} calls: {untold} µs are in its group and in no record", flush=True)
        self.assertLessEqual(abs(untold), UNTOLD_MICROSECONDS)

    def series(self, account):
        """Calls that only sleep, while processes of theirs work: readings, what a call costs besides, what is in no record."""
        idle = [account.call("rest") for _ in range(TIMES)]
        began = account.cgroup()
        readings = [account.call("background")]
        for turn in range(SERIES):
            if turn < STILL_LOOKS:
                self.assert_still(account)
            readings.append(account.call("rest"))
        untold = account.cgroup() - began - sum(reading.metered for reading in readings)
        worked = sum(reading.used for reading in readings)
        self.assertGreater(worked, SERIES * spender.SLEEP_SECONDS * 1e6 / 10, "its processes did not work")
        return readings[1:], statistics.median(reading.metered - reading.used for reading in idle), untold

    def assert_still(self, account):
        """None of its code runs between two calls, and its group uses nothing.

        The kernel counts a process as frozen just before it sleeps. One that is preempted in between goes the last
        steps when it has its turn again, which on a busy machine is after the answer.
        """
        looks = [(account.cgroup(), account.put_down())]
        for _ in range(2):
            time.sleep(STILL_SECONDS)
            looks.append((account.cgroup(), account.put_down()))
        (first, tally), second, third = looks
        self.assertEqual(second, third, f"it used CPU time between two calls: {looks}")
        self.assertEqual(second[1], tally, f"its code ran between two calls: {looks}")
        self.assertLessEqual(second[0] - first, LAST_STEPS_MICROSECONDS, looks)


class Ends(MeteringCase):
    """Calls that end with their worker, whose other processes are at work."""

    def end(self, account, shape, work, query):
        """A reading of a call after which there is no worker, only its tally."""
        account.clear()
        reading = account.observe(shape, work, query)
        self.assertIn("error", reading.reply.json, reading)
        self.assertNotIn(account.box, boxes.names(self.daemon.group))
        return reading

    def reading(self, *order):
        return self.repeatedly(self.account(), lambda account: self.end(account, *order))

    def check(self, shape, times, query=""):
        pairs = [(self.reading(shape, 0, query), self.reading(shape, WORK, query)) for _ in range(times)]
        besides = statistics.median(idle.metered - idle.used for idle, _ in pairs)
        self.assert_close(shape, [reading for _, reading in pairs], besides)

    def test_a_worker_that_exits(self):
        self.check("exits", 3)

    def test_a_worker_whose_time_is_up(self):
        self.check("overstays", 1, "?timeout=1")


class Loading(MeteringCase):
    """The first call of a worker, which had to load the code."""

    def test_what_loading_used_is_in_no_record(self):
        told = {}
        for seconds in (0, 0.1):
            name = "eager" if seconds else "lazy"
            algorithm = self.deploy(name, LOADS % seconds)
            users = [self.daemon.user(f"{name}{turn}") for turn in range(3)]
            replies = [self.daemon.call(algorithm, "x", user) for user in users]
            self.assertEqual({reply.start for reply in replies}, {"cold"})
            told[seconds] = statistics.median(metered(reply) for reply in replies)
        print(f"first calls, after loading with and without 100 ms of work: {told[0.1]} and {told[0]} µs", flush=True)
        self.assertLessEqual(abs(told[0.1] - told[0]), MICROSECONDS_OFF)

    def deploy(self, name, text):
        with tempfile.TemporaryDirectory(prefix="faasd-test-") as folder:
            with open(os.path.join(folder, name + ".py"), "w") as file:
                file.write(text)
            return self.daemon.deploy(folder, self.author, name=name)


class Sleep(MeteringCase):
    """What the kernel does for a box that stands still: no line of its code runs, but its group uses CPU time."""

    def check(self, shape):
        asleep, untold = self.repeatedly(self.account(), lambda account: self.two_calls(account, shape))
        print(f"{shape:22} {asleep} µs in its sleep, {untold} µs of it in no record", flush=True)
        self.assertLessEqual(abs(untold), UNTOLD_MICROSECONDS)

    def two_calls(self, account, shape):
        began = account.cgroup()
        first = account.call(shape)
        fell_asleep, since = account.cgroup(), account.all_boxes()
        time.sleep(0.5)
        asleep = account.cgroup() - fell_asleep
        second = account.call("rest", since=since)
        return asleep, account.cgroup() - began - first.metered - second.metered

    def test_a_child_that_its_alarm_clock_ends_is_in_the_record_of_the_next_call(self):
        self.check("dies_asleep")
