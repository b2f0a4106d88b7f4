#!/usr/bin/env bash
# The whole suite, built before, in two lanes side by side; in each one test after the other, for they start compilers
# and time limits, on few cores. Shown are the suites that ended and, last, what failed; all else is in the logs.
set -uo pipefail
cd "$(dirname "$0")/.."
logs=.cache/test-logs
mkdir -p "$logs"

# About half of the time: what calls functions and runs code, and some of what runs tests.
lane='ServeTests|PageTests|AuditTests|FunctionTests|SerdeTests|TypeScriptTests|BenchmarkTests|CodeTests|ValidationTests|CheckTests|HangTests|PytestVersionTests'

# run LOG ARGUMENTS: one lane; its status is that of the tests.
run() {
  local log=$1
  shift
  # Not by swift test, two of which keep each other from the build folder.
  .build/debug/proctorPackageTests.xctest --testing-library swift-testing --no-parallel "$@" 2>&1 |
    # Colours come along wherever TERM has some.
    sed -u 's/\x1b\[[0-9;]*m//g' | tee "$log" |
    grep --line-buffered -aE '^(✔ Suite|✘ Suite|✘ Test |✔ Test run|✘ Test run|error:)'
  return "${PIPESTATUS[0]}"
}

# failures LOG: each failure with what was expected and what there was.
failures() {
  # No class of characters: some awks take it for one of bytes, which the arrow before an explanation is among.
  awk '/^(◇|✔|➜)/ { shown = 0 } /^✘/ { shown = 1 } shown' "$1"
}

other=
trap '[ -z "$other" ] || kill "$other" 2>/dev/null' EXIT
run "$logs/second.log" --filter "$lane" &
other=$!
run "$logs/first.log" --skip "$lane"
first=$?
wait "$other"
second=$?
other=
shown() {
  [ "$2" -ne 0 ] || return 0
  printf '\nWhat failed in %s/%s.log, and its last lines:\n' "$logs" "$1"
  failures "$logs/$1.log" | cut -c1-2000 | tail -n 200
  tail -n 12 "$logs/$1.log" | cut -c1-500
}
shown first "$first"
shown second "$second"
[ "$first" -eq 0 ] && [ "$second" -eq 0 ]
