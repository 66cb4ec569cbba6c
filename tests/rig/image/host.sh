#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Builds the emulated host's boot disks, build/image/host.iso and host-stock.iso: isolinux, loader,
# kernel, a small initramfs that finds the disk, and the root tree (ISO 9660 with Rock Ridge) with
# busybox, QEMU, KVM's modules, what DPDK needs for a NIC, the guests' images and the payload of build/payload/host. The two
# differ in the kernel's command line only: with and without what saves emulated time.
set -euo pipefail
# shellcheck source=tests/rig/lib/paths.sh
. "$(dirname "$0")/../lib/paths.sh"
# shellcheck source=tests/rig/lib/stamp.sh
. "$RIG/lib/stamp.sh"
# shellcheck source=tests/rig/lib/kernel.sh
. "$RIG/lib/kernel.sh"
# shellcheck source=tests/rig/image/libraries.sh
. "$RIG/image/libraries.sh"

DISK_MODULES="scsi_common scsi_mod libata ata_piix crct10dif_common crc-t10dif crc64 crc64-rocksoft
	t10-pi sd_mod cdrom isofs"
# KVM; the NIC; what virtio-net, vhost and a bridge need.
HOST_MODULES="irqbypass kvm kvm-intel uio e1000 tun tap vhost_iotlb vhost vhost_net llc stp bridge"
DRIVERS="bus_pci mempool_ring net_e1000"
STOCK="console=ttyS0,115200 quiet panic=1"
# ftrace and kprobes keep working: the module needs them. idle=halt: MWAIT is slow in Bochs.
SAVERS="mitigations=off tsc=reliable nokaslr cryptomgr.notests no_timer_check audit=0 apparmor=0
	init_on_alloc=0 rodata=off idle=halt
	initcall_blacklist=ftrace_check_for_weak_functions,trace_eval_init,init_kprobe_trace,init_blk_tracer,bpf_rstat_kfunc_init,kfunc_init,bpf_prog_test_run_init,cubictcp_register,bpf_tcp_ca_kfunc_init,bpf_key_sig_kfuncs_init"
CYLINDER=516096		# bytes, with 16 heads of 63 sectors: Bochs wants whole ones

kernel=$(target_kernel)
hash=$({ inputs "$RIG/image" "$RIG/host/init" "$RIG/host/start" "$RIG/host/save" "$RIG/host/state" \
		"$RIG/host/stop-emulator.S" \
		"$IMAGE/tools.stamp" \
		"$PAYLOAD/host" "$IMAGE/kernel.stamp" "$IMAGE/guest.stamp"
	installed qemu-system-x86 qemu-system-data seabios iproute2 busybox-static dpdk dpdk-dev libdpdk-dev coreutils \
		"linux-image-$kernel" libc6 isolinux syslinux-common; } | sha256sum)
fresh "$IMAGE/host.stamp" "$hash" && { echo "host image: unchanged"; exit 0; }

make_root() {
	local tree=$1 name
	rm -rf "$tree"
	mkdir -p "$tree"/{proc,sys,dev,tmp,run,huge,etc,boot,isolinux,var} \
		"$tree"/usr/{bin,lib/modules,lib/x86_64-linux-gnu,share/qemu,share/seabios}
	# QEMU finds its firmware relative to /usr/bin.
	ln -s usr/bin usr/lib "$tree/"
	ln -s usr/bin "$tree/sbin"
	ln -s ../run "$tree/var/run"
	# shellcheck disable=SC2046
	applets "$tree" $(busybox --list | grep -vx busybox)
	for name in $HOST_MODULES; do kernel_module "$kernel" "$name" "$tree/lib/modules"; done
	cp /usr/bin/qemu-system-x86_64 "$tree/bin/"
	rm "$tree/bin/ip"
	cp "$(command -v ip)" "$tree/bin/ip"
	cp -L /usr/share/qemu/{qboot.rom,pvh.bin,linuxboot_dma.bin,kvmvapic.bin} "$tree/usr/share/qemu/"
	cp -L /usr/share/seabios/bios-256k.bin "$tree/usr/share/seabios/"
	cp /usr/bin/dpdk-testpmd "$tree/bin/"
	cp /usr/libexec/coreutils/libstdbuf.so "$tree/lib/x86_64-linux-gnu/"
	with_libraries "$tree" /usr/bin/qemu-system-x86_64 "$(command -v ip)" /usr/bin/dpdk-testpmd
	# shellcheck disable=SC2086
	dpdk_drivers "$tree" $DRIVERS
	thread_library "$tree"
	payload "$tree" host
	cp "$IMAGE"/tools/* "$tree/bin/"
	gcc -nostdlib -static -Wl,--build-id=none -o "$tree/boot/stop-emulator" "$RIG/host/stop-emulator.S"
	install -m 755 "$RIG/host/start" "$RIG/host/save" "$RIG/host/state" "$tree/boot/"
	cp "$IMAGE"/{vmlinux,loader.elf,guest.cpio,guest-net.cpio} "$tree/boot/"
	cp /usr/lib/ISOLINUX/isolinux.bin "$tree/isolinux/"
	cp /usr/lib/syslinux/modules/bios/{mboot,ldlinux,libcom32}.c32 "$tree/isolinux/"
}

make_initramfs() {
	local tree=$1 name
	rm -rf "$tree"
	mkdir -p "$tree"/{lib,proc,sys,dev,mnt}
	applets "$tree" sh mount
	for name in $DISK_MODULES; do kernel_module "$kernel" "$name" "$tree/lib"; done
	# shellcheck disable=SC2086
	printf '%s\n' $DISK_MODULES > "$tree/lib/order"
	install -m 755 "$RIG/host/init" "$tree/init"
	(cd "$tree" && find . | LC_ALL=C sort | cpio -o -H newc --quiet)
}

# make_iso TREE FILE COMMANDLINE…
make_iso() {
	local tree=$1 file=$2 size
	shift 2
	cat > "$tree/isolinux/isolinux.cfg" <<-EOF
		DEFAULT rig
		PROMPT 0
		TIMEOUT 0
		LABEL rig
		KERNEL mboot.c32
		APPEND /boot/loader.elf --- /boot/vmlinux $* --- /boot/initramfs
	EOF
	xorriso -as mkisofs -quiet -R -isohybrid-mbr /usr/lib/ISOLINUX/isohdpfx.bin -o "$file" \
		-b isolinux/isolinux.bin -c isolinux/boot.cat -no-emul-boot -boot-load-size 4 \
		-boot-info-table "$tree"
	size=$(stat -c %s "$file")
	truncate -s $(((size + CYLINDER - 1) / CYLINDER * CYLINDER)) "$file"
}

tree=$IMAGE/host-root
make_root "$tree"
make_initramfs "$IMAGE/host-initramfs" > "$tree/boot/initramfs"
# shellcheck disable=SC2086
make_iso "$tree" "$IMAGE/host-stock.iso" $STOCK
# shellcheck disable=SC2086
make_iso "$tree" "$IMAGE/host.iso" $STOCK $SAVERS
keep "$IMAGE/host.stamp" "$hash"
echo "host image: $(du -m "$IMAGE/host.iso" | cut -f 1) MiB"
