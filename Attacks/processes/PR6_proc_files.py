"""PR6: reads what /proc tells of processes."""
import os

DEED = "reads environ, cmdline, maps, status and fd of every number up to the daemon's and the other boxes' own"
EXPECTED = "there is one process, itself"
CLASS = "reading other processes"


def apply(pids):
    found = {}
    for pid in {*range(1, 400), *pids, *(int(name) for name in os.listdir("/proc") if name.isdigit())}:
        for file in ("cmdline", "environ", "maps", "status", "cgroup", "mountinfo"):
            try:
                with open(f"/proc/{pid}/{file}") as opened:
                    found[f"{pid} {file}"] = opened.read(4096)
            except OSError:
                pass
    return found


def judge(outside):
    import boxes
    pids = [outside.daemon.pid, outside.daemon.spawner_pid(), os.getpid(), *boxes.processes(outside.daemon.group)]
    reply = outside.call(pids)
    found = reply.json.get("result") or {}
    outside.held({key.split()[0] for key in found} == {"1"}, f"it read {sorted(found)[:20]}")
    outside.held(found["1 cmdline"].rstrip("\0").endswith(("/rt/worker.py", "/rt/zygote.py")), f"its first process is {found['1 cmdline']!r}")
    for value in outside.environment().values():
        outside.held(len(value) < 12 or value not in found["1 environ"], f"it has {value!r} of the daemon's environment")
    outside.held(all(line.endswith(":/") for line in found["1 cgroup"].split()), f"it sees groups {found['1 cgroup']!r}")
