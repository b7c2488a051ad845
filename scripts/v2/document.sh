#!/bin/sh
# document.sh RESULTS ACCELERATOR: docs/security/cgroup-v2.md, from what a run of test-v2.sh printed.
set -eu
results=$1 accelerator=$2

fact() { sed -n "s/^FACT $1: //p" "$results"; }
# What one stage printed, without its first and last line.
part() { sed -n "/^BEGIN $1\$/,/^STAGE $1: /p" "$results" | sed '1d;$d'; }
block() { printf '```\n%s\n```\n' "$1"; }

cat <<END
# Control groups of version 2, and systemd

Made by \`make test-v2\`: faasd, installed as \`make install\` does and started by [its unit](../../dist/faasd.service), in a
virtual machine with Debian 12's kernel, systemd, and control groups of version 2 and of no other.

| | |
|---|---|
| date | $(date -u +%Y-%m-%d) |
| commit | $(fact commit), debug build |
| kernel | $(fact kernel) |
| systemd | $(fact systemd) |
| Python | $(fact python) |
| processor | $(fact processor), accelerator $accelerator |
| control groups | $(fact 'control groups') |

| stage | result |
|---|---|
$(sed -n 's/^STAGE \([a-z]*\): \(.*\)/| \1 | \2 |/p' "$results")

With the accelerator tcg the processor is emulated, 10 to 20 times slower than a real one: times say nothing then, and
tests with deadlines are harder.

## What the host offers: faasd doctor

$(block "$(part doctor)")

## The unit: systemd-analyze

$(block "$(part verify | grep -v '^[✗ ]' | grep .)")

## The service: Tests/Systemd

$(block "$(part unit | cut -c1-300)")

## The service of a user: Tests/Systemd/test_user_unit.py

$(block "$(part user | cut -c1-300)")

## The sandbox: SandboxTests

$(block "$(part sandbox | grep -E 'Test run|skipped|✘|failed|recorded' | sed 's/^[^ -~]*  *//' | tail -n 40)")

## The corpus of attacks

Held: $(part corpus | sed -nE 's/^([A-Z]+[0-9]+) +held .*/\1/p' | tr '\n' ' ').

$(block "$(part corpus | grep -vE '^[A-Z]+[0-9]+ +held ' | cut -c1-400)")
END
