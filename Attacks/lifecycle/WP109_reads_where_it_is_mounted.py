"""WP109: reads what its mounts say of the host."""

DEED = "reads mountinfo, mountstats and its control group for names of the host's folders"
EXPECTED = "where the daemon keeps its state, and the name of its control group, are not told"
CLASS = "knowledge of the host"


def apply(_):
    seen = ""
    for pid in ("1", "self", "thread-self"):
        for name in ("mountinfo", "mounts", "mountstats", "cgroup", "cpuset"):
            try:
                with open(f"/proc/{pid}/{name}") as file:
                    seen += file.read()
            except OSError as error:
                seen += str(error)
    return seen


def judge(outside):
    reply = outside.call()
    for told in (outside.daemon.state, outside.daemon.group, outside.canaries.folder):
        lines = [line for line in reply.result.splitlines() if told in line]
        outside.held(not lines, f"the box is told {lines[:1]}")
