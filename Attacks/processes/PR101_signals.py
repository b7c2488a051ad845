"""PR101: sends signals to whomever it can name."""
import errno
import os
import signal

DEED = "sends signals to the daemon, its spawner, another tenant's box, every number, its group and its own first process"
EXPECTED = "nobody outside is there; whoever was running runs on"
CLASS = "ending other processes"


def apply(pids):
    found = {}
    for pid in (*pids, *(-pid for pid in pids)):
        for number in (0, signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM):
            found[f"{number} to {pid}"] = attempt(pid, number)
    if (child := os.fork()) == 0:
        for number in (signal.SIGKILL, signal.SIGSTOP, signal.SIGSEGV):
            os.kill(1, number)
            for everybody in (-1, 0):
                attempt(everybody, signal.SIGSTOP if number == signal.SIGKILL else 0)
        os.kill(-1, signal.SIGKILL)
        os._exit(0)
    os.waitpid(child, os.WNOHANG)
    os.kill(-1, signal.SIGKILL)
    return found


def attempt(pid, number):
    try:
        os.kill(pid, number)
    except OSError as error:
        return errno.errorcode[error.errno]
    return "sent"


def judge(outside):
    import boxes
    daemon = outside.daemon
    beside = {pid for pid, box in boxes.processes(daemon.group).items() if box in outside.bystanders}
    pids = [daemon.pid, daemon.spawner_pid(), *beside, os.getpid()]
    reply = outside.call(pids, query="?timeout=5")
    # A fork of a template is not process 1: its child may have stopped it before it could answer.
    if reply.json.get("error", {}).get("error_type") != "TimeoutError":
        outside.each(reply, "ESRCH", "EPERM")
    for pid in pids:
        outside.held(boxes.status(pid)["State"][0] in "RSD", f"process {pid} is {boxes.status(pid)['State']}")
