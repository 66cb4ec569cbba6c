#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Builds build/image/tools/: small static programs that scenarios call on the host side.
set -euo pipefail
# shellcheck source=tests/rig/lib/paths.sh
. "$(dirname "$0")/../lib/paths.sh"
# shellcheck source=tests/rig/lib/stamp.sh
. "$RIG/lib/stamp.sh"

hash=$(inputs "$RIG/image/tools.sh" "$RIG/host/memscan.c" "$RIG/host/marks.c")
fresh "$IMAGE/tools.stamp" "$hash" && { echo "tools: unchanged"; exit 0; }
mkdir -p "$IMAGE/tools"
for tool in memscan marks; do
	gcc -std=gnu11 -O2 -static -Wall -Wextra -Wshadow -Werror -o "$IMAGE/tools/$tool" "$RIG/host/$tool.c"
done
keep "$IMAGE/tools.stamp" "$hash"
echo "tools: built"
