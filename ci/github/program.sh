#!/usr/bin/env bash
# The program that the action's next step runs: the file that was given, else built of the action's own sources.
# usage: program.sh, with INPUT_PROCTOR and what GitHub sets
set -euo pipefail

fail() {
  printf '::error title=proctor::%s\n' "$1"
  exit 2
}

if [ -n "$INPUT_PROCTOR" ]; then
  program=$(realpath -m -- "$INPUT_PROCTOR")
  [ -f "$program" ] || fail "there is no file at the input proctor: nothing was downloaded or built"
  # An artifact loses its permissions on the way.
  [ -x "$program" ] || chmod +x -- "$program"
else
  program=$GITHUB_ACTION_PATH/dist/proctor
  if [ ! -x "$program" ]; then
    command -v swift >/dev/null ||
      fail "no Swift toolchain on PATH to build proctor with: see swift.org/install/linux, or give the input proctor"
    echo '::group::Building proctor'
    make -C "$GITHUB_ACTION_PATH" dist
    echo '::endgroup::'
  fi
fi
"$program" --version || fail "the program does not start on this machine: it needs libseccomp2"
printf 'proctor=%s\n' "$program" >>"$GITHUB_OUTPUT"
