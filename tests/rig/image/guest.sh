#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Builds the guests' initramfs: build/image/guest.cpio with busybox, Debian's dpdk-testpmd with the few
# drivers that the scenarios use, the payload of build/payload/guest, guest/init; and guest-net.cpio, which
# adds what a guest with sockets needs: kernel modules, network programs, the payload of guest-net. The
# first is smaller and therefore boots faster.
set -euo pipefail
# shellcheck source=tests/rig/lib/paths.sh
. "$(dirname "$0")/../lib/paths.sh"
# shellcheck source=tests/rig/lib/stamp.sh
. "$RIG/lib/stamp.sh"
# shellcheck source=tests/rig/lib/kernel.sh
. "$RIG/lib/kernel.sh"
# shellcheck source=tests/rig/image/libraries.sh
. "$RIG/image/libraries.sh"

DRIVERS="mempool_ring net_null net_ring"
# TAP and its accelerator; virtio-net. Each after those it needs.
NET_MODULES="tun tap vhost_iotlb vhost vhost_net virtio virtio_ring virtio_pci_modern_dev
	virtio_pci_legacy_dev virtio_pci failover net_failover virtio_net"

kernel=$(target_kernel)
hash=$({ inputs "$RIG/image" "$RIG/guest" "$PAYLOAD/guest" "$PAYLOAD/guest-net"
	installed busybox-static dpdk dpdk-dev libdpdk-dev libc6 coreutils iproute2 iputils-ping iperf3 \
		"linux-image-$kernel"; } | sha256sum)
fresh "$IMAGE/guest.stamp" "$hash" && { echo "guest image: unchanged"; exit 0; }

make_tree() {
	local tree=$1
	rm -rf "$tree"
	mkdir -p "$tree"/{proc,sys,dev,tmp,run,huge,etc,lib/x86_64-linux-gnu,var/run,usr}
	ln -s ../lib "$tree/usr/lib"
	ln -s ../bin "$tree/usr/bin"
	applets "$tree" sh mount
	cp /usr/bin/dpdk-testpmd "$tree/bin/"
	cp /usr/libexec/coreutils/libstdbuf.so "$tree/lib/x86_64-linux-gnu/"
	with_libraries "$tree" /usr/bin/dpdk-testpmd
	# shellcheck disable=SC2086
	dpdk_drivers "$tree" $DRIVERS
	thread_library "$tree"
	payload "$tree" guest
	install -m 755 "$RIG/guest/init" "$tree/init"
	install -m 644 "$RIG/guest/testpmd.sh" "$RIG/guest/programs.sh" "$tree/"
}

add_net() {
	local tree=$1 name file
	mkdir -p "$tree/lib/modules"
	for name in $NET_MODULES; do kernel_module "$kernel" "$name" "$tree/lib/modules"; done
	for name in ip iperf3 ping; do
		file=$(command -v "$name")
		cp "$file" "$tree/bin/"
		with_libraries "$tree" "$file"
	done
	echo "root:x:0:0:root:/:/bin/sh" > "$tree/etc/passwd"
	payload "$tree" guest-net
}

pack() {
	(cd "$1" && find . | LC_ALL=C sort | cpio -o -H newc --quiet) > "$2"
}

tree=$IMAGE/guest-root
make_tree "$tree"
pack "$tree" "$IMAGE/guest.cpio"
add_net "$tree"
pack "$tree" "$IMAGE/guest-net.cpio"
keep "$IMAGE/guest.stamp" "$hash"
echo "guest images: $(du -cm "$IMAGE"/guest*.cpio | tail -n 1 | cut -f 1) MiB"
