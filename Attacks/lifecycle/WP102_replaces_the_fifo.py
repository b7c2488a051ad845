"""WP102: a published algorithm that puts something else where its FIFO was."""
import concurrent.futures
import time

DEED = "replaces /tmp/algoout by a file, links out of the box, a folder, a socket, a FIFO of its own, or takes /tmp away"
EXPECTED = "the call ends in time, the next is answered, by the same worker or another; nothing behind a link is touched"
CLASS = "answers of a published algorithm"
SOURCE = """
import os, shutil, socket
FIFO = "/tmp/algoout"
def apply(way):
    if way == "none":
        return "answered"
    os.unlink(FIFO)
    if way == "file":
        open(FIFO, "w").write("{}")
    elif way.startswith("/"):
        os.symlink(way, FIFO)
    elif way == "folder":
        os.mkdir(FIFO)
        open(FIFO + "/full", "w").close()
    elif way == "socket":
        socket.socketpair()
        os.mknod(FIFO, 0o140644)
    elif way == "fifo":
        os.mkfifo(FIFO)
    elif way == "moved":
        os.chmod("/tmp", 0)
    elif way == "many":
        for number in range(2_000):
            open(f"{FIFO}.{number}", "w").close()
        os.mkdir(FIFO)
    return "answered"
"""
OWN, LINKS = ("file", "folder", "socket", "fifo", "moved", "many"), ("/tmp/algoout", "/proc/self/mem", "/proc/1/fd/4", "/dev/null")


def judge(outside):
    algorithm = outside.publish("replaces", SOURCE)
    ways = (*OWN, *LINKS, outside.canaries.file)
    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(len(ways)) as pool:
        replies = list(pool.map(lambda way: outside.call(way, query="?timeout=2", algorithm=algorithm), ways))
        outside.held(time.monotonic() - began < 4, f"it took {time.monotonic() - began:.1f} s")
        again = list(pool.map(lambda way: outside.call("none", query="?timeout=5", algorithm=algorithm), ways))
    for way, reply in zip(ways, replies):
        outcome = outside.usage(reply)["outcome"]
        outside.held(reply.status == 200 and outcome != "platform-fault", f"{way}: {reply.body[:200]!r}")
    for way, reply in zip(ways, again):
        if "error" in reply.json:
            outside.free(reply)
    outside.answered(outside.call("none", query="?timeout=5", algorithm=algorithm), "answered")
    outside.untouched()
