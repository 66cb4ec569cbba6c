# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Which kernel the rig boots and the module is built for: the newest installed Debian 6.1, never
# the one that happens to run here. Sourced.

target_kernel() {
	local newest
	newest=$(find /usr/src -maxdepth 1 -name 'linux-headers-6.1.*-amd64' -printf '%f\n' |
		sed 's/^linux-headers-//' | sort -V | tail -n 1)
	[ -n "$newest" ] || { echo "no linux-headers-6.1.*-amd64 is installed: ./run setup" >&2; return 1; }
	[ -e "/boot/vmlinuz-$newest" ] || {
		echo "/boot/vmlinuz-$newest is missing: apt-get install linux-image-$newest" >&2
		return 1
	}
	echo "$newest"
}
