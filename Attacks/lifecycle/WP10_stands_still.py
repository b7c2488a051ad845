"""WP10: makes itself hard to freeze and hard to kill."""
import os
import signal
import time

DEED = "stops itself and its children, waits in vfork for a child that never runs, blocks in opens, then answers"
EXPECTED = "freezing is bounded in time; what cannot be frozen is ended, with all its processes"
CLASS = "hiding from the freezer"


def apply(way):
    if way == "stops":
        for _ in range(4):
            child = os.fork()
            if child == 0:
                os.kill(os.getpid(), signal.SIGSTOP)
                os._exit(0)
        os.kill(1, signal.SIGSTOP)
    elif way == "vforks":
        os.mkfifo("/tmp/never")
        opens = [(os.POSIX_SPAWN_OPEN, 0, "/tmp/never", os.O_RDONLY, 0)]
        for _ in range(4):
            if os.fork() == 0:
                os.posix_spawn("/usr/bin/python3", ["x"], {}, file_actions=opens)
        time.sleep(0.1)
    elif way == "stops the parent":
        if os.fork() == 0:
            while True:
                for pid in (1, os.getppid()):
                    os.kill(pid, signal.SIGSTOP)
    elif way == "continues":
        if os.fork() == 0:
            child = os.fork()
            while child == 0:
                time.sleep(0)
            while True:
                os.kill(child, signal.SIGSTOP), os.kill(child, signal.SIGCONT)
    return way


def judge(outside):
    for way in ("stops", "vforks", "stops the parent", "continues"):
        began = time.monotonic()
        reply = outside.call(way, query="?timeout=2")
        outside.held(time.monotonic() - began < 3, f"{way}: the call took {time.monotonic() - began:.1f} s")
        outside.answered(reply, way)
        outside.gone(within=1)
        outside.held(outside.daemon.balance(outside.attacker.name)["held_microcredits"] == 0, "a hold is left")
