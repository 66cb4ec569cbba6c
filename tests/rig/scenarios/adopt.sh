# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# rig: seconds=110 limit=400
# The daemon dies, is stopped, is started again and is upgraded while A sends to B: no packet is lost, and
# the next daemon has all that the last one had. Then a sender is killed while there is no daemon.

. "$RIG_JOB/scenarios/common/switch.sh"
. "$RIG_JOB/scenarios/common/flows.sh"
. "$RIG_JOB/scenarios/common/restart.sh"

MAC_A=52:e1:15:a0:00:0a
MAC_B=52:e1:15:a0:00:0b
KILLS=3
AT_LEAST=200 # packets between two of them

# What a person sees of the ports but for figures that go on.
listed() { json port list; json vm | grep -o '"name":"[^"]*"\|"pid":[0-9]*\|"vcpus":[0-9]*\|"first_vcpu":[0-9]*'; }

goes_on() { until_sent p0 $(($(sent_now p0) + AT_LEAST)); }

# The daemon as it is now does what the one before did; $1 names the checks.
same_as_before() {
	listed > "$RIG_TEMPORARY/listed.now"
	check "$1.same-ports" "see adopt.log" cmp "$RIG_TEMPORARY/listed" "$RIG_TEMPORARY/listed.now"
	SENT_NOW=$(sent_now p0)
	check "$1.counters-continue" "p0 had sent $SENT_BEFORE, now $SENT_NOW" [ "$SENT_NOW" -ge "$SENT_BEFORE" ]
	check "$1.traffic-goes-on" "A sent nothing more" goes_on
}

kill_daemon() { # NAME
	SENT_BEFORE=$(sent_now p0)
	OLD=$(daemon_pid)
	kill -9 "$OLD"
	need "$1.started-again" "see switchd.log" answers_anew "$OLD"
	same_as_before "$1"
}

upgrade() {
	SENT_BEFORE=$(sent_now p0)
	OLD=$(daemon_pid)
	# A new file under the program's name, as a package manager puts it there.
	cp "$PROGRAM" "$PROGRAM.new" && mv "$PROGRAM.new" "$PROGRAM"
	NEW_FILE=$(stat -c %i "$PROGRAM")
	kill -HUP "$OLD"
	need upgrade.started-again "see switchd.log" answers_anew "$OLD"
	RUNS=$(stat -L -c %i "/proc/$(daemon_pid)/exe")
	check upgrade.runs-the-new-file "it runs file $RUNS, the new one is $NEW_FILE" equal "$RUNS" "$NEW_FILE"
	same_as_before upgrade
}

PROGRAM=$(command -v elisa-switchd)
# shellcheck disable=SC2034 # of switch.sh
SWITCHD_OPTIONS=--monitor
need switch-starts "see switchd.log" switch_start
guests_boot A B
EMPTY=$(pinned)
need port-p0 "port add" elisactl port add p0 --vm A --mac $MAC_A --on-full backpressure
need port-p1 "port add" elisactl port add p1 --vm B --mac $MAC_B --on-full backpressure
need testpmd-A "testpmd did not start" testpmd A p0
need testpmd-B "testpmd did not start" testpmd B p1

stage "A sends to B"
need prepared "testpmd refused a command" prepare A "set fwd txonly" "set txpkts 60" "set eth-peer 0 $MAC_B"
need receiver-prepared "testpmd refused a command" prepare B "set fwd rxonly"
need receiver-started "no OK from B" guest_do B start
need sender-started "no OK from A" guest_do A start
need flows "A sent nothing" goes_on
listed > "$RIG_TEMPORARY/listed"
N=1
while [ $N -le $KILLS ]; do
	stage "the daemon is killed, $N of $KILLS"
	kill_daemon "kill-$N"
	N=$((N + 1))
done
stage "the daemon is upgraded in place"
upgrade

stage "A is told to stop"
need sender-stopped "no OK from A" stop_and_count A
SENT=$TX
sleep 0.3
need receiver-stopped "no OK from B" stop_and_count B
GOT=$RX
snapshot end
TAKEN=$(sent end p0)
DELIVERED=$(received end p1)
DROPPED=$(received end p1 dropped)
result sent "$SENT"
result received "$GOT"
result dropped "$DROPPED"
result daemons_killed $KILLS
check nothing-lost "A sent $SENT, B received $GOT" equal "$SENT" "$GOT"
check nothing-dropped "$DROPPED dropped" equal "$DROPPED" 0
check switch-counted-all "the switch took $TAKEN and delivered $DELIVERED" equal "$SENT/$SENT" "$TAKEN/$DELIVERED"
check no-recovery "a vCPU was thrown out" equal "$(exits end A recoveries)/$(exits end B recoveries)" 0/0
check prove "the contexts as built break an invariant" elisactl prove

stage "A is killed while there is no daemon"
need again.receiver-started "no OK from B" guest_do B start
need again.sender-started "no OK from A" guest_do A start
need again.flows "A sent nothing" goes_on
OLD=$(daemon_pid)
kill -STOP "$(monitor_pid)"
kill -9 "$OLD"
guest_kill A
kill -CONT "$(monitor_pid)"
need again.started-again "see switchd.log" answers_anew "$OLD"
json port list > "$RIG_TEMPORARY/ports"
check again.removes-the-dead "p0 is listed still" sh -c "! grep -q '\"name\":\"p0\"' $RIG_TEMPORARY/ports"
check again.keeps-the-living "p1 is not listed" grep -q '"name":"p1"' "$RIG_TEMPORARY/ports"
sleep 0.3
need again.receiver-stopped "no OK from B" stop_and_count B
snapshot again
DELIVERED=$(($(received again p1) - $(received end p1)))
LOST=$(drops again p1 sender-lost)
result again.handed_back "$LOST"
check again.exact "delivered $DELIVERED, B received $RX" equal "$DELIVERED" "$RX"
need again.port-p2 "port add" elisactl port add p2 --vm B
check again.port-del "port del" elisactl port del p2

stage "stopping"
guests_leave B
check nothing-pinned "not $EMPTY pages as without ports" until_pinned "$EMPTY"
check switch-stops "the daemon or the module did not go" switch_stop
check no-socket-left "$(ls /run/elisa)" [ -z "$(ls /run/elisa)" ]
