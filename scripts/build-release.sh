#!/usr/bin/env bash
# The program as it is shipped: one file, with the libraries it uses in it where this machine has them so. The loader
# would take as long for them as all else at the start takes. What stays outside is the C library and libseccomp.
# usage: scripts/build-release.sh
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$PWD/.build-release/static
rm -rf "$folder"
mkdir -p "$folder"
needed=(xml2 icuuc icudata z lzma pcre2-8 stdc++)
options=()
for name in "${needed[@]}"; do
  archive=$(cc -print-file-name="lib$name.a")
  [ -f "$archive" ] && ln -s "$(realpath "$archive")" "$folder/lib$name.a"
done
if [ "$(find "$folder" -name '*.a' | wc -l)" -eq "${#needed[@]}" ]; then
  # Beside the archives no shared library is found, and this folder is looked into first.
  write() {
    printf 'Name: %s\nDescription: as an archive\nVersion: %s\nCflags: %s\nLibs: -L%s %s\n' \
      "$1" "$(pkg-config --modversion "$1")" "$(pkg-config --cflags "$1")" "$folder" "$2" >"$folder/$1.pc"
  }
  write libxml-2.0 "-lxml2 -licuuc -licudata -lz -llzma"
  write libpcre2-8 "-lpcre2-8"
  export PKG_CONFIG_PATH=$folder${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}
  options=(-Xswiftc -Xclang-linker -Xswiftc -static-libgcc)
else
  echo "libraries stay outside the program: not all of ${needed[*]} are there as archives" >&2
fi
exec swift build -c release --static-swift-stdlib --product proctor --scratch-path .build-release "${options[@]}"
