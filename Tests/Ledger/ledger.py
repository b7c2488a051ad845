"""What the tests of this folder share: the driver, the shim, a journal, and what a ledger file must hold because of it."""
import atexit
import collections
import json
import os
import random
import shutil
import sqlite3
import subprocess
import tempfile
import time

FOLDER = os.path.dirname(os.path.abspath(__file__))
REPOSITORY = os.path.dirname(os.path.dirname(FOLDER))
BINARIES = os.path.abspath(os.environ.get("FAASD_BIN") or os.path.join(REPOSITORY, ".build", "debug"))
DRIVER = os.environ.get("FAASD_LEDGER_DRIVER") or os.path.join(BINARIES, "ledger-driver")
IS_FULL = os.environ.get("FAASD_PROOF") == "full"
SEED = int(os.environ.get("FAASD_TEST_SEED") or random.randrange(1 << 31))

DONE, CANNOT_OPEN, POISONED = 0, 66, 74
CALLER, LOT = 1, 12
# What Scene.swift pays in, once: whatever is retried, an account never has more.
TOP_UPS = {f"caller-{number}": 30_000_000 if number == 0 else 1 << 50 for number in range(6)}


def count(quick, full):
    return full if IS_FULL else quick


def note(name, **figures):
    """A line for docs/ledger-proof.md, when somebody collects them; and for whoever watches."""
    print(f"{name}: seed {SEED}, " + ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in figures.items()), flush=True)
    path = os.environ.get("FAASD_PROOF_RESULTS")
    if path:
        with open(path, "a") as file:
            file.write(json.dumps({"name": name, "seed": SEED, **figures}) + "\n")


def folder(in_memory=False):
    """A new folder that goes away at the end; in memory a sync costs nothing, and nothing is worn out."""
    where = "/dev/shm" if in_memory and os.path.isdir("/dev/shm") else None
    path = tempfile.mkdtemp(prefix="faasd-ledger-", dir=where)
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


def shim():
    """The compiled shim, made once for a process."""
    if not hasattr(shim, "path"):
        path = os.path.join(folder(), "shim.so")
        flags = ["-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-O2", "-shared", "-fPIC"]
        subprocess.run(["cc", *flags, "-o", path, os.path.join(FOLDER, "shim.c")], check=True)
        shim.path = path
    return shim.path


def charge(where, *options, shimmed=None, noted=None, **rest):
    """Starts `ledger-driver charge` on a folder; `shimmed` are the shim's variables, `noted` another folder for the journal."""
    journal = f"{noted or where}/journal"
    line = [DRIVER, "charge", "--database", f"{where}/ledger.db", "--journal", journal, *map(str, options)]
    environment = dict(os.environ)
    if shimmed is not None:
        environment.update({key: str(value) for key, value in shimmed.items()}, LD_PRELOAD=shim())
    process = subprocess.Popen(line, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment, **rest)
    atexit.register(process.kill)  # For a test that fails in between; a process that has been waited for is left alone.
    return process


def finish(process, seconds=60):
    """Waits for an end; returns the exit code and what was said."""
    try:
        _, said = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise AssertionError(f"the driver did not end within {seconds} s")
    return process.returncode, said.decode()


