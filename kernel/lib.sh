#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# What the scripts of this folder share. Meant to be sourced, after vm/lib.sh.

# shellcheck disable=SC2034 # used by the scripts that source this file
series=("$here"/5.18-rc5/0*[1-9]-*.patch)

# touched: the files the series changes.
touched() { sed -n 's|^+++ b/||p' "${series[@]}" | sort -u; }

# apply_series TREE FOLDER: puts the files of TREE that the series touches into
# FOLDER, changed by it. Offsets are allowed, fuzz is not.
apply_series() {
    local file patch
    for file in $(touched); do
        [[ -r $1/$file ]] || die "$1 has no $file: it is no Linux source, or of another age"
        mkdir -p "$2/${file%/*}"
        cp "$1/$file" "$2/$file"
    done
    for patch in "${series[@]}"; do
        patch -d "$2" -p1 --fuzz=0 --no-backup-if-mismatch --force <"$patch" ||
            die "${patch##*/} does not apply to $1"
    done
}

# configure SOURCE OUTPUT FRAGMENT...: OUTPUT/.config has what the fragments of
# kernel/config ask for and as little else as possible; dies where one asks in vain.
configure() {
    local source=$1 output=$2 line
    shift 2
    mkdir -p "$output"
    cat "${@/#/$here/config/}" | sed '/^#/d' >"$output/wanted"
    quietly make -C "$source" O="$output" KCONFIG_ALLCONFIG="$output/wanted" allnoconfig
    while read -r line; do
        case $line in
        *=n) ! grep -q "^${line%=n}=" "$output/.config" ;;
        *) grep -qx "$line" "$output/.config" ;;
        esac || die "the kernel's configuration does not take $line: what it depends on is missing"
    done <"$output/wanted"
}
