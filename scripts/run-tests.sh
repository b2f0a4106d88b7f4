#!/usr/bin/env bash
# The whole suite, built before, in two lanes side by side; in each one test after the other, for they start compilers
# and time limits, on few cores. Shown are the suites that ended and, last, what failed; all else is in the logs.
set -uo pipefail
cd "$(dirname "$0")/.."
logs=.cache/test-logs
mkdir -p "$logs"
# Not swift test, two of which keep each other from the build folder.
program=(.build/debug/proctorPackageTests.xctest --testing-library swift-testing)

# About half of the time: what calls functions and runs code, and some of what runs tests.
lane='CITests|ClusterTests|GateTests|ServeTests|PageTests|AuditTests|FunctionTests|SerdeTests|TypeScriptTests|BenchmarkTests|CodeTests|ValidationTests|CheckTests|HangTests|PytestVersionTests'

# run LANE ARGUMENTS: one lane, its record beside its log; its status is that of the tests.
run() {
  local log=$logs/$1.log stream=$logs/$1.jsonl
  shift
  rm -f "$stream"
  "${program[@]}" --no-parallel --event-stream-output-path "$stream" --event-stream-version 0 "$@" 2>&1 |
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
run second --filter "$lane" &
other=$!
run first --skip "$lane"
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
printf '\nWhat proctor says of its own tests:\n'
"${program[@]}" --list-tests >"$logs/listed"
PROCTOR_CACHE_DIR=$PWD/.cache/proctor scripts/judge-lanes.sh .build/debug/proctor "$logs/listed" "$logs/first.jsonl" "$logs/second.jsonl"
verdict=$?
[ "$first" -eq 0 ] && [ "$second" -eq 0 ] && [ "$verdict" -eq 0 ]
