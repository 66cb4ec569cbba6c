#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Builds elisa.ko in build/kmod against the kernel that the rig boots (not the running one). kbuild
# writes beside its sources, so it works on a mirror of links.
#
# usage: make/kmod.sh [HEADERS]: the target kernel's headers by default
set -euo pipefail
# shellcheck source=tests/rig/lib/paths.sh
. "$(dirname "$0")/../lib/paths.sh"
# shellcheck source=tests/rig/lib/kernel.sh
. "$RIG/lib/kernel.sh"

if [ ! -e "$ROOT/host-kmod/Kbuild" ] && [ ! -e "$ROOT/host-kmod/Makefile" ]; then
	echo "host-kmod has nothing to build: unchanged"
	exit 0
fi
headers=${1:-/usr/src/linux-headers-$(target_kernel)}
mkdir -p "$KMOD_DIR"
# The mirror keeps objects of earlier builds, loses links to files that are gone.
find "$KMOD_DIR" -type l ! -exec test -e {} \; -delete
for room in host-kmod gate include vswitch/datapath; do
	mkdir -p "$KMOD_DIR/$room"
	cp -rsf "$ROOT/$room/." "$KMOD_DIR/$room/"
done
make -j 2 -C "$headers" M="$KMOD_DIR/host-kmod" W=1 modules
