#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Fills build/unpacked with the contents of Debian packages that would change the machine if they
# were installed: one would have DKMS build for each kernel here, the other would start a server.
set -euo pipefail
# shellcheck source=tests/rig/lib/paths.sh
. "$(dirname "$0")/../lib/paths.sh"
# shellcheck source=tests/rig/lib/stamp.sh
. "$RIG/lib/stamp.sh"

PACKAGES="dpdk-kmods-dkms memcached"	# source of igb_uio; server in guests

hash=$(sha256sum < "$0")
fresh "$BUILD/unpacked.stamp" "$hash" && { echo "unpacked packages: unchanged"; exit 0; }

fetch() {
	# shellcheck disable=SC2086
	(cd "$UNPACKED" && apt-get -o APT::Sandbox::User=root download $PACKAGES)
}

rm -rf "$UNPACKED"
mkdir -p "$UNPACKED"
fetch || { apt-get update; fetch; }
for package in "$UNPACKED"/*.deb; do
	echo "$package"
	dpkg-deb -x "$package" "$UNPACKED"
done
keep "$BUILD/unpacked.stamp" "$hash"
