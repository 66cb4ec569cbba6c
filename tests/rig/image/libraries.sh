# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Copying of programs and shared objects of this machine into a root tree, with every library that
# they need. Sourced by guest.sh and host.sh.

# with_libraries TREE FILE…: copy what the files need (not the files themselves) to where the
# dynamic linker looks without a cache: its own path, and /lib/x86_64-linux-gnu.
with_libraries() {
	local tree=$1 needed file missing
	shift
	mkdir -p "$tree/lib64" "$tree/lib/x86_64-linux-gnu"
	needed=$(for file in "$@"; do ldd "$file" 2>/dev/null || true; done)
	missing=$(grep 'not found' <<< "$needed" || true)
	[ -z "$missing" ] || { printf 'library missing for the image:\n%s\n' "$missing" >&2; return 1; }
	# Static programs need none.
	{ grep -o '/[^ ]*' <<< "$needed" || true; } | sort -u | while read -r file; do
		case $file in
		*/ld-linux-x86-64.so.2) cp -nL "$file" "$tree/lib64/" ;;
		"$PAYLOAD"/*) ;;
		*:) ;;
		*) cp -nL "$file" "$tree/lib/x86_64-linux-gnu/" ;;
		esac
	done
}

# thread_library TREE: glibc opens it by name at pthread_cancel; ldd does not know.
thread_library() {
	cp -nL /lib/x86_64-linux-gnu/libgcc_s.so.1 "$1/lib/x86_64-linux-gnu/"
}

# is_dynamic FILE: programs and shared objects; kernel modules are relocatable and have no libraries.
is_dynamic() {
	local type
	type=$(od -An -tx1 -N 20 "$1" | tr -d ' \n')
	# 64-bit ELF whose type is executable or shared object.
	case ${type:0:10}.${type:32:4} in
	7f454c4602.0200 | 7f454c4602.0300) return 0 ;;
	esac
	return 1
}

# payload TREE KIND: files of build/payload/KIND to /opt/elisa, with their libraries.
payload() {
	local tree=$1 from=$PAYLOAD/$2 file
	mkdir -p "$tree/opt/elisa"
	[ -d "$from" ] || return 0
	cp -a "$from/." "$tree/opt/elisa/"
	chmod -R go-w "$tree/opt/elisa"
	find "$from" -type f | while read -r file; do
		if is_dynamic "$file"; then with_libraries "$tree" "$file"; fi
	done
}

# dpdk_drivers TREE NAME…: Debian's DPDK drivers. EAL loads all that lies in the directory that it
# was built with, and wants one file (one inode) for each driver's names.
dpdk_drivers() {
	local tree=$1 pmds driver file name
	shift
	pmds=$(dirname "$(readlink -f /usr/lib/x86_64-linux-gnu/dpdk/pmds-*/librte_mempool_ring.so)")
	mkdir -p "$tree/lib/x86_64-linux-gnu" "$tree/usr/lib/x86_64-linux-gnu/dpdk/${pmds##*/}"
	for driver in "$@"; do
		file=$(readlink -f "$pmds/librte_$driver.so")
		name=${file##*/}
		cp -n "$file" "$tree/lib/x86_64-linux-gnu/$name"
		ln -sf "$name" "$tree/lib/x86_64-linux-gnu/${name%.*}"
		ln -s "/lib/x86_64-linux-gnu/$name" "$tree/usr/lib/x86_64-linux-gnu/dpdk/${pmds##*/}/$name"
		with_libraries "$tree" "$file"
	done
}

# applets TREE NAME…: busybox and links to it.
applets() {
	local tree=$1 name
	shift
	mkdir -p "$tree/bin"
	cp "$(command -v busybox)" "$tree/bin/busybox"
	for name in "$@"; do ln -sf busybox "$tree/bin/$name"; done
}

# kernel_module KERNEL NAME DIRECTORY: without debug information, BTF and signature, which take
# emulated seconds to load. Symbols stay: hooking and oops reports need them.
kernel_module() {
	local file
	file=$(find "/lib/modules/$1/kernel" -name "$2.ko" -print -quit)
	[ -n "$file" ] || { echo "module $2 is not in /lib/modules/$1" >&2; return 1; }
	objcopy --strip-debug -R .BTF -R .BTF.ext "$file" "$3/$2.ko"
}
