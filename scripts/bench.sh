#!/bin/sh
# make bench: measures, and writes docs/benchmarks.md. $1 is where the release binaries are, $2 the seconds of each row.
# To be run on a machine that does nothing else; the figures are medians and tails of one run.
set -eu
cd "$(dirname "$0")/.."
binaries=$1
seconds=${2:-60}
page=docs/benchmarks.md
lines=$(mktemp)
trap 'rm -f "$lines"' EXIT

sync
"$binaries/ledger-bench" --seconds "$seconds" >"$lines"
"$binaries/audit-bench" 1000000 >>"$lines"
cat "$lines"

. scripts/as-root.sh
command -v wrk >/dev/null && command -v bwrap >/dev/null ||
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends wrk bubblewrap
serving=$(mktemp)
trap 'rm -f "$lines" "$serving"' EXIT
: "${PYTHON:=/usr/bin/python3}"
as_root "$binaries/sandbox-bench" "$binaries" | tee "$serving"
as_root "$PYTHON" -B Benchmarks/serving/measure.py "$binaries" "$PWD/.build-peers" 20 | tee -a "$serving"

processor=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
memory=$(awk '/^MemTotal/ { printf "%d", $2 / 1048576 }' /proc/meminfo)
load=$(cut -d ' ' -f 1 /proc/loadavg)
cat >"$page" <<END
# Benchmarks

Made by \`make bench\` at commit $(git rev-parse --short HEAD) on $(date -u +%Y-%m-%d): $(nproc) processors ($processor),
$memory GiB, Linux $(uname -r), SQLite $(sqlite3 --version 2>/dev/null | cut -d ' ' -f 1). Generator and ledger are one process on the same
processors; CPU time is that of both. A release build, one run.

## The ledger

\`fsync\` is what one durable write costs on this disk: 4 KiB over written ones and \`fdatasync\`, a thousand times. \`memory\` offers
20,000 charges a second for $seconds seconds, whatever the ledger does, each with a royalty (a usage record, three transfers,
balances, a block of the chain), by 100 callers of 20 algorithms; the time is from when a charge was due to its durable answer.
\`key\` is the same with an idempotency key and a kept answer of 100 bytes each, \`durable\` with a hold on disk before each charge.
\`closed\` is as many as 1,000 tasks can make, one after another. \`recover\` opens the ledger of a daemon that died
with 10,000 open durable holds. \`audit\` checks every rule over 1,000,000 usage records, three times.

Goals: \`memory\` 20,000 a second with p99 of at most 10 ms on at most one core; \`recover\` 2 s; \`audit\` 200,000 records a second.

\`\`\`
$(cat "$lines")
\`\`\`

## Calls

\`W\` are warm calls: a JSON echo on a connection that is kept, durably charged, isolation \`caller\`, eight workers at most, against the same echo behind
FastAPI on uvicorn (uvloop, httptools, one worker; no sandbox, no metering, no ledger) in the same run, loaded by \`wrk\` on the same processors. \`C1\` is the first
call ever of 40 versions that import numpy, \`C2\` 300 calls with isolation \`call\`, a box each. \`C3\` and \`C7\` use the spawner alone. \`C5\` has a worker
for each of 1,000 accounts; \`C6\` writes the versions into the catalog, which all refer to the same files. \`C4\` and the rows behind it are
about versions with 500 MB of data, ten calls at once after one ([models.md](models.md)).

\`\`\`
$(cat "$serving")
\`\`\`
END
echo "written to $page"
