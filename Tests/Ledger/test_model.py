"""Random histories of every operation against a model that is nothing but sums over lists."""
import subprocess
import unittest

import ledger

HISTORIES = ledger.count(quick=120, full=10_000)
PROCESSES = 2
STEPS_MAX = 200
# Answers without which the histories would prove nothing; the model's words.
NEEDED = (
    "open: done", "topup: done", "topup: error conflict", "topup: error accountUnknown", "royalty: done", "royalty: error conflict",
    "quota: done", "unquota: done", "unquota: nothing", "admit: granted", "admit: granted ceiling", "admit: refused credit",
    "admit: refused spendCap", "admit: refused cpuQuota", "admit: refused concurrency", "admit: refused accountUnknown",
    "settle: charged remaining", "settle: error conflict", "release: released", "reopen: open", "crash: open", "audit: done",
    "grant: done", "adjust: done", "refund: done", "line: rev", "change: rev", "tick: done", "admit: kept",
    "admit: refused accountFrozen", "admit: refused failureAllowance", "admit: refused keyInFlight",
)


class Model(unittest.TestCase):
    def test_the_ledger_does_what_the_model_does(self):
        line = [ledger.DRIVER, "model", "--seed", str(ledger.SEED), "--steps", str(STEPS_MAX), "--sequences", str(HISTORIES // PROCESSES)]
        folder = ledger.folder(in_memory=True)
        runs = [subprocess.Popen([*line, "--folder", folder, "--first", str(number * HISTORIES // PROCESSES)], text=True,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE) for number in range(PROCESSES)]
        answers = {}
        for run in runs:
            out, err = run.communicate(timeout=1800)
            self.assertEqual(run.returncode, 0, out + err[-600:])
            for count, answer in (text.split(" ", 1) for text in out.splitlines()):
                answers[answer] = answers.get(answer, 0) + int(count)
        self.assertEqual([answer for answer in NEEDED if answer not in answers], [])
        ledger.note("histories against the model", histories=HISTORIES, steps=sum(answers.values()), kinds_of_answer=len(answers),
                    charges=answers["settle: charged remaining"], crashes=answers["crash: open"], reopened=answers["reopen: open"])


if __name__ == "__main__":
    unittest.main()
