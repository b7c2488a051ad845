"""Disks that fail, fill up, or take their time: at every call in turn."""
import concurrent.futures
import ctypes
import os
import random
import shutil
import signal
import threading
import time
import unittest

import ledger

RUN = ("--tasks", 3, "--count", 5, "--runs", 2)
# Without `make test-ledger`: the first calls, and some of the others.
FIRST, OTHERS = 6, 14
KINDS = {
    "every sync from the n-th on fails": {"SHIM_FAIL_SYNC": None},
    "the n-th sync fails": {"SHIM_FAIL_SYNC": None, "SHIM_ONCE": 1},
    "the n-th write fails": {"SHIM_FAIL_WRITE": None, "SHIM_ONCE": 1},
    "from the n-th write on the disk is full": {"SHIM_FAIL_WRITE": None, "SHIM_WRITE_ERROR": 28},
    "the n-th write is cut short, and then the disk is full": {
        "SHIM_FAIL_WRITE": None, "SHIM_WRITE_ERROR": 28, "SHIM_SHORT_WRITE": 1},
}
libc = ctypes.CDLL(None, use_errno=True)


def mount_memory(path, kibibytes, flags=0):
    if libc.mount(b"tmpfs", path.encode(), b"tmpfs", flags, f"size={kibibytes}k".encode()) != 0:
        raise OSError(ctypes.get_errno(), f"mount {path}: a full disk needs root")


