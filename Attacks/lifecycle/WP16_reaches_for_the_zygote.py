"""WP16: looks for what it inherited from the process it was forked from."""
import errno
import os
import re
import socket

DEED = "tries every descriptor, every process and its own memory for the zygote's socket and the host's paths in its orders"
EXPECTED = "five descriptors of its own, no process but its own, and no path of the host in its memory"
CLASS = "taking over what boxes are made from"
MASK = bytes((number + 77) % 256 for number in range(256))  # Twice is not the word again.


def apply(masked):
    """`masked` are words that must not be found; masked, because they are in memory as soon as they are said."""
    return {"descriptors": descriptors(), "processes": [name for name in os.listdir("/proc") if name.isdecimal()],
            "sent": [send(number) for number in range(3, 64)], "found": search([word.encode("latin-1") for word in masked])}


def descriptors():
    found = []
    for number in range(1024):
        try:
            os.fstat(number)
            found.append(number)
        except OSError:
            pass
    return found


def send(number):
    try:
        opened = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET, 0, number)
    except OSError as error:
        return errno.errorcode[error.errno]
    try:
        opened.sendmsg([bytes(24)])
    except OSError as error:
        return errno.errorcode[error.errno]
    finally:
        opened.detach()
    return "sent"


def search(masked):
    found = []
    with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", buffering=0) as memory:
        for line in maps.readlines():
            first, last, rights = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+)", line).groups()
            if rights[0] != "r" or "[v" in line:
                continue
            memory.seek(int(first, 16))
            try:
                content = memory.read(int(last, 16) - int(first, 16)).translate(MASK)
            except OSError:
                continue
            found += [f"{number}: {line.split()[-1]}" for number, word in enumerate(masked) if word in content]
    return found


def judge(outside):
    state = outside.daemon.state.encode()
    words = [state + b"/store", state + b"/roots", outside.daemon.group.encode()]
    for _ in range(2):
        reply = outside.call([word.translate(MASK).decode("latin-1") for word in words])
        outside.held("result" in reply.json, f"it failed: {reply}")
        result = reply.result
        outside.held(set(result["descriptors"]) <= {0, 1, 2, 3, 4, 5}, f"it has the descriptors {result['descriptors']}")
        outside.held(result["processes"] == ["1"], f"it sees the processes {result['processes']}")
        outside.held("sent" not in result["sent"], "something took its message")
        outside.held(result["found"] == [], f"its memory has words of the host: {result['found']}")
