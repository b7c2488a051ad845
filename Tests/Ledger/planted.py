"""Faults planted into a copy of the ledger's sources, one at a time: the check named for each must find it.

    planted.py [NAME...]     all of faults/, or some; needs the sources, a compiler, and nothing of the build

A fault is a patch with a head of two lines: what is wrong, and `Caught by: MODULE.CLASS.TEST`. That check must pass
without the fault and fail with it, by a failed assertion.
"""
import os
import re
import subprocess
import sys
import time

import ledger

FAULTS = os.path.join(ledger.FOLDER, "faults")
SCRATCH = os.path.join(ledger.REPOSITORY, ".build-planted")
SOURCES = ("Sources/Billing", "Sources/SQLite", "Sources/CSQLite", "Tests/LedgerDriver")
PACKAGE = """// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let package = Package(
    name: "planted",
    dependencies: [.package(url: "https://github.com/apple/swift-crypto", exact: "%s")],
    targets: [
        .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3"),
        .target(name: "SQLite", dependencies: ["CSQLite"], swiftSettings: strict),
        .target(
            name: "Billing",
            dependencies: ["SQLite", .product(name: "Crypto", package: "swift-crypto")],
            swiftSettings: strict
        ),
        .executableTarget(
            name: "ledger-driver", dependencies: ["Billing", "SQLite"], path: "Tests/LedgerDriver", swiftSettings: strict
        ),
    ],
    swiftLanguageModes: [.v6]
)
"""


def crypto_version():
    with open(os.path.join(ledger.REPOSITORY, "Package.swift")) as file:
        return re.search(r'swift-crypto", exact: "([^"]+)"', file.read()).group(1)


def copy_sources():
    """Brings the copy up to date; files that are the same keep their times, so that little is built again."""
    source = os.path.join(SCRATCH, "source")
    wanted = {"Package.swift": (PACKAGE % crypto_version()).encode()}
    for folder in SOURCES:
        for here, _, names in os.walk(os.path.join(ledger.REPOSITORY, folder)):
            for name in names:
                path = os.path.join(here, name)
                with open(path, "rb") as file:
                    wanted[os.path.relpath(path, ledger.REPOSITORY)] = file.read()
    for path, data in wanted.items():
        write_if_changed(os.path.join(source, path), data)
    for folder in SOURCES:
        for here, _, names in os.walk(os.path.join(source, folder)):
            for name in names:
                path = os.path.join(here, name)
                if os.path.relpath(path, source) not in wanted:
                    os.unlink(path)
    return source


def write_if_changed(path, data):
    try:
        with open(path, "rb") as file:
            if file.read() == data:
                return
    except FileNotFoundError:
        os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)


def build(source):
    line = ["swift", "build", "--package-path", source, "--product", "ledger-driver"]
    done = subprocess.run(line, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=900)
    if done.returncode != 0:
        raise SystemExit(f"the copy does not build:\n{done.stdout[-3000:]}{done.stderr[-1000:]}")
    return os.path.join(source, ".build", "debug")


def verdict(check, binaries, tries=1):
    """Whether the check passes, fails, or does something else; and its last words. Other seeds are tried while it passes."""
    for number in range(tries):
        said, reason = once(check, binaries, ledger.SEED + number)
        if said != "passes":
            break
    return said, reason


def once(check, binaries, seed):
    module, rest = check.split(".", 1)
    environment = dict(os.environ, FAASD_BIN=binaries, PYTHONPATH=ledger.FOLDER, FAASD_PROOF="", FAASD_PROOF_RESULTS="",
                       FAASD_TEST_SEED=str(seed))
    environment.pop("FAASD_LEDGER_DRIVER", None)
    line = [sys.executable, "-B", "-m", "unittest", f"{module}.{rest}"]
    done = subprocess.run(line, capture_output=True, text=True, stdin=subprocess.DEVNULL, env=environment, timeout=600)
    said = done.stderr.strip().splitlines()
    reason = next((text for text in said if text.startswith("AssertionError")), said[-1] if said else "")
    if done.returncode == 0:
        return "passes", reason
    return ("fails" if any(text.startswith("AssertionError") for text in said) else "breaks"), reason


def read_fault(name):
    with open(os.path.join(FAULTS, name)) as file:
        head = [next(file).strip(), next(file).strip()]
    if not head[1].startswith("Caught by: "):
        raise SystemExit(f"{name}: the second line must be `Caught by: MODULE.CLASS.TEST`")
    return head[0], head[1].removeprefix("Caught by: ")


def plant(name, source):
    # The ceiling: git takes the copy for a folder of no repository, as it would patch(1).
    environment = dict(os.environ, GIT_CEILING_DIRECTORIES=SCRATCH)
    line = ["git", "apply", "-p1", os.path.join(FAULTS, name)]
    done = subprocess.run(line, capture_output=True, text=True, cwd=source, env=environment)
    if done.returncode != 0:
        raise SystemExit(f"{name} no longer fits the sources, and must be made anew:\n{done.stdout}{done.stderr}")


def main(names):
    names = names or sorted(name for name in os.listdir(FAULTS) if name.endswith(".patch"))
    faults = {name: read_fault(name) for name in names}
    source = copy_sources()
    binaries = build(source)
    sound = {check: verdict(check, binaries)[0] for check in sorted({check for _, check in faults.values()})}
    missed = [f"{check} {said} without any fault" for check, said in sound.items() if said != "passes"]
    for name, (what, check) in faults.items():
        began = time.monotonic()
        copy_sources()
        plant(name, source)
        # A quick selection meets what happens in one commit of many with most seeds, not with all.
        said, reason = verdict(check, build(source), tries=5)
        print(f"{name}: {what} {check} {said} ({time.monotonic() - began:.0f} s): {reason[:200]}", flush=True)
        if said != "fails":
            missed.append(f"{name}: {check} {said}")
    copy_sources()
    for name, (what, check) in faults.items():
        caught = not any(text.startswith(name) for text in missed)
        ledger.note(f"planted: {what}", found_by=check.split(".")[0] if caught else "nobody")
    print(*missed, sep="\n")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
