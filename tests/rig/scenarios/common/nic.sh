# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# The host's NIC, for scenarios with the wish nic=1. Sourced after lib.sh.
#
#	nic_bind DRIVER		load a driver (igb_uio, e1000) and give it the NIC
#	nic_release		take the NIC from its driver
#	far_frames FILTER…	frames that have passed the other end of the cable (tcpdump's filter)
#	far_dropped		frames that were on their way to the NIC and that the cable did not take

# shellcheck disable=SC2034 # of scenarios
FAR_MAC=52:e1:15:a0:ee:01
NIC_DEVICE=/sys/bus/pci/devices/$RIG_NIC

kernel_module() {
	[ -e "/sys/module/$1" ] || insmod "/lib/modules/$1.ko" || modprobe "$1"
}

nic_load() {
	case $1 in
	igb_uio)
		kernel_module uio || return 1
		[ -e /sys/module/igb_uio ] || insmod "$RIG_PAYLOAD/igb_uio.ko"
		;;
	*) kernel_module "$1" ;;
	esac
}

nic_release() {
	[ ! -e "$NIC_DEVICE/driver" ] || echo "$RIG_NIC" > "$NIC_DEVICE/driver/unbind"
}

# Drivers that take whatever they know do so when they are loaded: the override comes first.
nic_bind() {
	nic_release && echo "$1" > "$NIC_DEVICE/driver_override" && nic_load "$1" || return 1
	[ -e "$NIC_DEVICE/driver" ] || echo "$RIG_NIC" > /sys/bus/pci/drivers_probe
	[ "$(basename "$(readlink "$NIC_DEVICE/driver")")" = "$1" ]
}

far_frames() {
	outside run frames "tcpdump -r far.pcap -n '$*' 2> /dev/null | wc -l" || return 1
	read -r FRAMES < "$(outside_answer)"
}

far_dropped() {
	# sysfs shows another network's interfaces there.
	outside run dropped "awk '\$1 == \"'\$FAR:'\" { print \$13 }' /proc/net/dev" || return 1
	read -r DROPPED < "$(outside_answer)"
}
