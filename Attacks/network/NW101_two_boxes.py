"""NW101: has two boxes talk to each other."""
import errno
import os
import socket
import threading
import time

DEED = "one box listens on abstract and named Unix sockets, the box of another tenant calls it there at the same moment"
EXPECTED = "names are the box's own: the second finds nobody, the first is never called"
CLASS = "channels between tenants"
NAMES = ("\0faasd-attack-nw101", "/tmp/faasd-attack-nw101", "/dev/shm/faasd-attack-nw101")
SECONDS = 1.0


def apply(order):
    return listen() if order == "listen" else {name: attempt(name) for name in (*NAMES, "/proc/1/root" + NAMES[1])}


def listen():
    sockets = []
    for name in NAMES:
        sockets.append(socket.socket(socket.AF_UNIX))
        sockets[-1].bind(name)
        sockets[-1].listen()
        sockets[-1].setblocking(False)
        if not name.startswith("\0"):
            os.chmod(name, 0o777)
    end, called = time.monotonic() + SECONDS, 0
    while time.monotonic() < end:
        for opened in sockets:
            try:
                called += bool(opened.accept())
            except BlockingIOError:
                pass
        time.sleep(0.005)
    return called


def attempt(name):
    try:
        with socket.socket(socket.AF_UNIX) as opened:
            opened.connect(name)
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error))
    return "connected"


def judge(outside):
    outside.call("talk", user=outside.victim)  # The victim's box is warm, so that both run at once.
    replies = []
    first = threading.Thread(target=lambda: replies.append(outside.call("listen")))
    first.start()
    time.sleep(SECONDS / 2)
    outside.held(len(outside.workers()) == 2, f"there are the workers {outside.workers()}, expected two at once")
    outside.each(outside.call("talk", user=outside.victim), "ECONNREFUSED", "ENOENT", "EPERM")
    first.join()
    outside.answered(replies[0], 0)
