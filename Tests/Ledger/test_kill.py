"""kill -9 at any moment: of a ledger that is opening, charging, committing, closing."""
import random
import signal
import time
import unittest

import history
import ledger
import rerate

LOOPS = ledger.count(quick=20, full=300)
# From time to time a new file, so that the audits stay short.
LOOPS_PER_FILE = 20
# Every life has its own prices: a file holds several price books.
RATES = ((1_000_000, 1000, 0, 3000), (166_667, 1, 7, 0), (999_983, 100_000, 0, 3333), (0, 1000, 1_000_000, 10_000))


class Killed(unittest.TestCase):
    def setUp(self):
        self.checker = ledger.Checker()
        self.addCleanup(self.checker.close)

    def life(self, where, dice, clients):
        """One life of the driver, ended 1 to 80 ms after it was started, or after the ledger was open."""
        prices = ",".join(map(str, dice.choice(RATES)))
        opened = ledger.Journal.of(where).kinds["open"]
        process = ledger.charge(where, "--seed", dice.randrange(1 << 40), "--tasks", clients, "--readers", 2, "--prices", prices,
                                "--keys", dice.choice((0, 40, 4000)), "--durable", dice.choice((1, 1, 100_000, 1 << 40)))
        if dice.random() < 0.8:
            ledger.wait_for(lambda: ledger.Journal.of(where).kinds["open"] > opened, 10, "the ledger is open")
        time.sleep(dice.uniform(0.001, 0.08))
        process.send_signal(signal.SIGKILL)
        code, said = ledger.finish(process)
        self.assertEqual(code, -signal.SIGKILL, said)

    def test_no_acknowledged_charge_is_lost_none_doubled_none_invented(self):
        dice = random.Random(ledger.SEED)
        files = tails = charges = acknowledged = readings = kept = 0
        before = 0
        for loop in range(LOOPS):
            if loop % LOOPS_PER_FILE == 0:
                where, before, files = ledger.folder(), 0, files + 1
            self.life(where, dice, clients=dice.choice((1, 8, 64)))
            found, journal, rows = ledger.examine(where, self.checker)
            strange, read = history.impossible(journal, rows)
            self.assertEqual(found + strange, [], f"seed {ledger.SEED}, loop {loop}, in {where}")
            tails += len(rows) - len(journal.acked) > before
            before = len(rows) - len(journal.acked)
            if loop % LOOPS_PER_FILE == LOOPS_PER_FILE - 1 or loop == LOOPS - 1:
                self.assertEqual(rerate.rerate(f"{where}/ledger.db")[0][:5], [], f"seed {ledger.SEED}")
                kept += len(journal.kept)
                charges, acknowledged, readings = charges + len(rows), acknowledged + len(journal.acked), readings + read
        self.assertGreater(acknowledged, 2 * LOOPS, "there was hardly anything to lose")
        self.assertGreater(tails, 0, "no kill hit between a commit and its answer: the moments are chosen badly")
        ledger.note("kill -9", loops=LOOPS, files=files, charges=charges, acknowledged=acknowledged,
                    loops_with_a_durable_tail_that_nobody_was_told=tails, balances_read=readings,
                    answers_kept_for_a_key=kept)


if __name__ == "__main__":
    unittest.main()
