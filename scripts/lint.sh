#!/bin/sh
# Syntax of shell and Python, and whether planted faults fit; nothing is written. C is compiled with warnings as errors by every build.
set -eu
cd "$(dirname "$0")/.."

for script in scripts/*.sh scripts/*/*.sh; do sh -n "$script"; done
bash -n .ci/run

find Runtimes Examples Fixtures Tests Attacks Benchmarks -name '*.py' -exec "${PYTHON:-/usr/bin/python3}" -c '
import sys
for path in sys.argv[1:]:
    with open(path, "rb") as file:
        compile(file.read(), path, "exec")
' {} +

# A fault of the ledger's proof that is not planted any more would be found by `make test-ledger` alone.
for fault in Tests/Ledger/faults/*.patch; do
    git apply --check "$fault" || {
        echo "$fault does not fit the sources any more" >&2
        exit 1
    }
done
