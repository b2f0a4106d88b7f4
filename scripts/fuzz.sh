#!/bin/bash
# Feeds a decoder of reports with made-up files (libFuzzer), beginning with the fixtures and what was found before.
#   scripts/fuzz.sh DECODER [SECONDS [built]]     DECODER is the id of a format, such as junit; all for each in turn; built: do not build again
# What breaks it is left in .build/fuzz/DECODER/crash-*: mend it, and keep the file in fixtures/fuzz/DECODER.
set -eu
cd "$(dirname "$0")/.."
decoder=${1:?"usage: scripts/fuzz.sh DECODER [SECONDS]"}
seconds=${2:-60}
out=$PWD/.build/fuzz
mkdir -p "$out"

build() {
  swift build -c release --scratch-path "$out/build" --target ProctorFormats -Xswiftc -sanitize=fuzzer
  local xml modules=$out/build/release
  read -ra xml <<<"$(pkg-config --cflags libxml-2.0 | sed 's/-I/-Xcc -I/g')"
  # shellcheck disable=SC2046 # the libraries are words
  swiftc -O -g -swift-version 6 -sanitize=fuzzer -parse-as-library "${xml[@]}" -I "$modules/Modules" -I Sources/CLibXML2 -I Sources/CPCRE2 \
    -module-name FuzzReports Tests/Fuzz/FuzzReports.swift "$modules"/ProctorModel.build/*.o "$modules"/ProctorFormats.build/*.o \
    $(pkg-config --libs libxml-2.0 libpcre2-8) -o "$out/fuzz-reports"
}

# Text that means something to the decoder, so that the fuzzer need not find it by chance.
fuzz() {
  local name=$1
  mkdir -p "$out/$name/corpus" "fixtures/fuzz/$name"
  local input
  for input in fixtures/reports/"$name"/*/input.*; do
    [ -e "$input" ] && cp "$input" "$out/$name/corpus/$(basename "$(dirname "$input")")"
  done
  echo "$name, $seconds s"
  # Swift's own handler of crashes would come before the fuzzer's, which keeps the input.
  SWIFT_BACKTRACE=enable=no PROCTOR_FUZZ=$name "$out/fuzz-reports" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=16384 \
    -print_final_stats=0 -verbosity=0 -artifact_prefix="$out/$name/" "$out/$name/corpus" "fixtures/fuzz/$name"
}

[ "${3:-}" = built ] || build
if [ "$decoder" = all ]; then
  for folder in fixtures/reports/*/; do fuzz "$(basename "$folder")"; done
else
  fuzz "$decoder"
fi
