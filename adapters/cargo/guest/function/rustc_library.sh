#!/bin/sh
# RUSTC_WORKSPACE_WRAPPER for a function of a crate. Cargo's questions to rustc and other crates pass unchanged.
#
# Cargo does not compile a binary target (CARGO_BIN_NAME) as another crate type, so the word is exchanged on the way.
# Where cargo gives the crate both serde and serde_json, by whatever name, the harness gets them by names of its own.
rustc=$1
shift
if [ "${CARGO_PRIMARY_PACKAGE+set}" ]; then
    left=$#
    previous= serde= json=
    while [ "$left" -gt 0 ]; do
        argument=$1
        shift
        left=$((left - 1))
        if [ "$previous" = --extern ]; then
            case $argument in
            *=*/libserde-*) serde=${argument#*=} ;;
            *=*/libserde_json-*) json=${argument#*=} ;;
            esac
        fi
        if [ "$previous" = --crate-type ] && [ "$argument" = bin ] && [ "${CARGO_BIN_NAME+set}" ]; then
            set -- "$@" cdylib
        else
            set -- "$@" "$argument"
        fi
        previous=$argument
    done
    if [ "$serde" ] && [ "$json" ]; then
        set -- "$@" --cfg proctor_serde --extern "proctor_serde=$serde" --extern "proctor_serde_json=$json"
    fi
fi
exec "$rustc" "$@"
