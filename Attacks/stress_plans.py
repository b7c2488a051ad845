"""What a stress test runs: which stressors, in which company, what is left out, and what its endings are called."""
import collections
import re
import signal

TOGETHER = 8

# The dangerous ones too; and files that fit into /tmp, since a refused first write would end these at once.
ALWAYS = ["--verbose", "--pathological", "--fallocate-bytes", "64M", "--iomix-bytes", "64M", "--readahead-bytes", "64M",
          "--revio-bytes", "64M", "--sync-file-bytes", "64M", "--copy-file-bytes", "128M"]
HARDER = ["--maximize"]

NEVER = {
    "plugin": "it runs functions of a shared library that the user of stress-ng writes, and there is none",
}
NOT_TOGETHER = {
    "ioport": "stress-ng tries iopl(2) before it starts anything, and the filter ends all of stress-ng for it",
    "sem-sysv": "stress-ng makes its semaphores before it starts anything, and ends when it may not",
    "userfaultfd": "stress-ng tries userfaultfd(2) before it starts anything, and the filter ends all of stress-ng for it",
}
"""Left out of the one run of a whole class; they run in the others."""

FILTER = "ended by the filter"
SAYINGS = (
    (r"terminated on signal: 31", FILTER),
    (r"needs? to be run|need CAP|CAP_[A-Z_]+ (rights|capability)", "needs rights"),
    (r"skipp|No stress workers|out of system resources|not (available|supported)", "nothing to stress"),
    (r"exit status=2", "refused"),
    (r"finished prematurely", "gave up"),
)
"""What stress-ng says of one stressor, and what it means; the first counts."""

Plan = collections.namedtuple("Plan", "kind stressors commands seconds claims_root", defaults=(False,))
"""One run: its kind, what runs, the arguments of each stress-ng, for how long, whether it passes for root."""


def control(seconds):
    """A box that only computes, to compare the bystander's waits with."""
    return Plan("control", ["cpu"], [["--cpu", "16"]], seconds)


def together(name, members, seconds):
    """The plans that run many stressors of a class in one box."""
    able = [stressor for stressor in members if stressor not in NEVER]
    unable = [stressor for stressor in members if stressor in NEVER or stressor in NOT_TOGETHER]
    exclude = ["--exclude", ",".join(unable)] if unable else []
    yield Plan("class", able, [["--class", name, "--all", "1", *exclude]], seconds)
    for at in range(0, len(able), TOGETHER):
        some = able[at : at + TOGETHER]
        yield Plan("eights", some, [[f"--{stressor}", "1", *HARDER] for stressor in some], seconds)


def alone(stressor, seconds):
    """The plan that runs one stressor."""
    return Plan("alone", [stressor], [[f"--{stressor}", "1"]], seconds)


def as_root(stressor, seconds):
    """The same for one that refuses to start without root's rights: it is told that it has them."""
    return Plan("root", [stressor], [[f"--{stressor}", "1"]], seconds, claims_root=True)


def ending(reply, plan):
    """How a call ended, in a word."""
    if "error" in reply.json:
        return reply.error["error_type"]
    said, code = reply.metadata.get("stdout") or "", reply.result["code"]
    if code < 0:
        return FILTER if code == -signal.SIGSYS else signal.Signals(-code).name
    has_lasted = int(reply.headers["X-Faasd-Run-Us"]) > 0.9e6 * plan.seconds
    if len(plan.stressors) > 1:
        return "ran" if has_lasted else "ended early"
    for words, meaning in SAYINGS:
        if re.search(words, said):
            return meaning
    return "refused" if code else "ran" if has_lasted else "gave up"
