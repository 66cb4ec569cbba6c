#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Installs what packages.txt names and this machine lacks; no contact with the network otherwise.
set -euo pipefail
# shellcheck source=tests/rig/lib/paths.sh
. "$(dirname "$0")/../lib/paths.sh"
# shellcheck source=tests/rig/lib/packages.sh
. "$RIG/lib/packages.sh"

mapfile -t missing < <(missing_packages)
if [ "${#missing[@]}" -eq 0 ]; then
	echo "packages: unchanged"
	exit 0
fi
echo "missing: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
apt-get update
apt-get install -y --no-install-recommends "${missing[@]}"
mapfile -t missing < <(missing_packages)
[ "${#missing[@]}" -eq 0 ] || { echo "still missing: ${missing[*]}" >&2; exit 1; }
