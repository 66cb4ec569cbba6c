#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# ./run clean: removes everything that the other commands made in the checkout.
set -euo pipefail
# shellcheck source=tests/rig/lib/paths.sh
. "$(dirname "$0")/../lib/paths.sh"
rm -rf "$BUILD"
echo "removed $BUILD"
