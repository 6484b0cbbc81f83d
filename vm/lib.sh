#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# What the scripts of this folder and scripts/setup share. Meant to be sourced.

# shellcheck disable=SC2034 # used by the scripts that source this file
cache=${SCX_ALPS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/scx_alps}

warn() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

die() {
    warn "$@"
    exit "${failure:-1}"
}

# quietly COMMAND...: shows what COMMAND printed only when it fails.
quietly() {
    local output
    output=$("$@" 2>&1) || {
        printf '%s\n' "$output" >&2
        die "$1 failed, as shown above"
    }
}

# Prints a script's own usage: the comment that follows its licence line.
usage() { sed -n '3,/^[^#]/{s/^# \{0,1\}//p}' "$0"; }

# The Debian mirror this machine already uses, so that none has to be named here.
debian_mirror() {
    if [[ -n ${SCX_ALPS_MIRROR:-} ]]; then
        echo "$SCX_ALPS_MIRROR"
        return
    fi
    # shellcheck disable=SC2016 # apt replaces it, not the shell
    apt-get indextargets --format '$(REPO_URI)' \
        'Created-By: Packages' 'Origin: Debian' 'Label: Debian' | sort -u | head -n 1
}

# private_apt DIR SUITE [own]: fills the array `apt` with options that make
# apt-get and apt-cache see SUITE alone (with `own`: and the machine's own
# sources), all their files being below DIR: the machine's apt configuration is
# not changed.
private_apt() {
    local dir=$1 suite=$2 list=/dev/null mirror keys=/usr/share/keyrings/debian-archive-keyring.gpg
    mirror=$(debian_mirror)
    [[ -n $mirror ]] ||
        die "apt knows no Debian mirror here: run 'apt-get update' once, or name a mirror in SCX_ALPS_MIRROR"
    [[ -r $keys ]] || die "$keys is missing: install debian-archive-keyring"
    mkdir -p "$dir/sources" "$dir/lists/partial" "$dir/cache/archives/partial"
    if [[ ${3:-} == own ]]; then
        list=/etc/apt/sources.list
        cp -R /etc/apt/sources.list.d/. "$dir/sources"
    fi
    echo "deb [signed-by=$keys] $mirror $suite main" >"$dir/sources/private.list"
    # The private folders may lie where apt's unprivileged user cannot go.
    apt=(-q -o APT::Sandbox::User=root -o APT::Update::Error-Mode=any
        -o Dir::Etc::sourcelist="$list" -o Dir::Etc::sourceparts="$dir/sources"
        -o Dir::State::lists="$dir/lists" -o Dir::Cache="$dir/cache")
}
