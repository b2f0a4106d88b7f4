#!/usr/bin/env bash
# Proctor judges its own suite: the event stream of each lane must be whole and green, and together they must hold as many
# tests as the test program lists. So a lane that was cut, ran nothing or was never asked for a test cannot be green.
# usage: scripts/judge-lanes.sh PROCTOR LISTED STREAM...    LISTED: a file, a test a line
set -uo pipefail
proctor=$1
listed=$2
shift 2
status=0
for stream in "$@"; do
  "$proctor" ingest "$stream" --format text --reason 'the suite of proctor' |
    grep -v '^$' | tail -n 2 || status=1
done
expected=$(grep -c . "$listed")
# One record each, before any runs.
held=$(cat -- "$@" | grep -c '"kind":"function"')
if [ "$expected" -eq 0 ] || [ "$held" -ne "$expected" ]; then
  printf 'the test program lists %s tests, the lanes hold %s\n' "$expected" "$held" >&2
  status=1
fi
exit "$status"
