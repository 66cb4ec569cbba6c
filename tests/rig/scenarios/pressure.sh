# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# rig: seconds=90 group=faults limit=400
# The host runs out of memory again and again, while a pair of ports exchanges packets, VMs come and go and
# ports are added: each of these works, or fails with an error that says what; the pair loses nothing, and
# afterwards all works and nothing is pinned. The hog may be killed, and VMs that have just come; the
# daemon and the VMs that run may not.

. "$RIG_JOB/scenarios/common/switch.sh"
. "$RIG_JOB/scenarios/common/attack.sh"

ROUNDS=20
LEFT_KIB=65536    # what the hog fights for with all others
HUGE=/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages
DAEMON_SCORE=-900 # as the unit has it

expect_message 'elisa: vCPU \d+ of process \d+ thrown out of the switch.*'
# With what the kernel has to say when it kills somebody for memory.
expect_message 'Call Trace:'

available_kib() {
	while read -r KEY VALUE _; do
		[ "$KEY" != MemAvailable: ] || echo "$VALUE"
	done < /proc/meminfo
}

# Takes what is there but for LEFT_KIB, as pages that nobody can have back.
eat() {
	read -r HUGE_BEFORE < $HUGE
	echo $((HUGE_BEFORE + ($(available_kib) - LEFT_KIB) / 2048)) > $HUGE
	stage "$(available_kib) KiB are left"
}

give_back() { echo "$HUGE_BEFORE" > $HUGE; }

# Whoever is killed for memory, be it this shell's children.
expendable() { echo 1000 > /proc/self/oom_score_adj; }

# In turn nearly all that is left, and more than there is.
hog() {
	expendable
	while [ -e "$RIG_TEMPORARY/hogs" ]; do
		for KIB in $((LEFT_KIB * 3 / 4)) $((LEFT_KIB * 3)); do
			dd if=/dev/zero of=/dev/null bs="${KIB}k" count=4
			[ $? != 137 ] || echo killed >> "$RIG_TEMPORARY/killed"
		done
	done
}

# A VM comes, gets two ports, registers, sends and goes.
newcomer() {
	(
		expendable
		exec elisa-attack row-06
	) > "$RIG_TEMPORARY/newcomer" 2>&1
	STATUS=$?
	cat "$RIG_TEMPORARY/newcomer"
	case $STATUS in
	0) WELL=$((WELL + 1)) ;;
	2)
		grep -q "Cannot allocate memory" "$RIG_TEMPORARY/newcomer" || fail newcomer "it was refused, not for memory"
		REFUSED=$((REFUSED + 1))
		;;
	137) KILLED=$((KILLED + 1)) ;;
	*) fail newcomer "status $STATUS: $(tail -n 1 "$RIG_TEMPORARY/newcomer")" ;;
	esac
}

# One port more for a VM that runs.
one_more_port() {
	if elisactl port add v2 --vm "$(cat "$RIG_TEMPORARY/victim.pid")" 2> "$RIG_TEMPORARY/refusal"; then
		ADDED=$((ADDED + 1))
		elisactl port del v2 || fail port-del "status $?"
	else
		[ -s "$RIG_TEMPORARY/refusal" ] || fail port-add "it failed and did not say why"
		cat "$RIG_TEMPORARY/refusal"
		NOT_ADDED=$((NOT_ADDED + 1))
	fi
}

need starts "see switchd.log" switch_start
DAEMON=$(json status | field pid)
echo $DAEMON_SCORE > /proc/"$DAEMON"/oom_score_adj
PINNED_ALONE=$(pinned)
need victim "the victim does not run, see victim.log" victim_start
victim_check before
PINNED_WITH=$(pinned)
stage "eating memory"
touch "$RIG_TEMPORARY/hogs" "$RIG_TEMPORARY/killed"
eat
hog 2> /dev/null &
HOG=$!
WELL=0 REFUSED=0 KILLED=0 ADDED=0 NOT_ADDED=0 ROUND=0
while [ $ROUND -lt $ROUNDS ]; do
	newcomer
	one_more_port
	ROUND=$((ROUND + 1))
done
victim_check under-pressure
rm "$RIG_TEMPORARY/hogs"
wait $HOG
give_back
stage "$WELL newcomers did well, $REFUSED were refused, $KILLED killed; $ADDED ports added, $NOT_ADDED not"
result hogs_killed "$(grep -c killed "$RIG_TEMPORARY/killed")"
result newcomers_well $WELL
result newcomers_refused $REFUSED
result newcomers_killed $KILLED
result ports_added $ADDED
result ports_refused $NOT_ADDED
check memory-ran-out "nobody was killed for memory" [ -s "$RIG_TEMPORARY/killed" ]
check some-came "none of $ROUNDS newcomers did well" [ $WELL -gt 0 ]
check daemon-lives "it is not the one that was started" equal "$(json status | field pid)" "$DAEMON"
newcomer
check works-afterwards "status $STATUS: $(tail -n 1 "$RIG_TEMPORARY/newcomer")" [ $STATUS = 0 ]
ADDED_BEFORE=$ADDED
one_more_port
check port-afterwards "$(cat "$RIG_TEMPORARY/refusal")" [ $ADDED -gt $ADDED_BEFORE ]
victim_check afterwards
switch_check afterwards
check pins-of-newcomers "not $PINNED_WITH pages as before" until_pinned "$PINNED_WITH"
check victim-leaves "the victim did not end in order: $ANSWER" victim_stop
check pins "not $PINNED_ALONE pages as at first" until_pinned "$PINNED_ALONE"
check stops "daemon or module did not go" switch_stop
