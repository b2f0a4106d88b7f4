#!/usr/bin/env bash
# Runs Tests/Support/mcp_server.py, or the parts of it that are named, on the debug build.
set -euo pipefail
cd "$(dirname "$0")/../.."
export PROCTOR=$PWD/.build/debug/proctor PROCTOR_WARM=off PROCTOR_CACHE_DIR=$PWD/.cache/proctor VIRTUAL_ENV=$PWD/.cache/python
exec .cache/mcp/bin/python -B Tests/Support/mcp_server.py "$@"
