#!/usr/bin/env bash
# What the action does: proctor runs tests or merges reports, and gates where there is a base; its verdict becomes
# annotations, a summary, outputs and the exit status.
# usage: judge.sh, with PROCTOR (the program), the action's inputs as INPUT_... and what GitHub sets
set -euo pipefail

# GitHub refuses a larger summary whole.
summary_limit=1048576
folder=$(mktemp -d "${RUNNER_TEMP:-/tmp}/proctor.XXXXXX")
report=$folder/report.json
summary=$folder/summary.md
annotations=$folder/annotations.txt
answer=$folder/gate.json
comment=$folder/gate.md
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

# unused NAME INPUT...: inputs that the input NAME leaves no use for are not passed over in silence.
unused() {
  local reason=$1 name
  shift
  for name in "$@"; do
    local input=INPUT_${name^^}
    [ -z "${!input}" ] || [ "${!input}" = false ] || refuse "with the input $reason there is no use for the input $name"
  done
}

# The reports that are always written, and those that were asked for.
reports() {
  local line
  arguments+=("--report=json=$report" "--report=markdown=$summary" "--report=github=$annotations")
  while IFS= read -r line; do arguments+=("--report=$line"); done < <(lines "$INPUT_REPORTS")
}

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

plan_merge() {
  local line file found files=()
  command=merge
  unused merge filter shard retries flaky
  [ -n "$INPUT_BASE" ] || unused merge fetch
  while IFS= read -r line; do
    found=
    while IFS= read -r file; do files+=("$file") found=yes; done < <(compgen -G "$line")
    [ -n "$found" ] || refuse "nothing is at $line: no report of a shard arrived"
  done < <(lines "$INPUT_MERGE")
  [ "${#files[@]}" -gt 0 ] || refuse "the input merge names no report"
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

# The results of the change against those of its base; what people can read goes to the log.
# shellcheck disable=SC2329 # quietly calls it.
gate() {
  local status=0 arguments=()
  option base
  if switch fetch; then arguments+=(--fetch); fi
  "$PROCTOR" gate "${arguments[@]}" "--head-report=$report" "--comment=$comment" --format=json \
    -- "$INPUT_WORKSPACE" >"$answer" || status=$?
  if [ "$INPUT_FORMAT" != json ] && [ -s "$comment" ]; then cat -- "$comment"; else cat -- "$answer"; fi
  # Nothing is green without an answer that says so.
  [ "$status" -ne 0 ] || [ -s "$answer" ] || status=5
  return "$status"
}

# carry import|export: what earlier jobs know of the tests, and what this one adds. No verdict hangs on it.
carry() {
  [ -n "$INPUT_HISTORY" ] || return 0
  if [ "$1" = import ] && [ ! -s "$INPUT_HISTORY" ]; then return; fi
  { mkdir -p -- "$(dirname -- "$INPUT_HISTORY")" &&
    quietly "$PROCTOR" history "$1" "--workspace=$INPUT_WORKSPACE" -- "$INPUT_HISTORY"; } ||
    printf '::warning title=proctor::the history was not carried on (%s): see the log\n' "$1"
}

# value FILE KEY: of the answer itself, whose keys alone stand two blanks from the left; a string has no line end in it.
value() { sed -n "s/^  \"$2\" : \"\{0,1\}\([A-Za-z0-9_.-]*\)\"\{0,1\},\{0,1\}\$/\1/p" "$1"; }

# outputs STATUS: what there is to say, by the report; without one there is no verdict.
outputs() {
  local verdict=$report status
  if [ ! -s "$report" ]; then
    printf '%s\n' status=error reason=no_report "exit-code=$1"
    return
  fi
  [ ! -e "$answer" ] || verdict=$answer
  status=$(value "$verdict" status)
  printf '%s\n' "status=${status:-error}" "reason=$(value "$verdict" reason)" \
    "total=$(value "$report" total_tests)" "passed=$(value "$report" passed)" "failed=$(value "$report" failed)" \
    "skipped=$(value "$report" skipped)" "exit-code=$1" "report=$report"
  [ ! -s "$answer" ] || printf 'gate=%s\n' "$answer"
  [ ! -s "$summary" ] || printf 'summary=%s\n' "$summary"
}

# show STATUS: annotations and the summary.
show() {
  local file room=$summary_limit
  if [ ! -s "$report" ]; then
    printf '::error title=proctor::no verdict: proctor ended with %s and wrote no report\n' "$1"
    printf 'proctor ended with %s and wrote no report: see the log.\n' "$1" >>"$GITHUB_STEP_SUMMARY"
    return
  fi
  if switch annotations && [ -s "$annotations" ]; then cat -- "$annotations"; fi
  for file in "$comment" "$summary"; do
    [ -s "$file" ] || continue
    room=$((room - $(stat -c %s -- "$file") - 1))
    if [ "$room" -ge 0 ]; then { cat -- "$file" && echo; } >>"$GITHUB_STEP_SUMMARY"; fi
  done
}

[ -z "$INPUT_BASE" ] || unused base filter shard
switch annotations || true
if [ -n "$INPUT_MERGE" ]; then plan_merge; else plan_run; fi
carry import
status=0
quietly "$PROCTOR" "$command" "${arguments[@]}" || status=$?
# Nothing is green without a report that says so.
[ "$status" -ne 0 ] || [ -s "$report" ] || status=5
# Without a verdict on the change there is nothing to compare.
if [ -n "$INPUT_BASE" ] && [[ $status =~ ^[013]$ ]]; then
  status=0
  quietly gate || status=$?
fi
outputs "$status" >>"$GITHUB_OUTPUT"
show "$status"
carry export
exit "$status"
