"""WP1: works on after it has answered."""
import os
import signal
import threading
import time

DEED = "leaves threads, processes and timers that go on burning CPU after the answer"
EXPECTED = "all of it stands still until the next call, which is told every microsecond of it"
CLASS = "work that nobody pays"
CALLS, UNTOLD_MICROSECONDS = 10, 5_000


begun = []


def apply(_):
    if begun:
        return "answered"
    begun.append(True)
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    signal.signal(signal.SIGALRM, lambda *_: None)
    for _ in range(2):
        threading.Thread(target=burn, daemon=True).start()
        if os.fork() == 0:
            os.setsid()
            for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGTSTP):
                signal.signal(number, signal.SIG_IGN)
            burn()
    return "answered"


def burn():
    while True:
        pass


def judge(outside):
    outside.answered(outside.call(), "answered")
    outside.gone(within=0.5)
    (box,) = outside.boxes()
    paid, used = outside.daemon.balance(outside.attacker.name), outside.cpu_microseconds(box)
    time.sleep(0.5)
    outside.held(outside.cpu_microseconds(box) == used, "it used CPU time between two calls")
    outside.held(outside.daemon.balance(outside.attacker.name) == paid, "the balance changed between two calls")
    told = 0
    for _ in range(CALLS):
        reply = outside.call()
        outside.answered(reply, "answered")
        told += outside.usage(reply)["cpu_us"]
    untold = outside.cpu_microseconds(box) - used - told
    outside.held(outside.boxes() == {box}, "another worker answered")
    outside.held(untold < UNTOLD_MICROSECONDS, f"of {CALLS} calls, {untold} µs of CPU time are in no record")
