# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# A switch with the host's NIC as its uplink up0, all of whose frames are captured at both ends of the
# cable. Sourced after lib.sh; wants nic=1.
#
#	uplink_start		bind the NIC, start the switch, add the uplink, capture it
#	uplink_compare		wait until nothing is under way, end the captures; the switch, its capture,
#				the NIC and the other end must have the same frames
#	uplink_stop		remove the uplink, stop the switch, release the NIC

. "$RIG_JOB/scenarios/common/switch.sh"
. "$RIG_JOB/scenarios/common/nic.sh"
. "$RIG_JOB/scenarios/common/capture.sh"

# shellcheck disable=SC2034 # of switch.sh
SWITCHD_OPTIONS="--uplink-memory 64"

uplink_start() {
	nic_bind igb_uio && switch_start && elisactl uplink add up0 "$RIG_NIC" && capture up0 up0
}

same() { # CHECK FIRST OTHERS…: what each has counted
	SAME=$1
	FIRST=$2
	shift 2
	for COUNT in "$@"; do
		if [ "$COUNT" != "$FIRST" ]; then
			fail "$SAME" "$FIRST and $*"
			return 1
		fi
	done
	pass "$SAME"
}

uplink_is_quiet() {
	TRIES=0
	QUIET=$(json stats up0)
	until sleep 0.5 && [ "$(json stats up0)" = "$QUIET" ]; do
		QUIET=$(json stats up0)
		TRIES=$((TRIES + 1))
		[ $TRIES -lt 20 ] || return 1
	done
}

uplink_compare() {
	need frames.quiet "something still sends" uplink_is_quiet
	need frames.captured "see up0.err" capture_end up0
	need frames.captured-outside "tcpdump failed" outside stop capture
	need frames.sent-outside "its file cannot be read" far_frames "not ether src $FAR_MAC"
	OUT=$FRAMES
	need frames.received-outside "its file cannot be read" far_frames "ether src $FAR_MAC"
	IN=$FRAMES
	need frames.losses "no counter of the interface outside" far_dropped
	snapshot uplink
	check frames.captured-all "$(dropped_by up0) not captured" [ "$(dropped_by up0)" = 0 ]
	result uplink_out_switch "$(received uplink up0)"
	result uplink_out_nic "$(nic uplink up0 opackets)"
	result uplink_out_outside "$OUT"
	result uplink_in_outside "$IN"
	result uplink_in_lost_on_the_cable "$DROPPED"
	result uplink_in_nic "$(nic uplink up0 ipackets)"
	result uplink_in_switch "$(sent uplink up0)"
	result uplink_calls "$(sent uplink up0 calls)"
	same frames.out-count "$OUT" "$(received uplink up0)" "$(nic uplink up0 opackets)" "$(figure up0 out)"
	same frames.in-count $((IN - DROPPED)) "$(nic uplink up0 ipackets)" "$(sent uplink up0)" \
		"$(figure up0 in)"
	compare_captures frames up0.pcap "$DROPPED"
}

uplink_stop() {
	elisactl uplink del up0 && switch_stop && nic_release
}
