import os


def apply(_):
    with open("/proc/self/status", encoding="ascii", errors="replace") as status:
        lines = dict(line.rstrip("\n").split(":\t", 1) for line in status if ":\t" in line)
    wanted = ("Cap", "NoNewPrivs", "Seccomp", "Uid", "Gid", "Groups", "Threads")
    return {
        "uid": os.getuid(),
        "gid": os.getgid(),
        "pid": os.getpid(),
        "status": {key: value.strip() for key, value in lines.items() if key.startswith(wanted)},
        "env": dict(os.environ),
        "cwd": os.getcwd(),
        "root": sorted(os.listdir("/")),
        "fds": sorted(int(name) for name in os.listdir("/proc/self/fd")),
    }
