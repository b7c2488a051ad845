"""The corpus of Attacks/, each attack a test: none may get further than it says."""
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "Attacks"))
import selftest

ATTACKS_MIN = 70


class Corpus(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.range = selftest.Range()
        cls.addClassCleanup(cls.range.close)

    def test_the_corpus_is_whole(self):
        self.assertGreaterEqual(len(selftest.corpus()), ATTACKS_MIN)


class ExecutedBoxes(unittest.TestCase):
    """Those on boxes once more, whose interpreters are started for each call rather than forked."""

    @classmethod
    def setUpClass(cls):
        cls.range = selftest.Range({"blanks": 0})
        cls.addClassCleanup(cls.range.close)


class ForkedTemplates(unittest.TestCase):
    """And once more in forks of a process that has loaded the attack."""

    @classmethod
    def setUpClass(cls):
        cls.range = selftest.Range(options=("--start", "template"))
        cls.addClassCleanup(cls.range.close)


SHARED = {
    "NW102": "a template and its forks are in one network namespace, which has nothing",
    "PR6": "they see each other's processes",
    "WP10": "a fork is not process 1 and can stop itself: its call runs into its timeout",
    "WP16": "it sees its template, which is of the same caller and the same code",
}
"""What is not so where a version asks for forks of its own, and why that is no escape."""


def attacked(attack):
    def test(self):
        # How fast the bystander is served is for a release build and a quiet host to say: faasctl selftest.
        escaped, _, _ = self.range.run(attack, is_patient=True)
        self.assertNotEqual(selftest.verdict(attack, escaped), "ESCAPED", escaped)

    return test


for found in selftest.corpus():
    folder, name = os.path.split(found.path)
    setattr(Corpus, "test_" + name[:-3], attacked(found))
    if os.path.basename(folder) in ("files", "lifecycle", "network", "processes"):
        setattr(ExecutedBoxes, "test_" + name[:-3], attacked(found))
        if found.has_code and found.id not in SHARED and not {"call", "template"} & set(getattr(found.module, "OPTIONS", ())):
            setattr(ForkedTemplates, "test_" + name[:-3], attacked(found))


if __name__ == "__main__":
    unittest.main()