class Checker:
    """One `ledger-driver check` for many folders: opens each as the daemon would, and audits it."""

    def __init__(self):
        self.process = None

    def check(self, where):
        """\"clean\", or what is wrong; a program that ends over a file is a finding too."""
        if not self.process:
            self.process = subprocess.Popen([DRIVER, "check"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                            stderr=subprocess.DEVNULL, text=True)
        self.process.stdin.write(where + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline().strip()
        if line:
            return line
        code = self.process.wait(10)
        self.close()
        return f"the program ended with {code}"

    def close(self):
        process, self.process = self.process, None
        if process:
            process.stdin.close()
            process.stdout.close()
            process.wait(10)


class Journal:
    """What the driver was asked and answered, over any number of its lives."""

    def __init__(self, lines):
        self.lines = [line.split() for line in lines]
        self.begun, self.acked, self.failed, self.unknown, self.twice = {}, {}, {}, set(), []
        self.keys, self.kept, self.strange = {}, [], []
        self.kinds = collections.Counter()
        for line in self.lines:
            self.kinds[line[0]] += 1
            if line[0] == "begin":
                self.begun[line[1]] = line[2]
                if len(line) > 3:
                    self.keys[line[1]] = (line[2], line[3])
            elif line[0] == "ack":
                if line[1] in self.acked:
                    self.twice.append(line[1])
                self.acked[line[1]] = int(line[2])
            elif line[0] == "fail":
                self.failed[line[1]] = line[2]
            elif line[0] == "info":
                self.unknown.add(line[1])
            elif line[0] == "kept":
                self.kept.append((line[1], (line[2], line[3])))
                if len(line) > 4:
                    self.strange.append(line)

    def unanswered(self):
        return [name for name in self.begun if name not in self.acked and name not in self.failed and name not in self.unknown]

    @classmethod
    def of(cls, where):
        try:
            with open(f"{where}/journal") as file:
                return cls(line for line in file if line.endswith("\n"))
        except FileNotFoundError:
            return cls([])


def invocation(raw):
    digits = raw.hex()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


# `left`: its process ended with its hold on disk, and the next one has recorded it as the platform's fault, for nothing.
Charged = collections.namedtuple("Charged", "name amount payer left replay_of")


def durable(path):
    """What was charged, read by nothing of ours."""
    connection = sqlite3.connect(path)
    try:
        rows = connection.execute("SELECT u.invocation, u.amount_ucr, a.owner, coalesce(h.state, 0) = 2, u.replay_of FROM usage u "
                                  "JOIN account a ON a.id = u.payer LEFT JOIN hold h ON h.invocation = u.invocation")
        return [Charged(invocation(row[0]), *row[1:4], row[4] and invocation(row[4])) for row in rows]
    finally:
        connection.close()


def differences(journal, rows, keys_end=False):
    """Every way in which the records of charges and the answers about them disagree.

    With a clock that runs through days, keys end and may be used for another call.
    """
    recorded = {row.name: row.amount for row in rows}
    found = []
    if len(recorded) != len(rows):
        found.append(f"{len(rows) - len(recorded)} invocations are charged twice")
    found += [f"{name} was answered twice" for name in journal.twice]
    for name, amount in journal.acked.items():
        if name not in recorded:
            found.append(f"{name} was acknowledged with {amount} and is not there")
        elif recorded[name] != amount:
            found.append(f"{name} was acknowledged with {amount} and is there with {recorded[name]}")
    for row in rows:
        if journal.begun.get(row.name) != row.payer:
            found.append(f"{row.name} is charged to {row.payer} and was begun by {journal.begun.get(row.name)}")
        if row.left and (row.amount or row.name in journal.acked):
            found.append(f"{row.name} was left by its process, and charged {row.amount} or acknowledged")
        if row.name in journal.failed and not (row.left and row.amount == 0):
            found.append(f"{row.name} is charged {row.amount} and was answered {journal.failed[row.name]}")
    return found if keys_end else found + doubles(journal, rows)


def doubles(journal, rows):
    """Keys that were charged twice, or answered with something else than their one charge.

    A process that dies with a hold on disk leaves a record for nothing, and the key free to be used again.
    """
    found = [f"the kept answer of another call: {line}" for line in journal.strange]
    first, again = {}, {}
    for row in rows:
        key = journal.keys.get(row.name)
        if key is None or row.left:
            continue
        if row.replay_of:
            again.setdefault(key, []).append(row)
            if row.amount:
                found.append(f"{row.name} repeats a call and is charged {row.amount}")
        else:
            first.setdefault(key, []).append(row.name)
    found += [f"{key} is charged twice: {names}" for key, names in first.items() if len(names) > 1]
    found += [f"{key} was run again twice" for key, rows in again.items() if len(rows) > 1]
    found += [f"{key} repeats {row.replay_of}" for key, rows in again.items() for row in rows if row.replay_of not in first.get(key, ())]
    found += [f"{key} was answered with {name}, its charge is {first.get(key)}" for name, key in journal.kept if name not in first.get(key, ())]
    return found


# Holds on disk once the ledger is open again: none is open, a posted one has its charge, a voided one nothing but our fault.
HOLDS = """SELECT h.invocation, h.state, u.outcome FROM hold h LEFT JOIN usage u ON u.invocation = h.invocation
    WHERE h.state = 0 OR (h.state = 1 AND u.seq IS NULL) OR (h.state = 2 AND u.seq IS NOT NULL AND (u.outcome <> 17 OR u.amount_ucr))"""


def money(path):
    """Every way in which the file's money does not add up, by SQL that shares nothing with the audit."""
    connection = sqlite3.connect(path)
    try:
        def ask(sql):
            return connection.execute(sql).fetchall()

        found = [f"all credits less debits are {rest}" for (rest,) in ask("SELECT sum(credits)-sum(debits) FROM account") if rest]
        sides = {}
        for side, field in (("dr", "debits"), ("cr", "credits")):
            sides[field] = dict(ask(f"SELECT {side}, sum(amount) FROM transfer GROUP BY 1"))
        charged = dict(ask("SELECT payer, sum(amount_ucr) FROM usage GROUP BY 1"))
        paid = dict(ask("SELECT coalesce(parent, id), sum(debits - uncharged) FROM account GROUP BY 1"))
        has_gifts = ask("SELECT 1 FROM transfer WHERE code IN (110, 300, 310) LIMIT 1")
        for number, owner, kind, debits, credits, line in ask("SELECT id, owner, kind, debits, credits, overdraft FROM account"):
            if (debits, credits) != (sides["debits"].get(number, 0), sides["credits"].get(number, 0)):
                found.append(f"account {owner}/{kind} says {debits}, {credits} and its transfers do not")
            if kind == CALLER and paid[number] != charged.get(number, 0):
                found.append(f"account {owner} paid {paid[number]}, its usage is {charged.get(number, 0)}")
            if kind == CALLER and not has_gifts and credits not in (0, TOP_UPS.get(owner)):
                found.append(f"account {owner} was credited {credits}, paid in was {TOP_UPS.get(owner)}")
            if kind in (CALLER, LOT) and credits + line < debits:
                found.append(f"account {owner} is overdrawn by {debits - credits - line}")
        found += [f"hold of {invocation(name)} is {state}, its usage {outcome}" for name, state, outcome in ask(HOLDS)]
        return found
    finally:
        connection.close()


def examine(where, checker, noted=None, keys_end=False):
    """Opens a folder's ledger with the real program, then looks at it from outside; returns what is wrong, and the counts."""
    said = checker.check(where)
    found = [] if said == "clean" else [said]
    journal, rows = Journal.of(noted or where), durable(f"{where}/ledger.db")
    found += differences(journal, rows, keys_end) + money(f"{where}/ledger.db")
    return found[:10], journal, rows


def wait_for(happens, seconds, what):
    end = time.monotonic() + seconds
    while not happens():
        if time.monotonic() > end:
            raise AssertionError(f"after {seconds} s still not: {what}")
        time.sleep(0.001)
