"""FS11: leaves files for the next tenant."""
import os

DEED = "leaves files in /tmp, /dev/shm, /var/tmp, /run/lock and the like; another account calls the same algorithm and looks"
EXPECTED = "the other account's box is fresh, and the host has none of the files"
CLASS = "state between tenants"
NAME = "faasd-attack-fs11"
FOLDERS = ("/tmp", "/dev/shm", "/var/tmp", "/run/lock", "/home/algo", "/home", "/fn/code", "/dev", "/opt")


def apply(order):
    if order == "look":
        return [folder for folder in FOLDERS if os.path.exists(f"{folder}/{NAME}") or holds(folder)]
    made = []
    for folder in FOLDERS:
        try:
            with open(f"{folder}/{NAME}", "w") as file:
                file.write(order)
            made.append(folder)
        except OSError:
            pass
    return made


def holds(folder):
    """Whether anything at all is in a folder that is fresh when a box starts."""
    return folder in ("/tmp", "/dev/shm") and os.listdir(folder)


def judge(outside):
    left = outside.call("leave")
    outside.answered(left, ["/tmp", "/dev/shm", "/home/algo"])
    outside.held(os.path.exists(f"{outside.root()}/tmp/{NAME}"), "nothing was left: this attack does not attack")
    outside.answered(outside.call("look", user=outside.victim), [])
    outside.answered(outside.call("look"), ["/tmp", "/dev/shm", "/home/algo"])
    for folder in (*FOLDERS, outside.daemon.state, outside.daemon.state + "/store"):
        outside.held(not os.path.exists(f"{folder}/{NAME}"), f"the host's {folder} has the file")