class Disk(unittest.TestCase):
    def setUp(self):
        self.own = threading.local()

    def checker(self):
        """One for each thread."""
        if not hasattr(self.own, "checker"):
            self.own.checker = ledger.Checker()
            self.addCleanup(self.own.checker.close)
        return self.own.checker

    def assert_books_are_right(self, where, what, noted=None):
        found, journal, rows = ledger.examine(where, self.checker(), noted)
        self.assertEqual(found, [], f"{what}, seed {ledger.SEED}, in {where}")
        self.assertEqual(journal.unanswered()[:3], [], f"{what}: callers were left without an answer")
        return journal, rows

    def calls(self, dice):
        """How many syncs and writes a run without faults makes."""
        where = ledger.folder()
        process = ledger.charge(where, *RUN, "--seed", dice.randrange(1 << 40), shimmed={"SHIM_COUNTS": f"{where}/counts"})
        self.assertEqual(ledger.finish(process), (ledger.DONE, ""))
        with open(f"{where}/counts") as file:
            return map(int, file.read().split())

    def fail_once(self, faults, number, seed, what):
        where = ledger.folder(in_memory=True)
        chosen = {key: number if value is None else value for key, value in faults.items()}
        process = ledger.charge(where, *RUN, "--seed", seed, shimmed=chosen)
        code, said = ledger.finish(process)
        self.assertIn(code, (ledger.DONE, ledger.CANNOT_OPEN, ledger.POISONED), f"{what} {number}: {said}")
        journal, _ = self.assert_books_are_right(where, f"{what} {number}")
        if code == ledger.DONE:
            self.assertEqual((journal.unknown, said), (set(), ""), what)
        shutil.rmtree(where)
        return code, len(journal.unknown)

    def test_at_every_call_of_the_disk_that_fails_nobody_is_told_what_is_not_so(self):
        dice = random.Random(ledger.SEED)
        syncs, writes = self.calls(dice)
        for what, faults in KINDS.items():
            # Runs differ in their commits: a few more than were counted, so that the last are clean.
            last = (syncs if "SHIM_FAIL_SYNC" in faults else writes) * 5 // 4
            turns = range(1, last + 1)
            if not ledger.IS_FULL:
                turns = [*turns[:FIRST], *sorted(dice.sample(turns[FIRST:], OTHERS))]
            with self.subTest(what):
                seeds = [dice.randrange(1 << 40) for _ in turns]
                with concurrent.futures.ThreadPoolExecutor(2) as pool:
                    codes = list(pool.map(lambda number, seed: self.fail_once(faults, number, seed, what), turns, seeds))
                stopped = sum(code == ledger.POISONED for code, _ in codes)
                self.assertGreater(stopped, 0, what)
                ledger.note(what, tried=len(codes), up_to=turns[-1], stopped_the_ledger=stopped,
                            kept_it_from_opening=sum(code == ledger.CANNOT_OPEN for code, _ in codes),
                            answered_unknown=sum(unknown for _, unknown in codes))

    def test_a_disk_that_is_full_loses_nothing_and_goes_on_when_there_is_room(self):
        dice = random.Random(ledger.SEED)
        for kibibytes in ledger.count((2048,), (1024, 2048, 3072, 4096)):
            noted = ledger.folder()
            where = os.path.join(noted, "disk")
            os.mkdir(where)
            mount_memory(where, kibibytes)
            self.addCleanup(libc.umount2, where.encode(), 2)
            process = ledger.charge(where, "--seed", dice.randrange(1 << 40), noted=noted)
            code, said = ledger.finish(process)
            self.assertEqual(code, ledger.POISONED, said)
            self.assertIn("full", said)
            mount_memory(where, 65_536, flags=32)  # MS_REMOUNT
            journal, rows = self.assert_books_are_right(where, "disk full", noted)
            process = ledger.charge(where, "--seed", dice.randrange(1 << 40), "--count", 20, noted=noted)
            self.assertEqual(ledger.finish(process), (ledger.DONE, ""))
            _, more = self.assert_books_are_right(where, "room again", noted)
            self.assertGreater(len(more), len(rows))
            ledger.note("a full disk", kibibytes=kibibytes, acknowledged=len(journal.acked), charged=len(rows),
                        answered_unknown=len(journal.unknown), charged_when_there_was_room=len(more) - len(rows))

    def test_a_slow_disk_makes_the_queue_full_and_never_longer(self):
        tasks, queue, where = 200, 16, ledger.folder()
        process = ledger.charge(where, "--seed", ledger.SEED, "--tasks", tasks, "--count", ledger.count(6, 30),
                                "--readers", 4, "--queue", queue, shimmed={"SHIM_SLEEP_SYNC_US": 100_000})
        self.assertEqual(ledger.finish(process, 300), (ledger.DONE, ""))
        journal, _ = self.assert_books_are_right(where, "slow syncs")
        longest = max(int(line[1]) for line in journal.lines if line[0] == "load")
        refused = sum(kind == "queueFull" for kind in journal.failed.values())
        self.assertLessEqual(longest, queue + tasks, "settlements are bounded by the holds, all else by the queue")
        self.assertGreater(refused, 0)
        self.assertGreater(journal.kinds["busy"], 0)
        ledger.note("syncs of 100 ms", acknowledged=len(journal.acked), queue_at_most=longest, calls_refused=refused,
                    changes_refused=journal.kinds["busy"])

    def test_a_process_that_was_stopped_for_a_while_goes_on(self):
        seconds, where = ledger.count(1, 5), ledger.folder()
        process = ledger.charge(where, "--seed", ledger.SEED, "--tasks", 16, "--count", 400, "--readers", 2)
        ledger.wait_for(lambda: ledger.Journal.of(where).acked, 10, "a charge")
        process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED)
        before = len(ledger.Journal.of(where).acked)
        time.sleep(seconds)
        self.assertEqual(len(ledger.Journal.of(where).acked), before)
        process.send_signal(signal.SIGCONT)
        self.assertEqual(ledger.finish(process), (ledger.DONE, ""))
        journal, _ = self.assert_books_are_right(where, "stopped")
        self.assertGreater(len(journal.acked), before)
        ledger.note("stopped and continued", seconds=seconds, acknowledged_before=before, after=len(journal.acked) - before)


if __name__ == "__main__":
    unittest.main()
