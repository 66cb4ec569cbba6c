#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Builds Bochs as build/emulator/bochs from Debian's source package, without its debugger, which is in
# Debian's own binary: about 2.5 times as fast. Debian 13's version; what is fetched has to have the
# hash below. Where no archive has it, nothing is built and machine/bochs.py takes Debian's binary.
set -euo pipefail
# shellcheck source=tests/rig/lib/paths.sh
. "$(dirname "$0")/../lib/paths.sh"
# shellcheck source=tests/rig/lib/stamp.sh
. "$RIG/lib/stamp.sh"

SOURCE=bochs_3.0+dfsg.orig.tar.xz
SHA256=78f6c73d4a6472d5130a87ab9dc306d02c7c71ed8e25b3a8ef642e2a7acd282b
# EVEX: without it this version does not compile.
FEATURES="--with-rfb --disable-docbook --enable-all-optimizations --enable-smp --enable-x86-64
	--enable-vmx=2 --enable-avx --enable-evex --enable-memtype --enable-e1000"

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

build() {
	rm -rf "$TREE"
	mkdir -p "$TREE"
	tar -x -f "$TREE.tar.xz" -C "$TREE" --strip-components=1
	cd "$TREE"
	# shellcheck disable=SC2086
	./configure $FEATURES CFLAGS="-O2 -w" CXXFLAGS="-O2 -w"
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
