"""Loss of power at any moment of a recorded run; and a disk that lies, to show that these tests can fail."""
import random
import unittest

import ledger
import powerfail

POINTS = ledger.count(quick=250, full=10_000)
POINTS_LONG = ledger.count(quick=0, full=500)
POINTS_LYING = ledger.count(quick=60, full=1_000)
SHORT = ("--tasks", 3, "--count", 8, "--runs", 5, "--keys", 30, "--durable", 100_000)
# Long enough for the log to be moved into the file while calls go on, and to begin anew.
LONG = ("--tasks", 3, "--count", 260, "--runs", 2)


def checkpoints_under_load(events):
    """How often the database file was synced and the same log was written to afterwards."""
    count, synced = 0, None
    for event in events:
        if event.what == "S" and event.kind == powerfail.DATABASE:
            synced = True
        elif event.what == "U":
            synced = None
        elif synced and event.what == "W" and event.kind == powerfail.LOG:
            count, synced = count + 1, None
    return count


class PowerFails(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.checker = ledger.Checker()
        cls.addClassCleanup(cls.checker.close)

    def trace(self, options, seed, **faults):
        where = ledger.folder()
        process = ledger.charge(where, *options, "--seed", seed, shimmed={"SHIM_TRACE": f"{where}/trace", **faults})
        self.assertEqual(ledger.finish(process), (ledger.DONE, ""))
        return powerfail.read_trace(f"{where}/trace")

    def lose_power(self, events, points, dice):
        """Loses power at so many moments of a trace; returns what was found wrong, by moment, and how each was made."""
        moments = sorted(dice.choices(range(1, len(events) + 1), k=points))
        where, disk, lines, wrong, done = ledger.folder(in_memory=True), powerfail.Disk(), [], {}, 0
        for moment in moments:
            for event in events[done:moment]:
                if event.kind == powerfail.JOURNAL:
                    lines.append(event.data.decode())
                else:
                    disk.apply(event)
            done = moment
            how = disk.crash(dice, where)
            found = self.look(where, lines)
            if found:
                wrong[moment] = (how, found)
        return wrong

    def look(self, where, lines):
        said = self.checker.check(where)
        found = [] if said == "clean" else [said]
        try:
            rows = ledger.durable(f"{where}/ledger.db")
            return found + ledger.differences(ledger.Journal(lines), rows) + ledger.money(f"{where}/ledger.db")
        except Exception as error:  # A file that is no database any more is a finding, not the end of the test.
            return [*found, repr(error)]

    def assert_survives(self, name, options, points, traces, is_long=False):
        dice, total, charges = random.Random(ledger.SEED), 0, 0
        for number in range(traces):
            events = self.trace(options, dice.randrange(1 << 40))
            if is_long:
                self.assertGreater(checkpoints_under_load(events), 0, "the log was never moved while calls went on")
            wrong = self.lose_power(events, points // traces, dice)
            self.assertEqual(list(wrong.items())[:3], [], f"{len(wrong)} of {points // traces} moments, seed {ledger.SEED}, trace {number}")
            total += len(events)
            charges += sum(event.kind == powerfail.JOURNAL and event.data.startswith(b"ack") for event in events)
        ledger.note(name, points=points, traces=traces, events=total, acknowledged=charges, lost=0, corrupt=0)

    def test_no_acknowledged_charge_is_lost_and_no_file_is_damaged(self):
        self.assert_survives("loss of power", SHORT, POINTS, traces=ledger.count(quick=2, full=20))

    if POINTS_LONG:
        def test_the_same_while_the_log_is_moved_into_the_file(self):
            self.assert_survives("loss of power with checkpoints under load", LONG, POINTS_LONG, traces=2, is_long=True)

    def test_on_a_disk_that_lies_about_syncs_the_loss_is_seen(self):
        dice = random.Random(ledger.SEED)
        events = self.trace(SHORT, dice.randrange(1 << 40), SHIM_SWALLOW_SYNC=1)
        wrong = self.lose_power(events, POINTS_LYING, dice)
        lost = sum("acknowledged" in " ".join(found) for _, found in wrong.values())
        self.assertGreater(lost, POINTS_LYING // 10, "the loss of acknowledged charges was not seen")
        ledger.note("loss of power on a disk that lies", points=POINTS_LYING, seen_to_lose_charges=lost,
                    seen_to_be_damaged=len(wrong) - lost)


if __name__ == "__main__":
    unittest.main()
