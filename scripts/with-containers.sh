#!/usr/bin/env bash
# Runs a command with a private Docker daemon and Podman beside it, and stops them after it.
# Only root can start them; for others the tests that need them say so and are skipped.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
if [ "$(id -u)" -ne 0 ]; then
  printf 'setup: no container engines: only root can start them\n' >&2
  exec "$@"
fi
settings=$("$here/setup-containers.sh" start)
trap '"$here/setup-containers.sh" stop' EXIT
set -a
eval "$settings"
set +a
"$@"
