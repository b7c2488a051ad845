"""PR24: lets the loader load what it wrote."""
import ctypes
import os
import shutil
import subprocess

DEED = "puts a library into /tmp and /dev/shm, and has it preloaded, audited, searched for and loaded by name"
EXPECTED = "a library of the root is mapped, its copy never"
CLASS = "running code of its own"


def apply(_):
    with open("/proc/self/maps") as maps:
        honest = next(line.split()[-1] for line in maps if "/libm.so" in line)
    found = {"honest": preload("LD_PRELOAD", honest)}
    for folder in ("/tmp", "/dev/shm"):
        copy = os.path.join(folder, "libmine.so.6")
        shutil.copy(honest, copy)
        os.chmod(copy, 0o755)
        shutil.copy(copy, os.path.join(folder, "libc.so.6"))
        found |= {f"{name} {folder}": preload(name, copy) for name in ("LD_PRELOAD", "LD_AUDIT")}
        found["LD_LIBRARY_PATH " + folder] = preload("LD_LIBRARY_PATH", folder)
        try:
            ctypes.CDLL(copy)
            found["dlopen " + folder] = "mapped"
        except OSError:
            found["dlopen " + folder] = "refused"
    return found


def preload(name, value):
    """Whether a program started with this in its environment has mapped the library as code."""
    done = subprocess.run(["/usr/bin/cat", "/proc/self/maps"], env={name: value}, capture_output=True, text=True, timeout=2)
    return "mapped" if any(value in line and "x" in line.split()[1] for line in done.stdout.splitlines()) else "refused"


def judge(outside):
    reply = outside.call()
    found = reply.json.get("result") or {}
    outside.held(found.pop("honest", None) == "mapped", f"not even the root's library was mapped: {reply.body[:300]!r}")
    for way, outcome in found.items():
        outside.held(outcome == "refused", f"{way}: {outcome}")
