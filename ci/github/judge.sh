#!/usr/bin/env bash
# What the action does: proctor judges, and its verdict becomes annotations, a summary, outputs and the exit status.
# usage: judge.sh, with PROCTOR (the program), the action's inputs as INPUT_... and what GitHub sets
set -euo pipefail

# GitHub refuses a larger summary whole.
summary_limit=1048576
folder=$(mktemp -d "${RUNNER_TEMP:-/tmp}/proctor.XXXXXX")
report=$folder/report.json
summary=$folder/summary.md
annotations=$folder/annotations.txt
arguments=()

refuse() {
  printf '::error title=proctor::%s\n' "$1"
  printf 'status=error\nreason=usage\nexit-code=2\n' >>"$GITHUB_OUTPUT"
  exit 2
}

# lines TEXT: those that say something, without the blanks around them.
lines() { sed -e 's/^[[:space:]]*//' -e 's/[[:space:]]*$//' -e '/^$/d' <<<"$1"; }

# switch NAME: whether that input is on.
switch() {
  local input=INPUT_${1^^}
  case ${!input} in
    true) return 0 ;;
    false) return 1 ;;
    *) refuse "the input $1 is neither true nor false" ;;
  esac
}

# option NAME: --NAME, when that input has a value. One word, so that no value is taken for an option.
option() {
  local input=INPUT_${1^^}
  [ -z "${!input}" ] || arguments+=("--$1=${!input}")
}

# unused COMMAND INPUT...: inputs that a command has no use for are not passed over in silence.
unused() {
  local command=$1 name
  shift
  for name in "$@"; do
    local input=INPUT_${name^^}
    [ -z "${!input}" ] || [ "${!input}" = false ] || refuse "proctor $command has no use for the input $name"
  done
}

# The reports that are always written, and those that were asked for.
reports() {
  local line
  arguments+=("--report=json=$report" "--report=markdown=$summary" "--report=github=$annotations")
  while IFS= read -r line; do arguments+=("--report=$line"); done < <(lines "$INPUT_REPORTS")
}

# Each sets `command` and `arguments`.
plan_run() {
  command=run
  option filter
  option shard
  option retries
  option flaky
  if switch fetch; then arguments+=(--fetch); fi
  reports
  option format
  arguments+=(-- "$INPUT_WORKSPACE")
}

plan_gate() {
  command=gate
  unused gate merge filter shard retries flaky fetch reports
  option base
  # The log gets the comment, which people can read.
  arguments+=("--comment=$summary" --format=json -- "$INPUT_WORKSPACE")
}

plan_merge() {
  local line file found files=()
  command=merge
  unused merge filter shard retries flaky fetch history
  while IFS= read -r line; do
    found=
    while IFS= read -r file; do files+=("$file") found=yes; done < <(compgen -G "$line")
    [ -n "$found" ] || refuse "nothing is at $line: no report of a shard arrived"
  done < <(lines "$INPUT_MERGE")
  reports
  option format
  arguments+=(-- "${files[@]}")
}

# What tests print must not pass for a command of GitHub's: none is obeyed before this word, which tests do not know.
quietly() {
  local word status=0
  word=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  printf '::stop-commands::%s\n' "$word"
  "$@" || status=$?
  printf '\n::%s::\n' "$word"
  return "$status"
}

# shellcheck disable=SC2329 # quietly calls it.
judge() {
  if [ "$command" = gate ]; then
    local status=0
    "$PROCTOR" "$command" "${arguments[@]}" >"$report" || status=$?
    if [ "$INPUT_FORMAT" != json ] && [ -s "$summary" ]; then cat -- "$summary"; else cat -- "$report"; fi
    return "$status"
  fi
  "$PROCTOR" "$command" "${arguments[@]}"
}

# carry import|export: what earlier jobs know of the tests, and what this one adds. No verdict hangs on it.
carry() {
  [ -n "$INPUT_HISTORY" ] || return 0
  [ "$1" = export ] || [ -s "$INPUT_HISTORY" ] || return 0
  quietly "$PROCTOR" history "$1" "--workspace=$INPUT_WORKSPACE" -- "$INPUT_HISTORY" ||
    printf '::warning title=proctor::the history was not carried on (%s): see the log\n' "$1"
}

# value KEY: of the report itself, whose keys alone stand two blanks from the left; a string has no line end in it.
value() { sed -n "s/^  \"$1\" : \"\{0,1\}\([A-Za-z0-9_.-]*\)\"\{0,1\},\{0,1\}\$/\1/p" "$report"; }

# outputs STATUS: what there is to say, by the report; without one there is no verdict.
outputs() {
  if [ ! -s "$report" ]; then
    printf '%s\n' status=error reason=no_report "exit-code=$1"
    return
  fi
  printf '%s\n' "status=$(value status)" "reason=$(value reason)" "total=$(value total_tests)" \
    "passed=$(value passed)" "failed=$(value failed)" "skipped=$(value skipped)" \
    "exit-code=$1" "report=$report"
  [ ! -s "$summary" ] || printf 'summary=%s\n' "$summary"
}

# show STATUS: annotations and the summary.
show() {
  if [ ! -s "$report" ]; then
    printf '::error title=proctor::no verdict: proctor ended with %s and wrote no report\n' "$1"
    printf 'proctor ended with %s and wrote no report: see the log.\n' "$1" >>"$GITHUB_STEP_SUMMARY"
    return
  fi
  if switch annotations && [ -s "$annotations" ]; then cat -- "$annotations"; fi
  if [ ! -s "$summary" ]; then
    return
  elif [ "$(stat -c %s -- "$summary")" -le "$summary_limit" ]; then
    cat -- "$summary" >>"$GITHUB_STEP_SUMMARY"
  else
    printf 'The summary has more than %s bytes: see the report.\n' "$summary_limit" >>"$GITHUB_STEP_SUMMARY"
  fi
}

switch annotations || true
if [ -n "$INPUT_BASE" ]; then
  plan_gate
elif [ -n "$INPUT_MERGE" ]; then
  plan_merge
else
  plan_run
fi
[ "$command" = merge ] || carry import
status=0
quietly judge || status=$?
# Nothing is green without a report that says so.
[ "$status" -ne 0 ] || [ -s "$report" ] || status=5
outputs "$status" >>"$GITHUB_OUTPUT"
show "$status"
[ "$command" = merge ] || carry export
exit "$status"
