"""Reaping of orphans by a runtime that is pid 1 of its box."""
import os
import sys

_known_held = set()


def reap_orphans():
    """Collects zombies that nobody else will collect; about 1 µs when there is no zombie.

    Children that a live subprocess.Popen or multiprocessing process object still owns are left to it: taking them
    would lose their exit status. A bare os.fork() whose child is waited for in a later call is not protected.
    """
    try:
        first = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return
    if first is None:
        return
    zombies = _zombie_children()
    if zombies <= _known_held:
        return
    held = _pids_with_owner()
    _known_held.clear()
    _known_held.update(zombies & held)
    for pid in zombies - held:
        try:
            os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            pass


def _zombie_children():
    """Pids of this process's dead children, from /proc; empty when /proc is not there."""
    own, zombies = os.getpid(), set()
    try:
        pids = [name for name in os.listdir("/proc") if name.isdecimal()]
    except OSError:
        return zombies
    for pid in pids:
        try:
            with open(f"/proc/{pid}/stat", "rb", buffering=0) as stat:
                state, parent = stat.read(4096).rpartition(b")")[2].split()[:2]
        except (OSError, ValueError):
            continue
        if state == b"Z" and int(parent) == own:
            zombies.add(int(pid))
    return zombies


def _pids_with_owner():
    """Pids of children that a live process object of the standard library will wait for."""
    classes = []
    for module in ("subprocess", "multiprocessing.popen_fork"):
        popen = getattr(sys.modules.get(module), "Popen", None)
        if isinstance(popen, type):
            classes.append(popen)
    for popen in classes:
        classes.extend(kind for kind in popen.__subclasses__() if kind not in classes)
    if not classes:
        return set()
    import gc

    owners = [thing for thing in gc.get_referrers(*classes) if isinstance(thing, tuple(classes))]
    return {owner.pid for owner in owners if getattr(owner, "returncode", None) is None and hasattr(owner, "pid")}
