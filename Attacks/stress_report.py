"""What a stress test came to, in lines and as a document."""
import collections
import os
import platform
import subprocess
import time

import stress_box as box
import stress_judge as judge
import stress_plans as plans

ENDINGS = {
    "ran": "worked as long as it should",
    "refused": "stopped at the first call that was refused or not there",
    "gave up": "found nothing that it may do, and ended early",
    "ended by the filter": "made a system call that ends its process",
    "nothing to stress": "what it stresses is not in the box, or not in this kernel",
    "needs rights": "did not start, because it saw that it is not root; it ran again with a library that tells it that it is",
    "ended early": "stress-ng ended all of them, because one could not go on",
    "OutOfMemoryError": "the box was killed at its memory limit",
    "ProcessLimitError": "forks were refused before the box was killed",
    "TimeoutError": "the deadline killed the box",
    "DiskLimitError": "/tmp was full when the box was killed",
    "SignalError": "the worker itself was killed",
    "SIGALRM": "a stressor sent stress-ng a signal that ends it",
    "SIGKILL": "a stressor sent stress-ng a signal that ends it",
}
JUDGED = """What had to hold after each run:

- **The daemon** and its spawner are the processes they were, and have no more files open, no other mounts and no other files;
  `/healthz` answers. At the end the ledger's audit is clean, the log has no errors, and the daemon stops in order.
- **The bystander**, another account, called its own algorithm and `/healthz` all the time, and each answer was right.
- **The box** is gone within 2 s, its control group too, and no process runs one of its programs. It used one processor, and
  what it did is in a usage record that does not blame the platform.
- **The host** has all but 64 MiB of its memory back, and the kernel never held more than the box's limit and 64 MiB besides.
  The kernel's own threads used a quarter of a processor at most. Canary, files of others, settings, modules, clock and
  the kernel's taint are as they were, and its log tells of no fault."""


def document(stress, results, faults, options):
    """Tables of the classes, of the stressors alone, and of what was left out."""
    everything = unique([stress.control, *(result for found in results.values() for result in found)])
    head = ["# Stress", "", "Made by `Attacks/stress.py --write`: stress-ng with its libraries lies in an algorithm's folder, and runs in",
            "boxes with the default limits, a fresh one for each call.", "", *setting(stress, options), ""]
    head += [summary(everything, faults), "", JUDGED]
    body = ["", "## Classes", "", *classes(results, options), ""]
    if options.each:
        body += ["## Stressors alone", "", f"Each for {options.each} s.", "", *alone(everything), ""]
    body += ["## Endings", "", *meanings(everything), "", "## Left out", "", *left_out(), ""]
    return "\n".join([*head, *body, "## Numbers", "", *totals(stress, everything)]) + "\n"


def setting(stress, options):
    """When and where."""
    yield (f"{time.strftime('%Y-%m-%d')}, commit {commit()}, stress-ng {box.version()}, Linux {platform.release()}, "
           f"{platform.machine()}, {os.cpu_count()} CPUs.")
    yield (f"The bystander's p99 is {stress.place.quiet * 1e3:.1f} ms without stress, and "
           f"{judge.milliseconds(stress.control.others, 0.99):.1f} ms beside a box that computes in sixteen processes. "
           + ("How long it waited is reported and not judged, since other work went on beside." if options.patient
              else "It may be twice that without stress, or 20 ms more, in one of three tries."))


def classes(results, options):
    """One row for each class."""
    yield (f"First all of a class in one box, for {options.seconds} s; then eight at a time with `--maximize`, each started again when "
           f"it ends, until the deadline kills the box after {options.seconds} s. A box that ended early is followed by another.")
    yield ""
    yield "| class | stressors | all at once | eight at a time | most memory | most processes | bystander p50, p99, slowest | harm |"
    yield "|---|---|---|---|---|---|---|---|"
    for name, found in results.items():
        together, eights = (sum((result.endings for result in found if result.plan.kind == kind), collections.Counter())
                            for kind in ("class", "eights"))
        waits = [second for result in found for second in result.others]
        harm = "; ".join(f"{shown(result)}: {fault}" for result in found for fault in result.faults) or "none"
        yield (f"| {name} | {len({stressor for result in found for stressor in result.plan.stressors})} | {count(together)} | "
               f"{count(eights)} | {max(result.sampler.box_bytes for result in found) // judge.MIB} MiB | "
               f"{max(result.sampler.processes for result in found)} | "
               f"{', '.join(f'{judge.milliseconds(waits, share):.1f}' for share in (0.5, 0.99, 1))} ms | {harm} |")


