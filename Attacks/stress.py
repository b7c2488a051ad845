"""Runs stress-ng in boxes of a daemon of its own, class by class, and looks from outside whether anything but the box
is harmed: `python3 stress.py [--seconds N] [--each N] [--class NAME,…] [--patient] [--write FILE]`.

Environment and rights as for selftest.py; stress-ng must be installed. Exit status: 0 when nothing was harmed, 1 otherwise.
"""
import argparse
import collections
import json
import math
import os
import sys
import tempfile
import time

import stress_box as box
import stress_judge as judge
import stress_plans as plans
import stress_report as report
from bystander import Bystander, bound, percentile
from selftest import TRIES, Range, view

NAME = "stressor"
CALLS_MAX = 12
SECONDS_MAX = 15
"""So that the bystander, who calls for at most 50 s, is there to the end of a run."""
MORE_SECONDS = 10
MEMORY_BYTES, PERIOD_SECONDS = 512 * judge.MIB, 0.2
KERNEL_SHARE_MAX = 0.25
DAEMON_GROWTH_MAX = 128 * judge.MIB
"""64 MiB are the ledger's cache of its own pages, the rest is what malloc keeps of logs of 1 MiB."""


class Run:
    """What one plan came to."""

    def __init__(self, plan):
        self.plan = plan
        self.endings = collections.Counter()
        self.said, self.faults, self.doubts, self.others = "", [], [], []
        self.seconds = self.run_seconds = self.cpu_seconds = 0.0

    @property
    def ending(self):
        """How a run of one call ended."""
        return next(iter(self.endings), "never")


class Stress:
    """A range with the algorithm deployed, and its host as it was before."""

    def __init__(self, is_patient):
        self.place, self.is_patient = Range(), is_patient
        self.daemon = self.place.daemon
        with tempfile.TemporaryDirectory(prefix="faasd-attack-") as folder:
            box.pack(folder, NAME)
            self.algorithm = self.daemon.deploy(folder, self.place.attacker, "--isolation", "call", "--timeout", 60, name=NAME)
        warm = self.call(self.sight(), plans.Plan("warm", [], [["--version"]], 1), 1)
        assert "result" in warm.json, warm
        assert self.daemon.usage(warm.call_id), warm  # The first question about usage opens a file for good.
        judge.settles(lambda: not self.sight().awake())
        self.host, self.dying = judge.Host(self.daemon), judge.dying_groups()

    def sight(self):
        place = self.place
        return view.Outside(self.daemon, place.canaries, place.attacker, place.victim, self.algorithm, box.__file__)

    def run(self, plan):
        """Runs a plan; what others on the host could have caused counts only when it comes each time."""
        for _ in range(TRIES):
            result = self.once(plan)
            if result.faults or not result.doubts:
                return result
        result.faults = [f"{doubt}, and likewise in {TRIES} tries" for doubt in result.doubts]
        return result

    def once(self, plan):
        result, sight, began = Run(plan), self.sight(), time.monotonic()
        memory, lines = judge.memory(), self.host.log.lines
        with Bystander(self.daemon, self.place.passer, self.place.echo) as beside, judge.Sampler(sight) as result.sampler:
            try:
                self.calls(sight, plan, result)
                sight.gone()
                sight.held(judge.settles(lambda: not sight.boxes(), 2), f"the boxes {sight.boxes()} are left")
                sight.untouched()
            except view.Escaped as error:
                result.faults.append(str(error))
            except (OSError, ValueError) as error:
                result.faults.append(f"the call: {type(error).__name__}: {error}")
        result.others, result.seconds = beside.seconds, time.monotonic() - began
        result.faults += [f"the bystander was answered wrongly: {fault}" for fault in beside.faults] + self.host.faults()
        result.log_lines = self.host.log.lines - lines
        self.doubt(result, memory)
        return result

    def doubt(self, result, memory):
        """What harm it may have done, unless others on the host did it."""
        judge.settles(lambda: memory - judge.memory() <= judge.MEMORY_LOST_MAX)
        lost = memory - judge.memory()
        if lost > judge.MEMORY_LOST_MAX:
            result.doubts.append(f"{lost // judge.MIB} MiB of the host's memory did not come back")
        if result.sampler.host_bytes > MEMORY_BYTES + judge.MEMORY_LOST_MAX:
            result.doubts.append(f"it held {result.sampler.host_bytes // judge.MIB} MiB of the kernel's memory")
        if result.sampler.kernel_share > KERNEL_SHARE_MAX:
            result.doubts.append(f"the kernel's own threads used {result.sampler.kernel_share:.2f} of a processor, unmetered")
        p99, allowed = percentile(result.others, 0.99) if result.others else 0.0, bound(self.place.quiet)
        if p99 > allowed and not self.is_patient:
            result.doubts.append(f"the bystander's p99 was {p99 * 1e3:.1f} ms, allowed {allowed * 1e3:.1f}")

    def calls(self, sight, plan, result):
        """Calls once, or again as long as there is time when stress-ng ends before it should."""
        end = time.monotonic() + plan.seconds
        for _ in range(CALLS_MAX):
            reply = self.call(sight, plan, max(1, math.ceil(end - time.monotonic())))
            self.meter(sight, reply, result)
            result.endings[plans.ending(reply, plan)] += 1
            result.said += reply.metadata.get("stdout") or ""
            if plan.kind in ("alone", "root", "control") or time.monotonic() > end - 0.5:
                return

    def call(self, sight, plan, seconds):
        """One call. An endless one is killed by the deadline, any other is given more time than it needs."""
        is_endless = plan.kind == "eights"
        commands = [[*command, *plans.ALWAYS, "--timeout", "60" if is_endless else str(seconds)] for command in plan.commands]
        allowed = seconds if is_endless else seconds + MORE_SECONDS
        wish = {"commands": commands, "is_endless": is_endless, "claims_root": plan.claims_root}
        return sight.call(wish, query=f"?stdout=true&timeout={allowed}")

    def meter(self, sight, reply, result):
        """Limits and bill of one call."""
        sight.held(reply.status == 200, f"the call was answered with {reply.status} {reply.body[:200]!r}")
        outcome = (sight.usage(reply) or {}).get("outcome")
        sight.held(outcome not in (None, "platform-fault"), f"its outcome is {outcome}: {reply.body[:300]!r}")
        run, cpu = int(reply.headers["X-Faasd-Run-Us"]) / 1e6, sight.metered(reply) / 1e6
        result.run_seconds, result.cpu_seconds = result.run_seconds + run, result.cpu_seconds + cpu
        sight.held(cpu <= (run + PERIOD_SECONDS) * 1.05, f"it used {cpu:.2f} s of one processor in {run:.2f} s")

    def close(self):
        """The daemon's books and log, and its end in order; what was wrong."""
        faults, log = [], os.pread(self.daemon.log.fileno(), 1 << 26, 0).decode("utf-8", "replace")
        faults += [f"the daemon's log: {line}" for line in log.splitlines() if " error " in line or " critical " in line]
        self.dying_after = judge.dying_groups()
        try:
            self.bytes_after = judge.resident(self.daemon.pid)
            if self.bytes_after - self.host.bytes_before > DAEMON_GROWTH_MAX:
                faults.append(f"the daemon grew from {self.host.bytes_before} to {self.bytes_after} bytes")
            self.daemon.audit()
        except (AssertionError, OSError) as error:
            faults.append(f"at the end: {error}")
        try:
            self.place.close()
        except AssertionError as error:
            faults.append(f"at its stop: {error}")
        return faults


