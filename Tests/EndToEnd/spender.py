"""The algorithm that test_metering.py deploys: uses CPU time in many ways and writes down how much, by its own clocks.

Each process and thread has a slot in one file that all of them share, where it leaves its own CPU clock at its last
moment. The test reads the file from outside when the box stands still. Nothing in here knows what the daemon measured.
"""
import atexit
import ctypes
import hashlib
import mmap
import os
import signal
import sys
import threading
import time

PYTHON = ["/usr/bin/python3", "-I", "-S", "-B"]
TALLY, SLOTS = "/tmp/tally", 64
BLOCK = bytes(16 << 10)  # hashlib lets go of the interpreter's lock for more than 2047 bytes.
NANOSECONDS_A_SPAWN = 1_000_000
SLEEP_SECONDS = 0.02


def open_tally(path):
    """The slots of a tally, nanoseconds each."""
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    os.ftruncate(file, 8 * SLOTS)
    shared = mmap.mmap(file, 8 * SLOTS)
    os.close(file)
    return memoryview(shared).cast("q")


def process_clock():
    return time.clock_gettime_ns(time.CLOCK_PROCESS_CPUTIME_ID)


def thread_clock():
    return time.clock_gettime_ns(time.CLOCK_THREAD_CPUTIME_ID)


def burn(nanoseconds, clock=thread_clock):
    end = clock() + nanoseconds
    while clock() < end:
        pass


def busy(slot):
    """Works for ever; its slot is never more than one turn old."""
    while True:
        slots[slot] = process_clock()


def leave(slot):
    """The last moment of a process: its clock began with it, and goes on over execs."""
    slots[slot] = process_clock()
    os._exit(0)


def wait_for(slot, nanoseconds=0):
    while slots[slot] <= nanoseconds:
        time.sleep(0.0005)


def one_thread(work):
    burn(work)


def eight_threads(work):
    def run(slot):
        end = thread_clock() + work // 8
        while thread_clock() < end:
            hashlib.sha256(BLOCK).digest()
        slots[slot] = thread_clock()

    threads = [threading.Thread(target=run, args=(slot,)) for slot in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def forks_and_waits(work):
    for slot in range(1, 5):
        if os.fork() == 0:
            burn(work // 4)
            leave(slot)
        os.wait()


def orphans(work):
    """Double forks whose grandchildren nobody waits for."""
    for slot in (1, 2):
        child = os.fork()
        if child == 0:
            if os.fork() == 0:
                burn(work // 2)
                leave(slot)
            leave(slot + 2)
        os.waitpid(child, 0)
    for slot in (1, 2):
        wait_for(slot)


def daemons(work):
    """Sessions of their own, no descriptors, no signal that ends them."""
    for slot in (1, 2):
        if os.fork() == 0:
            os.setsid()
            for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
                signal.signal(number, signal.SIG_IGN)
            os.closerange(0, 16)
            if os.fork() == 0:
                burn(work // 2)
                leave(slot)
            leave(slot + 2)
    for slot in (1, 2, 3, 4):
        wait_for(slot)


def chain_of_execs(work):
    """One process that becomes another program three times, and works as each."""
    child = os.fork()
    if child == 0:
        run_program("chain", 1, work // 3, 2)
    os.waitpid(child, 0)


def spawns(work):
    """Programs that end at once: all they do is start. What waiting for them tells is the truth here."""
    for _ in range(work // NANOSECONDS_A_SPAWN):
        child = os.posix_spawn("/usr/bin/true", ["true"], {})
        used = os.wait4(child, 0)[2]
        slots[1] += int((used.ru_utime + used.ru_stime) * 1e9)


def killed(work):
    """Children that work until they are killed."""
    children = []
    for slot in range(1, 5):
        children.append(os.fork())
        if children[-1] == 0:
            busy(slot)
    for slot, child in enumerate(children, 1):
        wait_for(slot, work // 4)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


class Late(dict):
    """Works when the last who holds it lets go."""

    def __init__(self, work, note, slot):
        self.work, self.note, self.slot, self.burn, self.slots = work, note, slot, burn, slots

    def __del__(self):
        self.burn(self.work)
        self.slots[self.slot] = self.note()


def finalisers(work):
    """Works in atexit and __del__ of a program, and in __del__ of the answer once it is encoded."""
    child = os.fork()
    if child == 0:
        run_program("finaliser", 1, work // 3, 0)
    os.waitpid(child, 0)
    return Late(work // 3, lambda: thread_clock() - began[0], 0)


def background(_):
    """A child, a daemon and a thread that go on when the answer has left; their slots stay theirs."""
    for slot in (1, 2):
        if os.fork() == 0:
            os.setsid()
            busy(slot)

    def run():
        while True:
            hashlib.sha256(BLOCK).digest()
            slots[3] = thread_clock()

    threading.Thread(target=run, daemon=True).start()


def rest(_):
    time.sleep(SLEEP_SECONDS)


def company(work):
    """Two children for the ends below: busy ones, or for comparison idle ones."""
    for slot in (1, 2):
        if os.fork() == 0:
            if work:
                busy(slot)
            slots[slot] = process_clock()
            idle()
    for slot in (1, 2):
        wait_for(slot)


def idle():
    while True:
        time.sleep(60)


def exits(work):
    """Ends the worker in the middle of everything."""
    company(work)
    burn(work)
    slots[0] = thread_clock() - began[0]
    os._exit(3)


def overstays(work):
    """Is at work, or for comparison asleep, when its time is up."""
    company(work)
    slots[0] = thread_clock() - began[0]
    while work:
        slots[0] = thread_clock() - began[0]
    idle()


def dies_asleep(_):
    """A child with much memory whose alarm clock ends it when all stand still; the kernel clears up after it."""
    if os.fork() == 0:
        memory = bytearray(200 << 20)
        memory[:: mmap.PAGESIZE] = bytes(len(memory) // mmap.PAGESIZE)
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        slots[1] = process_clock()
        idle()
    wait_for(1)


def run_program(role, slot, work, more):
    os.execv(PYTHON[0], [*PYTHON, os.path.abspath(__file__), role, *map(str, (slot, work, more))])


def program(role, slot, work, more):
    """What this file does when it is run and not imported."""
    global _late  # With an underscore: names like this are let go first, when everything else is still there.
    if role == "finaliser":
        _late = Late(work, process_clock, slot)
        atexit.register(burn, work)
        return
    burn(work)
    if more == 0:
        leave(slot)
    run_program(role, slot, work, more - 1)


began = [0]


def apply(order):
    """[shape, nanoseconds of work]; the slot of the worker is the first."""
    shape, work = order
    began[0], slots[0] = thread_clock(), 0
    answer = globals()[shape](work)
    slots[0] = thread_clock() - began[0]
    return answer


slots = open_tally(TALLY)
if __name__ == "__main__":
    program(sys.argv[1], *map(int, sys.argv[2:]))