def alone(results):
    """How the stressors ended that ran by themselves."""
    yield "| ended | | stressors |"
    yield "|---|---|---|"
    for kind, suffix in (("alone", ""), ("root", ", told that it is root")):
        by_ending = collections.defaultdict(list)
        for result in results:
            if result.plan.kind == kind:
                by_ending[result.ending].append(result.plan.stressors[0])
        for word in sorted(by_ending, key=lambda word: -len(by_ending[word])):
            yield f"| {word}{suffix} | {len(by_ending[word])} | {', '.join(sorted(by_ending[word]))} |"


def meanings(results):
    """What the endings mean that came."""
    yield "| ending | meaning |"
    yield "|---|---|"
    for word in sorted({word for result in results for word in result.endings}):
        yield f"| {word} | {ENDINGS.get(word, 'see signal(7)')} |"


def left_out():
    """What did not run, and why."""
    yield "| stressor | left out of | because |"
    yield "|---|---|---|"
    yield from (f"| {stressor} | every run | {why} |" for stressor, why in plans.NEVER.items())
    yield from (f"| {stressor} | all at once | {why} |" for stressor, why in plans.NOT_TOGETHER.items())


def totals(stress, results):
    """Numbers of the whole test."""
    memory = max(results, key=lambda result: result.sampler.host_bytes)
    share = max(results, key=lambda result: result.sampler.kernel_share)
    lines = max(results, key=lambda result: result.log_lines)
    yield f"- The daemon held {stress.host.bytes_before // judge.MIB} MiB before and {stress.bytes_after // judge.MIB} MiB after."
    yield (f"- The kernel, files in memory included, held {memory.sampler.host_bytes // judge.MIB} MiB more at most ({shown(memory)}); "
           f"its own threads used {share.sampler.kernel_share:.2f} of a processor at most ({shown(share)}).")
    yield (f"- The kernel wrote {sum(result.log_lines for result in results)} lines to its log, {lines.log_lines} of them in one run "
           f"({shown(lines)}): processes ended by signals, and boxes out of memory. Work beside the test wrote some of them.")
    if stress.dying is not None:
        yield (f"- {stress.dying_after - stress.dying} removed control groups are still held by pages of files that they were the first to read; "
               "they go when the kernel wants those pages.")


def shown(result):
    """A run in few words."""
    names = result.plan.stressors
    return f"{result.plan.kind}: {', '.join(names[: plans.TOGETHER])}{'…' if len(names) > plans.TOGETHER else ''}"


def line(result):
    """A run in a line, or more when it did harm."""
    sampler, waits = result.sampler, (f"{judge.milliseconds(result.others, share):.1f}" for share in (0.5, 0.99))
    return (f"{shown(result)[:70]:70} {count(result.endings)}; {result.seconds:.1f} s, box {sampler.box_bytes // judge.MIB} MiB, "
            f"{sampler.processes} processes, kernel {sampler.host_bytes // judge.MIB} MiB {sampler.kernel_share:.2f} CPU, "
            f"bystander {', '.join(waits)} ms" + "".join(f"\n       HARM: {fault}" for fault in result.faults))


def unique(results):
    """Each run once, in order: a stressor may belong to several classes."""
    return list({id(result): result for result in results}.values())


def count(endings):
    """Endings with how often each came."""
    return ", ".join(f"{number} × {word}" if number > 1 else word for word, number in sorted(endings.items()))


def summary(results, faults):
    """How many runs there were and what harm they did, in a line."""
    harmed = [result for result in results if result.faults]
    return (f"{len(results)} runs, {len(harmed) or 'none'} did harm" + "".join(f"; {shown(result)}: {result.faults[0]}" for result in harmed)
            + "".join(f"; {fault}" for fault in faults) + ".")


def record(result):
    """A run as JSON."""
    sampler = result.sampler
    return {"kind": result.plan.kind, "stressors": list(result.plan.stressors), "endings": dict(result.endings),
            "faults": result.faults, "doubts": result.doubts, "run_seconds": result.run_seconds, "cpu_seconds": result.cpu_seconds,
            "box_bytes": sampler.box_bytes, "processes": sampler.processes, "kernel_bytes": sampler.host_bytes,
            "kernel_cpu": sampler.kernel_share, "log_lines": result.log_lines, "p50_ms": judge.milliseconds(result.others, 0.5),
            "p99_ms": judge.milliseconds(result.others, 0.99), "said": result.said}


def commit():
    """The commit of this clone, if it is one."""
    command = ["git", "-C", os.path.dirname(os.path.abspath(__file__)), "rev-parse", "--short", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True).stdout.strip() or "unknown"
    except OSError:
        return "unknown"
