#!/usr/bin/env bash
# Writes docs/openapi.json anew, as the built program tells it.
set -euo pipefail
cd "$(dirname "$0")/.."
log=$(mktemp)
.build/debug/proctor serve --port 0 . 2>"$log" &
server=$!
trap 'kill "$server"; rm -f "$log"' EXIT
until url=$(grep -om1 'http://[^/]*' "$log"); do
  kill -0 "$server"
  sleep 0.1
done
curl -fsS "$url/openapi.json" | python3 -m json.tool >docs/openapi.json.new
mv docs/openapi.json.new docs/openapi.json
