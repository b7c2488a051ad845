"""WP20: works where a meter might not look."""
import os
import subprocess
import threading
import time

DEED = "burns CPU in children that exit at once, in spawned programs, in threads that end, in orphans and in finalisers"
EXPECTED = "all of it is in the record of the call, to the last milliseconds"
CLASS = "work that nobody pays"
BURN = "end = __import__('time').process_time() + %s\nwhile __import__('time').process_time() < end: pass"
UNTOLD_MICROSECONDS = 5_000
LEAST_MICROSECONDS = 200_000


def apply(way):
    if way == "forks":
        for _ in range(100):
            if os.fork() == 0:
                burn(0.0025)
                os._exit(0)
            os.wait()
    elif way == "spawns":
        for _ in range(3):
            subprocess.run(["/usr/bin/python3", "-S", "-c", BURN % 0.08], check=True)
    elif way == "threads":
        for _ in range(50):
            thread = threading.Thread(target=burn, args=(0.005,))
            thread.start()
            thread.join()
    elif way == "orphans":
        for _ in range(5):
            if os.fork() == 0:
                if os.fork() == 0:
                    burn(0.05)
                os._exit(0)
            os.wait()
        time.sleep(0.5)
    elif way == "finaliser":
        return Late()
    return way


class Late(dict):
    def __del__(self):
        burn(0.25)


def burn(seconds):
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


def judge(outside):
    outside.answered(outside.call("warm"), "warm")
    (box,) = outside.boxes()
    for way in ("forks", "spawns", "threads", "orphans", "finaliser"):
        used = outside.cpu_microseconds(box)
        told = outside.usage(outside.call(way))["cpu_us"]
        untold = outside.cpu_microseconds(box) - used - told
        outside.held(untold < UNTOLD_MICROSECONDS, f"{way}: {untold} µs of CPU time are in no record")
        outside.held(way == "finaliser" or told > LEAST_MICROSECONDS, f"{way}: the record has {told} µs")
