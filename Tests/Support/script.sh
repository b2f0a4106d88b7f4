#!/usr/bin/env bash
# Runs a script of Tests/Support on the debug build, or the parts of it that are named: script.sh mcp_server Garbage
set -euo pipefail
cd "$(dirname "$0")/../.."
name=$1
shift
environment=mcp
[ "$name" != page ] || environment=page
[[ "$name" != ci_* ]] || environment=ci
[ "$name" != kubernetes ] || environment=kubernetes
export PROCTOR=$PWD/.build/debug/proctor PROCTOR_WARM=off PROCTOR_CACHE_DIR=$PWD/.cache/proctor VIRTUAL_ENV=$PWD/.cache/python
exec ".cache/$environment/bin/python" -B "Tests/Support/$name.py" "$@"
