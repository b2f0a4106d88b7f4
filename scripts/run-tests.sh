#!/usr/bin/env bash
# The whole suite, built before, in two lanes side by side; in each one test after the other, for they start compilers
# and time limits, on few cores. Shown are the suites that ended and, last, what failed; all else is in the logs.
set -uo pipefail
cd "$(dirname "$0")/.."
logs=.cache/test-logs
mkdir -p "$logs"

# What calls functions and runs code, in folders of its own.
lane='FunctionTests|SerdeTests|TypeScriptTests|BenchmarkTests|CodeTests|ValidationTests'

# run LOG ARGUMENTS: one lane; its status is swift test's.
run() {
  local log=$1
  shift
  swift test --ignore-lock --skip-build --no-parallel "$@" 2>&1 | tee "$log" |
    grep --line-buffered -aE '^(✔ Suite|✘ Suite|✘ Test |✔ Test run|✘ Test run|error:)'
  return "${PIPESTATUS[0]}"
}

# failures LOG: each failure with what was expected and what there was.
failures() {
  awk '/^[◇✔➜]/ { shown = 0 } /^✘/ { shown = 1 } shown' "$1"
}

other=
trap '[ -z "$other" ] || kill "$other" 2>/dev/null' EXIT
run "$logs/calls.log" --filter "$lane" &
other=$!
run "$logs/main.log" --skip "$lane"
first=$?
wait "$other"
second=$?
other=
[ "$first" -ne 0 ] || [ "$second" -ne 0 ] || exit 0
for lane in main calls; do
  printf '\nWhat failed in %s/%s.log, and its last lines:\n' "$logs" "$lane"
  failures "$logs/$lane.log" | cut -c1-2000 | tail -n 200
  tail -n 12 "$logs/$lane.log" | cut -c1-500
done
exit 1
