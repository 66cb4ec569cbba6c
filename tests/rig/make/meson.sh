#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Configures build/meson once and builds it.
set -euo pipefail
# shellcheck source=tests/rig/lib/paths.sh
. "$(dirname "$0")/../lib/paths.sh"
[ -e "$MESON_DIR/build.ninja" ] || { rm -rf "$MESON_DIR"; meson setup "$MESON_DIR" "$ROOT"; }
ninja -C "$MESON_DIR"
