"""64 clients and readers at once, killed and started again; what they were told, against some order of the calls."""
import random
import signal
import sqlite3
import threading
import time
import unittest

import history
import ledger

CLIENTS, READERS = 64, 4
OPERATIONS = ledger.count(quick=6_000, full=200_000)
LIFE_SECONDS = ledger.count(quick=0.8, full=3)


class Bank(threading.Thread):
    """Looks at the file while it is written: in every snapshot all money is there, and usage is what was paid."""

    def __init__(self, path):
        super().__init__()
        self.path, self.is_over, self.looks, self.wrong = path, threading.Event(), 0, []

    def run(self):
        connection = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, isolation_level=None, timeout=10)
        while not self.is_over.wait(0.01):
            try:
                connection.execute("BEGIN")
                rest = connection.execute("SELECT coalesce(sum(credits - debits), 0) FROM account").fetchone()[0]
                paid = connection.execute("SELECT coalesce(sum(debits), 0) FROM account WHERE kind = 1").fetchone()[0]
                used = connection.execute("SELECT coalesce(sum(amount_ucr), 0) FROM usage").fetchone()[0]
                connection.execute("COMMIT")
            except sqlite3.OperationalError:
                continue  # A killed writer left the log to be recovered; a reader cannot do it.
            self.looks += 1
            if rest or paid != used:
                self.wrong.append((rest, paid, used))
        connection.close()


class Histories(unittest.TestCase):
    def test_what_clients_and_readers_saw_is_possible_and_all_money_is_there_at_every_look(self):
        dice, where, lives, looks = random.Random(ledger.SEED), ledger.folder(), 0, 0
        checker = ledger.Checker()
        self.addCleanup(checker.close)
        self.assertEqual(checker.check(where), "clean")
        journal = ledger.Journal.of(where)
        while len(journal.begun) < OPERATIONS or lives < 3:
            bank = Bank(f"{where}/ledger.db")
            process = ledger.charge(where, "--seed", dice.randrange(1 << 40), "--tasks", CLIENTS, "--readers", READERS,
                                    "--keys", 20_000, "--durable", 200_000)
            bank.start()
            time.sleep(dice.uniform(0.5, 1.5) * LIFE_SECONDS)
            process.send_signal(signal.SIGKILL)
            code, said = ledger.finish(process)
            bank.is_over.set()
            bank.join()
            self.assertEqual((code, bank.wrong[:3]), (-signal.SIGKILL, []), said)
            journal, lives, looks = ledger.Journal.of(where), lives + 1, looks + bank.looks
        found, journal, rows = ledger.examine(where, checker)
        strange, readings = history.impossible(journal, rows)
        self.assertEqual(found + strange[:5], [], f"seed {ledger.SEED}")
        self.assertGreater(readings, OPERATIONS // 100)
        self.assertGreater(looks, lives)
        open_ended = len(journal.unanswered())
        ledger.note("history of 64 clients", operations=len(journal.begun), kills=lives, acknowledged=len(journal.acked),
                    refused_or_released=len(journal.failed), never_answered=open_ended, charged=len(rows),
                    balances_read=readings, looks_at_the_file=looks)


if __name__ == "__main__":
    unittest.main()
