#!/bin/sh
# RUSTC_WORKSPACE_WRAPPER for a function in a binary target: cargo does not
# compile one as another crate type, so the word is exchanged on the way to rustc.
# Cargo's questions to rustc (no CARGO_BIN_NAME) and other crates pass unchanged.
rustc=$1
shift
if [ "${CARGO_PRIMARY_PACKAGE+set}" ] && [ "${CARGO_BIN_NAME+set}" ]; then
    left=$#
    previous=
    while [ "$left" -gt 0 ]; do
        argument=$1
        shift
        left=$((left - 1))
        if [ "$previous" = --crate-type ] && [ "$argument" = bin ]; then set -- "$@" cdylib; else set -- "$@" "$argument"; fi
        previous=$argument
    done
fi
exec "$rustc" "$@"
