#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Puts what was built into build/payload/host, guest and guest-net, by the table payload.txt.
# What lies there ends in the images at /opt/elisa/.
set -euo pipefail
# shellcheck source=tests/rig/lib/paths.sh
. "$(dirname "$0")/../lib/paths.sh"

next=$BUILD/payload.next
rm -rf "$next"
mkdir -p "$next"/{host,guest,guest-net}
while read -r image source rest; do
	case $image in
	'' | '#'*) continue ;;
	host | guest | guest-net) ;;
	*) echo "payload.txt: '$image' is no image" >&2; exit 1 ;;
	esac
	[ -z "$rest" ] || { echo "payload.txt: too many words after $source" >&2; exit 1; }
	[ -e "$BUILD/$source" ] || { echo "payload.txt: $BUILD/$source was not built" >&2; exit 1; }
	mode=644
	[ ! -x "$BUILD/$source" ] || mode=755
	install -m "$mode" "$BUILD/$source" "$next/$image/${source##*/}"
done < "$RIG/payload.txt"
rm -rf "$PAYLOAD"
mv "$next" "$PAYLOAD"
find "$PAYLOAD" -type f -printf '%P %s bytes\n'
