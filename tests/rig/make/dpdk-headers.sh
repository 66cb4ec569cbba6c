#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Fills build/dpdk-headers with the headers for drivers (ethdev_driver.h, ethdev_vdev.h,
# bus_vdev_driver.h, dev_driver.h, …) that Debian's libdpdk-dev leaves out, from Debian's source
# package of exactly the installed version. Where the installed DPDK has them, the folder is empty.
# apt runs with its own sources list and state below build/; /etc is read only.
set -euo pipefail
# shellcheck source=tests/rig/lib/paths.sh
. "$(dirname "$0")/../lib/paths.sh"
# shellcheck source=tests/rig/lib/stamp.sh
. "$RIG/lib/stamp.sh"

APT=$BUILD/cache/apt
hash="$(installed libdpdk-dev) $(sha256sum < "$0")"
fresh "$BUILD/dpdk-headers.stamp" "$hash" && { echo "DPDK driver headers: unchanged"; exit 0; }

# An empty driver, compiled as an out-of-tree driver is.
verify() {
	local flags
	flags=$(pkg-config --cflags libdpdk)
	# shellcheck disable=SC2086
	gcc -Wall -Wextra -Werror -fPIC -shared -DALLOW_INTERNAL_API $flags -I "$DPDK_HEADERS" \
		-x c -o /dev/null - <<-'EOF'
		#include <ethdev_driver.h>
		#include <ethdev_vdev.h>
		#include <bus_vdev_driver.h>
		static int probe(struct rte_vdev_device *device) { (void)device; return -1; }
		static int take_away(struct rte_vdev_device *device) { (void)device; return 0; }
		static struct rte_vdev_driver driver = { .probe = probe, .remove = take_away };
		RTE_PMD_REGISTER_VDEV(net_empty, driver);
	EOF
}

# The machine's own archives, as deb-src.
write_sources() {
	local file
	mkdir -p "$APT"/{etc,state/lists/partial,cache/archives/partial,download}
	: > "$APT/etc/sources.list"
	for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
		[ ! -e "$file" ] || sed -n 's/^deb\(-src\)\{0,1\} /deb-src /p' "$file" >> "$APT/etc/sources.list"
	done
	sort -u -o "$APT/etc/sources.list" "$APT/etc/sources.list"
	rm -rf "$APT/etc/sources.list.d"
	mkdir "$APT/etc/sources.list.d"
	for file in /etc/apt/sources.list.d/*.sources; do
		[ ! -e "$file" ] ||
			sed 's/^Types:.*/Types: deb-src/' "$file" > "$APT/etc/sources.list.d/${file##*/}"
	done
}

private_apt() {
	apt-get -o "Dir::Etc::sourcelist=$APT/etc/sources.list" \
		-o "Dir::Etc::sourceparts=$APT/etc/sources.list.d" \
		-o "Dir::State::lists=$APT/state/lists" -o "Dir::Cache=$APT/cache" \
		-o APT::Sandbox::User=root "$@"
}

fetch() {
	local version
	version=$(dpkg-query -W -f '${source:Version}' libdpdk-dev)
	write_sources
	# An archive without sources is no error as long as DPDK's are found.
	private_apt update || true
	(cd "$APT/download" && private_apt source --download-only "dpdk=$version")
}

unpack() {
	local archive tree=$BUILD/cache/dpdk
	archive=$(find "$APT/download" -name 'dpdk_*.orig.tar.*' ! -name '*.asc' -print -quit)
	rm -rf "$tree"
	mkdir -p "$tree"
	tar -x -f "$archive" -C "$tree" --strip-components=1 --wildcards \
		'*/lib/ethdev/*.h' '*/lib/eal/include/*.h' '*/drivers/bus/vdev/*.h' '*/drivers/bus/pci/*.h'
	# Flat, and only what libdpdk-dev does not install.
	for header in "$tree"/lib/{ethdev,eal/include}/*.h "$tree"/drivers/bus/{vdev,pci}/*.h; do
		[ -n "$(find /usr/include -path "*/dpdk/${header##*/}" -print -quit)" ] ||
			cp "$header" "$DPDK_HEADERS/"
	done
}

rm -rf "$DPDK_HEADERS"
mkdir -p "$DPDK_HEADERS"
if verify 2> /dev/null; then
	echo "the installed DPDK has the headers"
else
	fetch
	unpack
	verify
	echo "$(find "$DPDK_HEADERS" -name '*.h' | wc -l) headers"
fi
keep "$BUILD/dpdk-headers.stamp" "$hash"
