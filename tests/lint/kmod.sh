#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Builds elisa.ko with all warnings and sparse against the kernel that the rig boots, and against
# the newest kernel headers that Debian 12 has. Prints `ok NAME` or `FAIL NAME reason`.
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

build w1-sparse "/usr/src/linux-headers-$(target_kernel)" C=1
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
