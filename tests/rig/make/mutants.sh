#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Builds the testing builds in build/mutants (tests/mutations): elisa.ko with its mutants, with allocations
# that can fail, with an export of the tables as built and coverage; trusted image and daemon with theirs. For scenarios
# only: never installed.
set -euo pipefail
# shellcheck source=tests/rig/lib/paths.sh
. "$(dirname "$0")/../lib/paths.sh"
# shellcheck source=tests/rig/lib/kernel.sh
. "$RIG/lib/kernel.sh"

headers=/usr/src/linux-headers-$(target_kernel)
mkdir -p "$MUTANTS_DIR"
"$ROOT/tests/mutations/mutants.py" kmod "$MUTANTS_DIR/kmod"
make -j 2 -C "$headers" M="$MUTANTS_DIR/kmod/host-kmod" W=1 modules
strip --strip-debug -o "$MUTANTS_DIR/elisa-mutants.ko" "$MUTANTS_DIR/kmod/host-kmod/elisa.ko"

native=$MUTANTS_DIR/native
image=vswitch/datapath/elisa-image.elf daemon=vswitch/daemon/elisa-switchd
"$ROOT/tests/mutations/mutants.py" native
ninja -C "$native" -j 2 $image $daemon
cp "$native/$image" "$MUTANTS_DIR/"
strip -o "$MUTANTS_DIR/elisa-switchd" "$native/$daemon"
"$ROOT/tests/mutations/mutants.py" attacks "$MUTANTS_DIR/elisa-image.elf" > "$MUTANTS_DIR/attacks.list"
