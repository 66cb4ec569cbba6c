#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Builds Bochs as build/emulator/bochs from Debian's source package, without its debugger and for one CPU,
# where Debian's own binary has both: less than half the time. Debian 13's version; what is fetched has to
# have the hash below. Where no archive has it, nothing is built and machine/bochs.py takes Debian's binary;
# it does that too for hosts with two CPUs, whose guests die under this version built with --enable-smp.
set -euo pipefail
# shellcheck source=tests/rig/lib/paths.sh
. "$(dirname "$0")/../lib/paths.sh"
# shellcheck source=tests/rig/lib/stamp.sh
. "$RIG/lib/stamp.sh"

SOURCE=bochs_3.0+dfsg.orig.tar.xz
SHA256=78f6c73d4a6472d5130a87ab9dc306d02c7c71ed8e25b3a8ef642e2a7acd282b
# Not handlers-chaining: events are looked for after each instruction, as in Debian's binary. Not protection
# keys: with them the host dies of a guest's PKRU.
FEATURES="--with-rfb --disable-docbook --enable-fast-function-calls --enable-repeat-speedups --enable-x86-64
	--enable-vmx=2 --enable-memtype --enable-e1000 --enable-avx --enable-evex"

TREE=$BUILD/cache/bochs
hash="$(installed g++) $(sha256sum < "$0")"
fresh "$EMULATOR/stamp" "$hash" && { echo "emulator: unchanged"; exit 0; }

# The archives that this machine uses, and the one that has everything.
archives() {
	apt-get indextargets --format "\$(REPO_URI)" | grep -v security | sort -u
	echo http://deb.debian.org/debian/
}

fetch() {
	local archive
	for archive in $(archives); do
		! /usr/lib/apt/apt-helper -o APT::Sandbox::User=root download-file \
			"${archive%/}/pool/main/b/bochs/$SOURCE" "$TREE.tar.xz" "SHA256:$SHA256" || return 0
	done
	return 1
}

# replace FILE OLD NEW: OLD has to be there.
replace() {
	grep -qF "$2" "$1"
	sed -i "s/$2/$3/" "$1"
}

# What this version has wrong.
correct() {
	# A posted-interrupt descriptor has to lie on 64 bytes (SDM vol. 3, 27.2.1.1), not on a page.
	replace cpu/vmx.cc '! IsValidPageAlignedPhyAddr(vm->pid_addr)' \
		'! IsValidPhyAddr(vm->pid_addr) || (vm->pid_addr \& 63)'
	# A VM entry or exit may change CR4.LA57 in 64-bit mode; MOV to CR4 may not, and that exits to KVM.
	replace cpu/crregs.cc 'temp_cr4.get_LA57() != BX_CPU_THIS_PTR cr4.get_LA57()' \
		'! BX_CPU_THIS_PTR in_vmx \&\& &'
	# Fast strings are not there (IA32_MISC_ENABLE), so no fast short ones either: Linux 6.1 breaks on that.
	replace cpu/cpudb/intel/sapphire_rapids.cc BX_CPUID_STD7_SUBLEAF0_EDX_FAST_SHORT_REP_MOV 0
}

build() {
	rm -rf "$TREE"
	mkdir -p "$TREE"
	tar -x -f "$TREE.tar.xz" -C "$TREE" --strip-components=1
	cd "$TREE"
	correct
	# shellcheck disable=SC2086
	./configure $FEATURES CFLAGS="-O3 -w" CXXFLAGS="-O3 -w"
	make -j"$(nproc)" bochs
	strip -o "$EMULATOR/bochs" bochs
	rm -rf "$TREE"
}

rm -rf "$EMULATOR"
mkdir -p "$EMULATOR" "$BUILD/cache"
if ! fetch; then
	echo "no archive has $SOURCE: Debian's binary is used, which is slower"
	exit 0
fi
build
keep "$EMULATOR/stamp" "$hash"
