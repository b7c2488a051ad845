"""FS12: makes what is hard to walk and to print."""
import os
import sys
import time

DEED = "makes a folder 3 000 levels deep and names of control sequences and broken UTF-8, prints them, and ends"
EXPECTED = "the box ends by unmounting, at once; nobody walks the tree, and no control sequence reaches the daemon's log"
CLASS = "traps for cleaners"
DEPTH = 3_000
NAMES = [b"\n\x1b[2J\x1b]0;owned\x07", b"\xff\xfe\xfd", b"-rf *", b"\xe2\x80\xaegpj.exe", b"'; DROP TABLE calls; --",
         b"\r" * 255, b"x" * 255]


def apply(order):
    for name in NAMES:
        with open(b"/tmp/" + name, "wb"):
            pass
        os.write(1, name + b"\n")
        os.write(2, name + b"\n")
    os.chdir("/tmp")
    depth = 0
    for depth in range(DEPTH):
        os.mkdir(b"d" * 200)
        os.chdir(b"d" * 200)
    if order == "answer":
        return depth + 1
    sys.exit(3)


def judge(outside):
    outside.answered(outside.call("answer"), DEPTH)
    outside.held(len(os.listdir(outside.root() + "/tmp")) == len(NAMES) + 1, "the tree was not made: this attack does not attack")
    reply = outside.call("end", user=outside.victim, query="?stdout=true")
    outside.failed(reply, "SystemExit")
    began = time.monotonic()
    while len(outside.workers()) > 1:
        outside.held(time.monotonic() - began < 0.5, f"its box is there after {time.monotonic() - began:.2f} s")
    log = outside.daemon.log_text()
    seen = [sign for sign in ("\x1b", "\x07", "\u202e", "DROP TABLE") if sign in log]
    outside.held(not seen, f"what it printed is in the daemon's log: {seen}")
