# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# A mutant that its attack did not notice. Sourced by mutations-attack.
#
#	survivor NAME REASON	fails, or is skipped and not one of $ALL where this CPU cannot show the defence

survivor() {
	if [ "$1" = gate-with-five-levels ] && ! grep -qw smap /proc/cpuinfo; then
		skip "$1" "the host's CPU is older than 5-level paging"
		ALL=$((ALL - 1))
		return
	fi
	fail "$1" "$2"
}
