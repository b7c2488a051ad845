#!/bin/sh
# The whole proof of the ledger: what `make test` does a little of, in full; faults planted into copies of the sources;
# and the daemon itself, killed under load and behind a bad network. Writes docs/ledger-proof.md when all of it has
# passed. FAASD_TEST_SEED repeats a run.
set -eu
cd "$(dirname "$0")/.."
. scripts/as-root.sh
: "${SWIFT:=swift}" "${PYTHON:=/usr/bin/python3}" "${UNITTEST_FLAGS:=}" "${FAASD_CRASH_ROUNDS:=300}"
: "${FAASD_TEST_SEED:=$(od -An -N3 -tu4 /dev/urandom | tr -d ' ')}"
export FAASD_TEST_SEED FAASD_CRASH_ROUNDS

bin=${FAASD_BIN:-$("$SWIFT" build -c release --show-bin-path)}
results=$(mktemp)
trap 'rm -f "$results"' EXIT
echo "FAASD_TEST_SEED=$FAASD_TEST_SEED"
began=$(date +%s)
setting() { as_root env "FAASD_BIN=$bin" "FAASD_TEST_SEED=$FAASD_TEST_SEED" "FAASD_PROOF_RESULTS=$results" "$@"; }

echo '== The ledger, killed, cut off and lied to'
setting FAASD_PROOF=full "$PYTHON" -B -m unittest discover $UNITTEST_FLAGS -s Tests/Ledger

echo '== Faults planted into the sources'
FAASD_PROOF_RESULTS=$results "$PYTHON" -B Tests/Ledger/planted.py

echo '== The daemon, killed under load'
setting "FAASD_CRASH_ROUNDS=$FAASD_CRASH_ROUNDS" \
    "$PYTHON" -B -m unittest discover $UNITTEST_FLAGS -s Tests/EndToEnd -p test_crash.py -k KilledUnderLoad

echo '== The daemon behind a network that loses replies and doubles requests'
setting FAASD_PROOF=full "$PYTHON" -B -m unittest discover $UNITTEST_FLAGS -s Tests/EndToEnd -p test_lossy.py

echo '== A cap of 100 credits against 10,000 parallel calls'
setting FAASD_PROOF=full "$PYTHON" -B -m unittest discover $UNITTEST_FLAGS -s Tests/EndToEnd -p test_cap.py

"$PYTHON" -B Tests/Ledger/report.py "$results" $(($(date +%s) - began)) >docs/ledger-proof.md.new
mv docs/ledger-proof.md.new docs/ledger-proof.md
echo 'docs/ledger-proof.md is written'
