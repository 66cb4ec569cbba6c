#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# One object of a static DPDK archive, without what the trusted image has no use for. FUNCTIONs begin
# with UD2 in it: paths that our mbufs never take, and that call through a pointer in an mbuf.
# usage: extract.sh ARCHIVE MEMBER OUTPUT [FUNCTION…]
set -eu
archive=$1 member=$2 output=$3
shift 3
ar p "$archive" "$member" > "$output"
test -s "$output" || { echo "$archive has no $member: install libdpdk-dev 22.11" >&2; exit 1; }
objcopy --remove-section .eh_frame --remove-section .rela.eh_frame \
	--remove-section .note.gnu.property "$output"
text=$(readelf -SW "$output" | sed -n 's/.*\] \.text  *PROGBITS  *[0-9a-f]* \([0-9a-f]*\) .*/\1/p')
for function; do
	at=$(nm "$output" | sed -n "s/^\([0-9a-f]*\) [tT] $function\$/\1/p")
	test -n "$at" || { echo "$member has no $function: not DPDK 22.11?" >&2; exit 1; }
	printf '\017\013' | dd of="$output" bs=1 seek=$((0x$text + 0x$at)) conv=notrunc 2> /dev/null
done
