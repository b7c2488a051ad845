"""Charges of any outcome, price and royalty, rated again by a program that shares nothing with the ledger."""
import random
import sqlite3
import unittest

import ledger
import rerate

RECORDS = ledger.count(quick=3_000, full=100_000)
RATES = (1_000_000, 0, 1, 159, 166_667, 999_983, 999_999, 1_000_001, 123_456_789)
# At these prices binary fractions are wrong by one for every whole time that is tried.
FIRST = (1_003_000, 1000, 0, 3333)
INCREMENTS = (1, 2, 7, 999, 1000, 1001, 100_000, 1_000_000)
CALL_PRICES = (0, 0, 0, 1, 17, 1_000_000)
FEES = (0, 1, 3000, 3333, 5000, 9999, 10_000)
DAY = 86_400_000_000
# Unpaid CPU seconds a day of an account, an author and a pair: so few that they run out.
ALLOWANCES = (600, 900, 300)
# The 27th of January 2028, a leap year.
BEGIN = 1_832_544_000_000_000


class Rates(unittest.TestCase):
    def life(self, where, dice, records, start):
        """One life with prices of its own, in which the clock runs through weeks."""
        prices = [dice.choice(choices) for choices in (RATES, INCREMENTS, CALL_PRICES, FEES)]
        prices = ",".join(map(str, FIRST if start == BEGIN else prices))
        clock = f"{start},{dice.choice((1, 1000, 60_000_000, 600_000_000))}"
        process = ledger.charge(where, "--seed", dice.randrange(1 << 40), "--tasks", 16, "--count", records // 16,
                                "--prices", prices, "--clock", clock, "--gifts", "yes", "--keys", 200,
                                "--durable", 1_000_000, "--allowances", ",".join(map(str, ALLOWANCES)))
        self.assertEqual(ledger.finish(process, 300), (ledger.DONE, ""))

    def test_every_record_is_right_to_the_microcredit(self):
        dice, where, start, lives = random.Random(ledger.SEED), ledger.folder(), BEGIN, ledger.count(8, 40)
        path, records = f"{where}/ledger.db", 0
        while records < RECORDS:
            self.life(where, dice, RECORDS // lives, start)
            connection = sqlite3.connect(path)
            (start,), (records,) = connection.execute("SELECT max(ts_us) FROM block UNION ALL SELECT count(*) FROM usage").fetchall()
            given = connection.execute("SELECT count(*) FROM transfer WHERE code IN (110, 300, 310, 500)").fetchone()[0]
            books, months = connection.execute("SELECT count(*) FROM price_book UNION ALL SELECT count(DISTINCT period) FROM quota_used")
            outcomes = connection.execute("SELECT count(DISTINCT outcome) FROM usage").fetchone()[0]
            connection.close()
            # The clock may also go back between two lives.
            start += dice.choice((1, DAY, -DAY, 12 * DAY))
        found, rated = rerate.rerate(path, [1_000_000 * seconds for seconds in ALLOWANCES])
        self.assertEqual(found[:5], [], f"{len(found)} differences, seed {ledger.SEED}")
        self.assertEqual((rated, outcomes), (records, 18))
        checker = ledger.Checker()
        self.addCleanup(checker.close)
        self.assertEqual(ledger.examine(where, checker, keys_end=True)[0], [])
        ledger.note("rated again in Python", records=rated, price_books=books[0], days_and_months=months[0],
                    grants_ends_corrections_refunds=given, differences=0)

    def test_one_microcredit_too_much_is_seen(self):
        where = ledger.folder()
        process = ledger.charge(where, "--seed", ledger.SEED, "--tasks", 4, "--count", 50)
        self.assertEqual(ledger.finish(process), (ledger.DONE, ""))
        self.assertEqual(rerate.rerate(f"{where}/ledger.db")[0], [])
        connection = sqlite3.connect(f"{where}/ledger.db")
        connection.executescript("DROP TRIGGER usage_ro_u; UPDATE usage SET compute_ucr = compute_ucr + 1, "
                                 "amount_ucr = amount_ucr + 1 WHERE seq = 7 AND amount_ucr < hold_ucr; "
                                 "UPDATE usage SET outcome = 2 WHERE seq = 8")
        connection.close()
        self.assertNotEqual(rerate.rerate(f"{where}/ledger.db")[0], [])


if __name__ == "__main__":
    unittest.main()
