# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# rig: seconds=15 limit=120 nic=1
# NICs that cannot be an uplink, and requests that make no sense: one clear line each, and the switch goes
# on. Then a NIC comes and goes twice, and nothing is left behind.

. "$RIG_JOB/scenarios/common/switch.sh"
. "$RIG_JOB/scenarios/common/nic.sh"
. "$RIG_JOB/scenarios/common/refusals.sh"

HOST_BRIDGE=0000:00:00.0
NOBODY=0000:00:1f.7

free_pages() { cat /sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages; }
refused_nic() { # CHECK TEXT PCI [OPTION…]
	REFUSED_CHECK=$1
	REFUSED_TEXT=$2
	shift 2
	refused "$REFUSED_CHECK" 1 "$REFUSED_TEXT" elisactl uplink add up0 "$@"
}

daemon_again() { # OPTIONS of the daemon
	# shellcheck disable=SC2034 # of switch.sh
	SWITCHD_OPTIONS=$1
	kill "$(cat "$RIG_TEMPORARY/switchd.pid")"
	wait "$(cat "$RIG_TEMPORARY/switchd.pid")"
	daemon_start
}

FREE=$(free_pages)
need driver "the NIC is not e1000's" nic_bind e1000
need switch-starts "see switchd.log" switch_start
stage "a daemon without memory for uplinks"
refused_nic without-memory "with --uplink-memory 64" "$RIG_NIC"

need with-memory "see switchd.log" daemon_again "--uplink-memory 64"
stage "devices that cannot be one"
refused_nic kernel-driver "belongs to the kernel's driver e1000" "$RIG_NIC"
nic_release
refused_nic no-driver "bind it" "$RIG_NIC"
refused_nic no-device "no PCI device $NOBODY" $NOBODY
refused_nic no-nic "is no NIC" $HOST_BRIDGE
refused_nic no-address "has to be an address" nonsense
need binds "the NIC is not igb_uio's" nic_bind igb_uio
refused_nic queues "give --queues 1" "$RIG_NIC" --queues 8
refused_nic mtu "smaller --mtu" "$RIG_NIC" --mtu 9000
refused nobody-to-delete 1 "no uplink up0" elisactl uplink del up0

stage "a NIC that comes and goes"
for TURN in first second; do
	need $TURN.added "uplink add" elisactl uplink add up0 "$RIG_NIC"
	refused $TURN.twice 1 "is NIC $RIG_NIC already" elisactl uplink add up1 "$RIG_NIC"
	refused $TURN.name-taken 1 "up0" elisactl uplink add up0 "$RIG_NIC"
	check $TURN.prove "the contexts break an invariant" elisactl prove
	check $TURN.deleted "uplink del" elisactl uplink del up0
done
need last.added "uplink add" elisactl uplink add up0 "$RIG_NIC"
check switch-stops "the daemon or the module did not go, with an uplink" switch_stop
check pages-are-back "$(free_pages) hugepages instead of $FREE are free" equal "$(free_pages)" "$FREE"
check released "the NIC has a driver still" nic_release
