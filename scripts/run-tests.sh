#!/usr/bin/env bash
# The whole suite, built before, in two lanes side by side; in each one test after the other, for they start compilers
# and time limits, on few cores.
set -uo pipefail
cd "$(dirname "$0")/.."

# What calls functions and runs code, in folders of its own.
lane='FunctionTests|SerdeTests|TypeScriptTests|BenchmarkTests|CodeTests|ValidationTests'
tests() { swift test --ignore-lock --skip-build --no-parallel "$@"; }

output=$(mktemp)
other=
trap 'rm -f "$output"; [ -z "$other" ] || kill "$other" 2>/dev/null' EXIT
tests --filter "$lane" >"$output" 2>&1 &
other=$!
tests --skip "$lane"
first=$?
wait "$other"
second=$?
other=
cat "$output"
[ "$first" -eq 0 ] && [ "$second" -eq 0 ]
