#!/usr/bin/env bash
# Reading one large JUnit XML file: proctor ingest, xmllint --stream and PyPI's junitparser in turns, ratios and peak memory.
# usage: Benchmarks/ingest.sh [CASES] [ROUNDS]     5 million cases are 1 GB; junitparser gets a tenth of them
#   PROCTOR=FILE for a program that is built already
set -euo pipefail
cd "$(dirname "$0")/.."
cases=${1:-5000000}
rounds=${2:-3}
command -v xmllint >/dev/null || { echo "xmllint is not here: apt install libxml2-utils" >&2; exit 1; }
if [ -z "${PROCTOR:-}" ]; then
  scripts/build-release.sh >/dev/null
  PROCTOR=$PWD/.build-release/release/proctor
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/python" >/dev/null
"$work/python/bin/pip" install -q junitparser
export PROCTOR PROCTOR_CACHE_DIR=$work/cache
"$work/python/bin/python" Benchmarks/ingest.py "$work" "$cases" "$rounds"
