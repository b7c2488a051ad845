"""WP2: keeps what one caller sends for the next caller."""
import builtins
import os
import sys

DEED = "hides what a caller sent in the interpreter, the environment, /tmp and /dev/shm, and tells it the next caller"
EXPECTED = "neither another account nor another version ever meets a process that has seen it"
CLASS = "one tenant's data to another"
SECRET = "sent by the victim"


def apply(text):
    found = [getattr(builtins, "leak", None), os.environ.get("LEAK"), sys.modules.get("leak")]
    for folder in ("/tmp", "/dev/shm", "/var/tmp", "/run"):
        try:
            with open(folder + "/leak") as file:
                found.append(file.read())
        except OSError:
            pass
        try:
            with open(folder + "/leak", "w") as file:
                file.write(text)
        except OSError:
            pass
    builtins.leak = os.environ["LEAK"] = sys.modules["leak"] = text
    return [one for one in found if one]


def judge(outside):
    outside.answered(outside.call(SECRET, outside.victim), [])
    outside.answered(outside.call("mine"), [])
    outside.answered(outside.call("mine again"), (["mine"] * 4, ["mine"] * 5))
    with open(outside.source) as file:
        outside.deploy(outside.algorithm.partition("/")[2], {"main.py": file.read()})
    outside.answered(outside.call("newer", outside.victim), [])
    outside.answered(outside.call("newer"), [])
