#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Builds elisa.ko with all warnings and sparse against the kernel that the rig boots, and against
# the newest kernel headers that Debian 12 has; signs a copy as docs/hardening.md says. Prints
# `ok NAME` or `FAIL NAME reason`.
set -euo pipefail

top=$(realpath "$(dirname "$0")/../..")
# shellcheck source=tests/rig/lib/paths.sh
. "$top/tests/rig/lib/paths.sh"
# shellcheck source=tests/rig/lib/kernel.sh
. "$top/tests/rig/lib/kernel.sh"
failures=0

# build NAME HEADERS MAKE-ARGUMENTS…: a build from nothing that prints no warning.
build() {
    local name=$1 headers=$2 work=$BUILD/kmod-$1 log=$BUILD/logs/kmod-$1.log warning
    shift 2
    rm -rf "$work"
    mkdir -p "$work/vswitch" "$BUILD/logs"
    cp -r "$top/host-kmod" "$top/gate" "$top/include" "$work/"
    cp -r "$top/vswitch/datapath" "$work/vswitch/"
    if ! make -j 2 -C "$headers" M="$work/host-kmod" W=1 "$@" modules > "$log" 2>&1; then
        echo "FAIL kmod.$name the build failed, see $log"
    elif warning=$(grep -m 1 -E 'warning:|error:' "$log"); then
        echo "FAIL kmod.$name $warning"
    else
        echo "ok kmod.$name"
        return
    fi
    failures=$((failures + 1))
}

newest_headers() {
    apt-cache depends linux-headers-6.12-amd64 2> /dev/null | sed -n 's/.*Depends: \(linux-headers-6[^ ]*\)/\1/p' | head -n 1
}

# Who signed a module.
signer() {
    modinfo -F signer "$1"
}

# sign HEADERS: a copy of the module that was built last, with a key that is thrown away.
sign() {
    local headers=$1 work=$BUILD/kmod-signed module
    rm -rf "$work"
    mkdir -p "$work"
    module=$work/elisa.ko
    cp "$BUILD/kmod-w1-sparse/host-kmod/elisa.ko" "$module"
    openssl req -new -x509 -newkey rsa:2048 -nodes -days 1 -subj '/CN=elisa test/' -outform DER \
        -keyout "$work/key.pem" -out "$work/certificate.der" 2> "$work/log"
    if [ -n "$(signer "$module")" ]; then
        echo "FAIL kmod.signed the module is signed before it was"
    elif ! "$headers/scripts/sign-file" sha256 "$work/key.pem" "$work/certificate.der" "$module" >> "$work/log" 2>&1; then
        echo "FAIL kmod.signed sign-file failed, see $work/log"
    elif [ "$(signer "$module")" != 'elisa test' ]; then
        echo "FAIL kmod.signed modinfo does not know the signer: '$(signer "$module")'"
    else
        rm -f "$work/key.pem"
        echo "ok kmod.signed"
        return
    fi
    failures=$((failures + 1))
}

# What a locked-down kernel forbids, or what changes its text or its registers behind its back.
check_lockdown() {
    local found
    found=$(grep -nE '\<(write_cr0|native_write_cr[04]|set_memory_(rw|x|nx)|text_poke\w*|patch_text|wrmsrl?|ioremap\w*|kernel_read|filp_open|call_usermodehelper)\>|/dev/(mem|kmem|port)' \
        "$top"/host-kmod/*.[ch] "$top"/gate/*.[ch] | head -n 1) || true
    if [ -z "$found" ]; then
        echo "ok kmod.lockdown"
    else
        echo "FAIL kmod.lockdown $found"
        failures=$((failures + 1))
    fi
}

check_lockdown
build w1-sparse "/usr/src/linux-headers-$(target_kernel)" C=1
sign "/usr/src/linux-headers-$(target_kernel)"
package=$(newest_headers)
# The package lists can be missing on a machine whose packages were all installed before.
[ -n "$package" ] || { apt-get update -qq && package=$(newest_headers); }
if [ -z "$package" ]; then
    echo "skip kmod.newest this archive has no newer kernel headers"
elif DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$package" > /dev/null; then
    build newest "/usr/src/$package"
else
    echo "FAIL kmod.newest $package cannot be installed"
    failures=$((failures + 1))
fi
[ "$failures" = 0 ]