def run(names, seconds, each, is_patient):
    """Runs the classes. Returns (stress, {class: [run, …]}, faults at the end)."""
    stress, results, known = Stress(is_patient), {}, {}
    try:
        stress.control = told(stress.run(plans.control(seconds)))
        for name in names:
            members = box.classes()[name]
            results[name] = [told(stress.run(plan)) for plan in plans.together(name, members, seconds)]
            for stressor in members if each else ():
                if stressor not in known and stressor not in plans.NEVER:
                    known[stressor] = alone(stress, stressor, each)
                results[name] += known.get(stressor, [])
    finally:
        faults = stress.close()
    return stress, results, faults


def alone(stress, stressor, seconds):
    """Runs one stressor by itself, and once more as root if it asks for that."""
    found = [told(stress.run(plans.alone(stressor, seconds)))]
    if found[0].ending == "needs rights":
        found.append(told(stress.run(plans.as_root(stressor, seconds))))
    return found


def told(result):
    """A run, after a line about it."""
    print(report.line(result), file=sys.stderr, flush=True)
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=5, choices=range(1, SECONDS_MAX + 1), metavar="N",
                        help="how long each class runs, and each eight stressors of it (default 5)")
    parser.add_argument("--each", type=int, default=0, choices=range(SECONDS_MAX + 1), metavar="N",
                        help="run every stressor alone, too, for so many seconds")
    parser.add_argument("--class", dest="classes", default="", metavar="NAME,…", help="these classes only")
    parser.add_argument("--patient", action="store_true", help="do not judge how fast the bystander is served")
    parser.add_argument("--json", metavar="FILE", help="write every run there, with what stress-ng said")
    parser.add_argument("--write", metavar="FILE", help="write the tables there")
    options = parser.parse_args()
    names = list(filter(None, options.classes.split(","))) or list(box.classes())
    stress, results, faults = run(names, options.seconds, options.each, options.patient)
    everything = report.unique([stress.control, *(result for found in results.values() for result in found)])
    if options.json:
        with open(options.json, "w") as file:
            json.dump([report.record(result) for result in everything], file)
    if options.write:
        with open(options.write, "w") as file:
            file.write(report.document(stress, results, faults, options))
    print(report.summary(everything, faults))
    sys.exit(1 if faults or any(result.faults for result in everything) else 0)


if __name__ == "__main__":
    main()
