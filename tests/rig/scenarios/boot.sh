# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# rig: seconds=35
# Proves the rig: two KVM guests at once, each with Debian's testpmd on a device of its own, driven
# over their serial lines, counted, stopped.

statistic() { # ID NAME: the first number after NAME in the guest's last answer
	sed -n "s/.*$2: *\([0-9]*\).*/\1/p" "$(guest_answer "$1")" | head -n 1
}

not() { ! "$@"; }

# As a guest's answer comes: in parts, and another child ends in between.
line_is_whole() {
	mkfifo "$RIG_TEMPORARY/parts"
	exec 7<> "$RIG_TEMPORARY/parts"
	{
		printf 'OK ' >&7
		sleep 0.4
		echo whole >&7
	} &
	sleep 0.2 &
	read_line 7 5
	exec 7>&-
	[ "$LINE" = "OK whole" ]
}

check line-is-whole "a part of it is missing" line_is_whole

guests_boot A B
stage "guests are up"
EAL="'--lcores=(0,1)@0' --no-pci --no-telemetry"
PMD="-i --nb-cores=1 --total-num-mbufs=2048 --mbcache=64 --no-lsc-interrupt"
need testpmd-A "testpmd did not start" \
	guest_do A "testpmd $EAL --vdev=net_null0 -- $PMD --forward-mode=txonly"
need testpmd-B "testpmd did not start" \
	guest_do B "testpmd $EAL --vdev=net_ring0 -- $PMD --forward-mode=io"
stage "testpmd is ready in both"
need start-B "B: start" guest_do B "start tx_first"
need start-A "A: start" guest_do A start
sleep 0.2
for ID in A B; do
	need "stop-$ID" "$ID: stop" guest_do $ID stop
	guest_do $ID show
	SENT=$(statistic $ID TX-packets)
	result "$ID.sent" "${SENT:-0}"
	check "sends-$ID" "testpmd counted no sent packet" [ "${SENT:-0}" -gt 0 ]
	need "quit-$ID" "$ID: testpmd did not quit with status 0" guest_do $ID quit
done
# A canary is found where it was put and nowhere else.
need canary-A "A did not take the canary" guest_do A "canary 454c4953412d4341"
check canary-in-A "the scan does not find A's canary in A" guest_memory_has A 454c4953412d4341
check canary-not-in-B "A's canary is in B's memory" not guest_memory_has B 454c4953412d4341
stage "testpmd has quit in both"
for ID in A B; do
	check "leaves-$ID" "guest $ID did not leave" guest_stop $ID
done
