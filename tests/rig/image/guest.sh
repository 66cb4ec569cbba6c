#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Builds build/image/guest.cpio, the guests' initramfs: busybox, Debian's dpdk-testpmd with the few
# drivers that the scenarios use, the payload of build/payload/guest, guest/init.
set -euo pipefail
# shellcheck source=tests/rig/lib/paths.sh
. "$(dirname "$0")/../lib/paths.sh"
# shellcheck source=tests/rig/lib/stamp.sh
. "$RIG/lib/stamp.sh"
# shellcheck source=tests/rig/image/libraries.sh
. "$RIG/image/libraries.sh"

DRIVERS="mempool_ring net_null net_ring"

hash=$({ inputs "$RIG/image" "$RIG/guest" "$PAYLOAD/guest"
	installed busybox-static dpdk dpdk-dev libdpdk-dev libc6 coreutils; } | sha256sum)
fresh "$IMAGE/guest.stamp" "$hash" && { echo "guest image: unchanged"; exit 0; }

tree=$IMAGE/guest-root
rm -rf "$tree"
mkdir -p "$tree"/{proc,sys,dev,tmp,run,huge,etc,lib,var/run,usr}
ln -s ../lib "$tree/usr/lib"
ln -s ../bin "$tree/usr/bin"
applets "$tree" sh mount
mkdir -p "$tree/lib/x86_64-linux-gnu"
cp /usr/bin/dpdk-testpmd "$tree/bin/"
cp /usr/libexec/coreutils/libstdbuf.so "$tree/lib/x86_64-linux-gnu/"
with_libraries "$tree" /usr/bin/dpdk-testpmd
# shellcheck disable=SC2086
dpdk_drivers "$tree" $DRIVERS
thread_library "$tree"
payload "$tree" guest
install -m 755 "$RIG/guest/init" "$tree/init"
install -m 644 "$RIG/guest/testpmd.sh" "$tree/"
(cd "$tree" && find . | LC_ALL=C sort | cpio -o -H newc --quiet) > "$IMAGE/guest.cpio"
keep "$IMAGE/guest.stamp" "$hash"
echo "guest image: $(du -m "$IMAGE/guest.cpio" | cut -f 1) MiB"
