#!/usr/bin/env bash
# The sources follow .swift-format and .editorconfig; `scripts/check-format.sh --fix` formats them.
set -euo pipefail
cd "$(dirname "$0")/.."
mapfile -t swift < <(git ls-files '*.swift' ':!fixtures' ':!adapters/*/guest/*')
if [ "${1:-}" = --fix ]; then swift format format -i -p "${swift[@]}"; fi
swift format lint --strict -p "${swift[@]}"

status=0
complain() { printf '%s\n' "$@" >&2; status=1; }
mapfile -t text < <(git ls-files '*.swift' '*.py' '*.js' '*.c' '*.h' '*.sh' '*.md' '*.toml' Makefile ':!fixtures')
blanks=$(grep -nIE '[ 	]+$' -- "${text[@]}" || true)
[ -z "$blanks" ] || complain "blanks at the end of a line:" "$blanks"
tabs=$(grep -nIP '^\t' -- $(printf '%s\n' "${text[@]}" | grep -v '^Makefile$') || true)
[ -z "$tabs" ] || complain "tabs where .editorconfig wants blanks:" "$tabs"
for file in "${text[@]}"; do
  [ -s "$file" ] && [ -n "$(tail -c 1 "$file")" ] && complain "no line end at the end of $file"
done
exit $status
