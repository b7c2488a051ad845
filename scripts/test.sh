#!/bin/sh
# Runs every test; the first part that fails ends it. The build was made before, as whoever calls; the tests of the
# sandbox and the end to end ones need root.
set -eu
cd "$(dirname "$0")/.."
. scripts/as-root.sh
: "${SWIFT:=swift}" "${PYTHON:=/usr/bin/python3}" "${UNITTEST_FLAGS:=}"

echo '== Swift'
as_root "$SWIFT" test --skip-build --disable-xctest

echo '== The Python runtime'
"$PYTHON" -B -m unittest discover $UNITTEST_FLAGS -s Tests/Python

bin=$("$SWIFT" build --show-bin-path)
echo '== The ledger, killed, cut off and lied to'
as_root env "FAASD_BIN=$bin" "$PYTHON" -B -m unittest discover $UNITTEST_FLAGS -s Tests/Ledger

echo '== End to end, with the official client'
client=$PWD/.build-algorithmia
[ -d "$client/Algorithmia" ] || "$PYTHON" -m pip install -q --disable-pip-version-check --target "$client" algorithmia==2.0.5
as_root env "FAASD_BIN=$bin" "FAASD_ALGORITHMIA=$client" \
    "$PYTHON" -B -m unittest discover $UNITTEST_FLAGS -s Tests/EndToEnd

echo '== The corpus of attacks'
as_root env "FAASD_BIN=$bin" "$PYTHON" -B -m unittest discover $UNITTEST_FLAGS -s Tests/EscapeTests
