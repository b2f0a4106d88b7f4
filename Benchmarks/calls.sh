#!/usr/bin/env bash
# Calls of one function: cold, by the helper, and bare, interleaved, in one run.
# usage: Benchmarks/calls.sh [ROUNDS]
#   beside docker run or podman run of the same function: scripts/with-containers.sh Benchmarks/calls.sh
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=${1:-40}
# What make dist gives: starting it is a part of each call.
scripts/build-release.sh >/dev/null
export VIRTUAL_ENV=$PWD/.cache/python
work=$(mktemp -d)
export PROCTOR_CACHE_DIR=$work/cache
trap 'pkill -f "warm-helper $work/cache/warm" || true; sleep 0.5; rm -rf "$work"' EXIT
ROUNDS=$rounds PROCTOR=$PWD/.build-release/release/proctor WORK=$work python3 Benchmarks/calls.py
