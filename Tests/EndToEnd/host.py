"""The machine the suite runs on: what must be there, and how to wait for it."""
import os
import pwd
import socket
import subprocess
import sys
import time

import boxes

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BINARIES = os.path.abspath(os.environ.get("FAASD_BIN") or os.path.join(REPOSITORY, ".build", "debug"))
HOST_USER = "faasd"


def check_host():
    """Fails, and never skips, where the suite cannot say anything."""
    if os.geteuid() != 0:
        raise AssertionError("the end to end tests must run as root: faasd drops its rights itself")
    for program in ("faasd", "faasctl", "faasd-spawner"):
        if not os.access(os.path.join(BINARIES, program), os.X_OK):
            raise AssertionError(f"{BINARIES}/{program} is not there: build first, or set FAASD_BIN")
    if not boxes.mounts():
        raise AssertionError("no control groups are mounted: without them no limit can be tested")
    try:
        pwd.getpwnam(HOST_USER)
    except KeyError:
        subprocess.run(["useradd", "--system", "--shell", "/usr/sbin/nologin", HOST_USER], check=True)


def import_algorithmia():
    """The official client, unmodified; behind everything else on the path, because it brings old modules along."""
    folder = os.environ.get("FAASD_ALGORITHMIA")
    if not folder or not os.path.isdir(os.path.join(folder, "Algorithmia")):
        how = "pip install --target FOLDER algorithmia==2.0.5"
        raise AssertionError(f"FAASD_ALGORITHMIA is {folder!r}: it must name a folder made by {how}")
    if folder not in sys.path:
        sys.path.append(folder)
    import Algorithmia

    return Algorithmia


def wait_until(happens, seconds, what):
    """Asks again and again; returns the first true answer."""
    end = time.monotonic() + seconds
    while True:
        answer = happens()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"after {seconds} s still not: {what}")
        time.sleep(0.01)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
