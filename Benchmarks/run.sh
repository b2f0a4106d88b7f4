#!/usr/bin/env bash
# Proctor beside the bare runner on the same project, interleaved, in one run: medians and ratios.
# usage: Benchmarks/run.sh [ROUNDS]
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=${1:-7}
swift build -c release --product proctor --scratch-path .build-release >/dev/null
proctor=$PWD/.build-release/release/proctor
export VIRTUAL_ENV=$PWD/.cache/python
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export PROCTOR_CACHE_DIR=$work/cache
cp -r fixtures/polyglot "$work/polyglot"
ln -s "$PWD/fixtures/node_modules" "$work/node_modules"
ROUNDS=$rounds PROCTOR=$proctor WORK=$work python3 Benchmarks/compare.py
