#!/usr/bin/env bash
# Installs what building and testing proctor need on Debian or Ubuntu, only what is missing.
# usage: scripts/setup.sh [--build]    --build: what building alone needs
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'setup: %s\n' "$*" >&2; }
as_root() { if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi; }

if ! command -v swift >/dev/null; then
  say "no Swift toolchain on PATH: see https://www.swift.org/install/linux, or use the Dockerfile"
  exit 1
fi

declare -A packages=([pkg-config]=pkg-config [git]=git [cc]=gcc)
if [ "${1:-}" != --build ]; then packages+=([bwrap]=bubblewrap [cargo]=cargo [node]=nodejs [python3]=python3); fi
missing=()
for tool in "${!packages[@]}"; do
  command -v "$tool" >/dev/null || missing+=("${packages[$tool]}")
done
for library in libxml-2.0:libxml2-dev libpcre2-8:libpcre2-dev libseccomp:libseccomp-dev sqlite3:libsqlite3-dev; do
  pkg-config --exists "${library%%:*}" 2>/dev/null || missing+=("${library##*:}")
done
[ "${1:-}" = --build ] || python3 -c 'import venv, ensurepip' 2>/dev/null || missing+=(python3-venv)
if [ "${#missing[@]}" -gt 0 ]; then
  say "installing ${missing[*]}"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq >/dev/null
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${missing[@]}" >/dev/null
fi
[ "${1:-}" != --build ] || exit 0

# pytest for the Python fixtures, ast-grep for judging code, jsonschema and pyyaml for tests of the answers and rules.
tools=.cache/python
if ! "$tools/bin/python" -c 'import pytest, jsonschema, xdist, yaml' 2>/dev/null ||
  [ ! -x "$tools/bin/ast-grep" ]; then
  say "installing pytest, ast-grep, jsonschema and pyyaml into $tools"
  python3 -m venv "$tools"
  "$tools/bin/python" -m pip install --quiet --disable-pip-version-check \
    pytest==9.0.3 pytest-xdist jsonschema ast-grep-cli==0.51.1 pyyaml==6.0.3
fi

# jest for the JavaScript fixtures.
scripts/setup-jest.sh fixtures
