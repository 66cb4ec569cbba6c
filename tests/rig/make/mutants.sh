#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Builds the testing build of elisa.ko in build/mutants: with its mutants, with allocations that can fail,
# with an export of the tables as built and coverage (tests/mutations). For scenarios only: never installed.
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
