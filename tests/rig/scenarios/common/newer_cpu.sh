# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# Goes on only where the host's CPU has what came after Haswell. Sourced first.

need newer-cpu "the host's CPU has no SMAP" grep -qw smap /proc/cpuinfo
PARAMETERS=/sys/module/kvm_intel/parameters
for FEATURE in enable_apicv pml; do
	need $FEATURE "this KVM does not use it" equal "$(cat $PARAMETERS/$FEATURE)" Y
done
