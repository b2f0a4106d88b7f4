#!/usr/bin/env bash
# Lays out jest, ts-jest and mocha as DEST/node_modules from Debian's packages, for machines that reach no npm registry.
# usage: scripts/setup-jest.sh DEST
set -euo pipefail
dest=$(cd "$1" && pwd)
modules=$dest/node_modules
stamp=$modules/.proctor-jest-3
[ -e "$stamp" ] && exit 0
# Somebody's own installation stays.
if [ -x "$modules/.bin/jest" ] && ! ls "$modules"/.proctor-jest-* >/dev/null 2>&1; then exit 0; fi

echo "setup: laying out jest in $modules" >&2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The dependency closure by hand: apt itself refuses jest beside a node that is not Debian's, for a
# virtual package of type declarations that nothing needs at run time.
depends() {
  apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks \
    --no-replaces --no-enhances "$1" 2>/dev/null
}
if [ -z "$(depends jest)" ]; then
  if [ "$(id -u)" -eq 0 ]; then apt-get update -qq >/dev/null; else sudo apt-get update -qq >/dev/null; fi
fi
mapfile -t packages < <(
  { depends jest; depends ts-jest; depends mocha; } |
    grep -E '^(jest|ts-jest|mocha|node-|ts-node|handlebars|libjs-|terser|libnode-)' | sort -u)
[ "${#packages[@]}" -gt 50 ] || { echo "setup: apt knows no jest package" >&2; exit 1; }
mapfile -t available < <(apt-cache policy "${packages[@]}" | awk '
  /^[a-z]/ { name = substr($1, 1, length($1) - 1) } /Candidate:/ && $2 != "(none)" { print name }')
(cd "$work" && apt-get download -qq "${available[@]}" 2>"$work/errors" >/dev/null) || {
  cat "$work/errors" >&2
  exit 1
}
for package in "$work"/*.deb; do dpkg -x "$package" "$work/unpacked"; done

rm -rf "$modules"
mkdir -p "$modules/.bin"
for folder in "$work"/unpacked/usr/share/nodejs "$work"/unpacked/usr/lib/nodejs "$work"/unpacked/usr/lib/*/nodejs; do
  [ -d "$folder" ] && cp -a "$folder"/. "$modules"/
done
# Links into the system's folders would lead nowhere.
find "$modules" -type l | while read -r link; do
  target=$(readlink "$link")
  case $target in
    /usr/share/*|/usr/lib/*)
      if [ -e "$work/unpacked$target" ]; then rm "$link"; cp -aL "$work/unpacked$target" "$link"; fi ;;
    *) [ -e "$link" ] || { real=$(realpath -m "$link"); rel=${real#"$modules"}; rm -f "$link";
         [ -e "$work/unpacked/usr/share$rel" ] && cp -aL "$work/unpacked/usr/share$rel" "$link"; true; } ;;
  esac
done

# Debian's packages ask node for two settings that only Debian's node has.
cat > "$modules/.bin/debian-node.js" <<'JS'
const config = JSON.parse(JSON.stringify(process.config));
config.variables.node_relative_path = 'share/nodejs:lib/nodejs';
config.variables.node_prefix = '/usr';
Object.defineProperty(process, 'config', { value: config, configurable: true });
JS
cat > "$modules/.bin/jest" <<'JS'
#!/usr/bin/env node
// Worker processes need the settings too.
const shim = require.resolve('./debian-node.js');
process.env.NODE_OPTIONS = `${process.env.NODE_OPTIONS || ''} -r ${shim}`.trim();
require(shim);
require('../jest-cli/bin/jest');
JS
sed 's|../jest-cli/bin/jest|../mocha/bin/mocha.js|' "$modules/.bin/jest" > "$modules/.bin/mocha"
chmod +x "$modules/.bin/jest" "$modules/.bin/mocha"
touch "$stamp"
