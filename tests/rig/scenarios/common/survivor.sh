# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# A mutant that its test did not notice. Sourced by mutations and mutations-attack.
#
#	survivor NAME REASON	fails, or is skipped and not one of $ALL where this CPU cannot show the defence

NEED_NEWER_CPU="apicv-stays-on gate-with-five-levels"

survivor() {
	case " $NEED_NEWER_CPU " in
	*" $1 "*)
		grep -qw smap /proc/cpuinfo || {
			skip "$1" "the host's CPU has neither APICv nor 5-level paging"
			ALL=$((ALL - 1))
			return
		}
		;;
	esac
	fail "$1" "$2"
}
