"""Turns the figures that the tests noted into docs/ledger-proof.md: report.py RESULTS SECONDS."""
import datetime
import json
import os
import platform
import subprocess
import sys

HEAD = """# Proof of the ledger

Made by `make test-ledger`; every line is a test that passed, with what it counted.

{date}, commit {commit}, {kernel}, {machine}, {processors} CPUs, SQLite {sqlite}; {minutes} minutes. `FAASD_TEST_SEED={seed}` repeats it.

| what was caused | figures |
|---|---|
"""
TAIL = """
What had to hold each time: whatever a caller was told to have paid is in the file, once, with that amount; nothing is in
it that nobody began, or that somebody was told had failed; every caller got an answer; all credits and debits of all
accounts add up to nothing, and payments made again with the same reference count once; the audit has no finding.

- Power is lost in a model: writes before the last completed sync are kept, later ones kept, dropped, reordered, or torn by
  512 bytes, names change in order. Disks that break that promise are not covered; one that lies about syncs loses charges,
  and the test sees it.
- A failed sync keeps the pages that the kernel had: what was answered "unknown" may be there or not.
- A planted fault is a patch in `Tests/Ledger/faults/`; the test named found it, and passes without it.
"""


def commit():
    def git(*words):
        return subprocess.run(["git", *words], capture_output=True, text=True).stdout.strip()

    changed = git("status", "--porcelain", "--untracked-files=no", "--", "Sources", "Tests", "scripts")
    return (git("rev-parse", "--short", "HEAD") or "unknown") + (" with changes" if changed else "")


def sqlite_version():
    import sqlite3

    return sqlite3.sqlite_version


def figure(value):
    return f"{value:,}" if isinstance(value, int) else str(value)


def main(path, seconds):
    with open(path) as file:
        notes = [json.loads(line) for line in file]
    system = os.uname()
    head = HEAD.format(date=datetime.date.today(), commit=commit(), kernel=f"{platform.system()} {system.release}", machine=system.machine,
                       processors=os.cpu_count(), sqlite=sqlite_version(), minutes=-(-int(seconds) // 60), seed=notes[0]["seed"])
    print(head, end="")
    for note in notes:
        figures = [f"{key.replace('_', ' ')} {figure(value)}" for key, value in note.items() if key not in ("name", "seed")]
        print(f"| {note['name'].rstrip('.')} | {', '.join(figures)} |")
    print(TAIL, end="")


if __name__ == "__main__":
    main(*sys.argv[1:])
