# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# rig: seconds=120 limit=500
# Limits of a port, while guest A sends to guest B: guest C sends from addresses that are not its own and from
# too many, more than it may, and to whom it may not. What is stopped is counted by reason, and A loses nothing.
# Then A receives, and drops what it has no room for: B sends to it, alone and beside C, which floods.
#
# Ports: p0 (A; whatever comes to it stays in its ring), p1 (B, with back-pressure), p2 (C).

. "$RIG_JOB/scenarios/common/switch.sh"
. "$RIG_JOB/scenarios/common/pair.sh"

MAC_A=52:e1:15:a0:00:0a
MAC_B=52:e1:15:a0:00:0b
MAC_C=52:e1:15:a0:00:0c
HONEST=300	# frames that are what the guard lets through
STRAYS=500	# and those between them that are not (tests/rig/frames/strays.h)
SOURCES=1000
LEARN=50
RATE=4000	# packets per second
BURST=256	# and as many at once: switch.h
BITS=40000000	# the same of bits, for packets of LONG bytes
LONG=1500
BITS_BURST=65536	# bytes
UNEXPLAINED=5	# percent less than the limit that pass: C does not run all the time

set_p2() { # NAME OPTIONS…
	SET=$1
	shift
	need "$SET.set" "port set" elisactl port set p2 "$@"
}

frames() { # NAME MODE MAC COUNT: C's elisa-frames
	need "$1.sent" "see C.serial" guest_do C "run elisa-frames -l 0 --no-pci --no-telemetry -d $PMD \
--vdev=net_elisa0,port=p2 -- $2 $3 $4"
	snapshot "$1"
}

# Hundredths of a second before and after, and what the switch had let through of a port's packets between
# the two.
look() { # NAME REASON PORT
	read -r BEFORE _ < /proc/uptime
	json stats "$3" > "$RIG_SCENARIO_OUTPUT/$1.stats"
	read -r AFTER _ < /proc/uptime
	BEFORE=${BEFORE%.*}${BEFORE#*.}
	AFTER=${AFTER%.*}${AFTER#*.}
	PASSED=$(($(sent "$1" "$3") - $(sent "$1" "$3" "$2")))
}

until_dropped() { # REASON N
	TRIES=0
	until [ "$(json stats p2 | field "$1")" -gt "$2" ]; do
		TRIES=$((TRIES + 1))
		[ $TRIES -lt 100 ] || return 1
		sleep 0.1
	done
}

# C sends as fast as it can; in any time no more than the rate's share and a burst pass, and nearly so many.
rate_holds() { # NAME REASON RATE BURST
	need "$1.started" "no OK from C" guest_do C start
	need "$1.more-than-the-limit" "C does not send more" \
		until_dropped "$2" $(($(json stats p2 | field "$2") + 1000))
	look "$1.begin" "$2" p2
	FROM=$BEFORE FROM_AFTER=$AFTER ALREADY=$PASSED
	sleep 1.5
	look "$1.end" "$2" p2
	need "$1.stopped" "no OK from C" guest_do C stop
	PASSED=$((PASSED - ALREADY))
	MOST=$(($3 * (AFTER + 1 - FROM) / 100 + $4 + 1))
	LEAST=$(($3 * (BEFORE - FROM_AFTER - 1) * (100 - UNEXPLAINED) / 10000))
	result "$1_passed" $PASSED
	result "$1_hundredths" $((BEFORE - FROM))
	result "$1_dropped" "$(sent "$1.end" p2 "$2")"
	check "$1.no-more" "$PASSED packets passed, $MOST may" [ $PASSED -le $MOST ]
	check "$1.not-much-less" "$PASSED packets passed, $LEAST should" [ $PASSED -ge $LEAST ]
}

peer() { # NAME MAC BYTES
	need "$1.peer" "testpmd refused a command" guest_do C "cmd set eth-peer 0 $2"
	need "$1.size" "testpmd refused a command" guest_do C "cmd set txpkts $3"
}

need switch-starts "see switchd.log" switch_start
guests_boot A B C
ports_of_the_pair first
need port-p2 "port add" elisactl port add p2 --vm C --mac $MAC_C --mtu 9000 --guard mac,ip,vlan \
	--allow-ip 10.0.0.1,2001:db8::1 --allow-vlan 0,5
stage "A begins to send to B"
pair_starts first
# The pair gets the time that C leaves.
renice_guests 19 A B

stage "source guard: C sends $HONEST frames that are its own and $STRAYS that are not"
frames guard strays $MAC_B $((HONEST + STRAYS))
check guard.switch-exact "the switch took $(sent guard p2)" \
	equal "$(sent guard p2)" $((HONEST + STRAYS))
check guard.counted "$(sent guard p2 source-guard) dropped" \
	equal "$(sent guard p2 source-guard)" $STRAYS
check guard.nothing-else "$(sent guard p2 dropped) dropped" equal "$(sent guard p2 dropped)" $STRAYS

stage "learning limit: C sends from $SOURCES addresses, $LEARN of which are learned"
set_p2 learn --guard none --learn $LEARN
# To A, for whom nobody waits: each is sent once.
frames learn sources $MAC_A $SOURCES
check learn.learned "$(received learn p2 learned) learned" equal "$(received learn p2 learned)" $LEARN
check learn.not-learned "$(sent learn p2 not_learned) not learned" \
	equal "$(sent learn p2 not_learned)" $((SOURCES - LEARN))
check learn.table "$(json fdb | field total) addresses in the table" \
	equal "$(json fdb | field total)" $((3 + LEARN))
check learn.all-pass "$(sent learn p2 dropped) dropped, $(drops learn p0 receiver-full) by A" \
	equal "$(sent learn p2 dropped)" $((STRAYS + $(drops learn p0 receiver-full)))

need testpmd-C "testpmd did not start" testpmd C p2 --forward-mode=txonly
stage "storm limit: C sends broadcasts, $RATE in a second are passed on"
set_p2 storm --storm $RATE
snapshot storm.before
peer storm ff:ff:ff:ff:ff:ff 60
rate_holds storm storm-limit $RATE $BURST
set_p2 storm.off --storm none
snapshot storm.after
FLOODED=$(($(sent storm.after p2) - $(sent storm.before p2) - $(sent storm.after p2 storm-limit)))

stage "rate of packets: C sends to A, $RATE in a second pass"
set_p2 packets --rate-packets $RATE
peer packets $MAC_A 60
rate_holds packets rate-limit $RATE $BURST

stage "rate of bits: C sends packets of $LONG bytes, $BITS bits in a second pass"
set_p2 bits --rate-packets none --rate-bits $BITS
peer bits $MAC_A $LONG
rate_holds bits rate-limit $((BITS / 8 / LONG)) $((BITS_BURST / LONG + 1))

stage "private ports: C may not send to B, A may"
set_p2 private --rate-bits none --private on
need private.p1 "port set" elisactl port set p1 --private on
peer private $MAC_B 60
snapshot private.before
need private.started "no OK from C" guest_do C start
need private.flows "C did not send in time" until_sent p2 $(($(sent private.before p2) + 1000))
need private.stopped "no OK from C" guest_do C stop
snapshot private.after
TRIED=$(($(sent private.after p2) - $(sent private.before p2)))
KEPT=$(($(sent private.after p2 private-port) - $(sent private.before p2 private-port)))
result private_dropped $KEPT
check private.nothing-passes "$TRIED sent, $KEPT dropped" equal $TRIED $KEPT
check private.others-flow "A's packets stopped" \
	[ "$(sent private.after p0)" -gt "$(sent private.before p0)" ]

stage "the pair stops: has it lost a packet?"
pair_stops pair
pair_exact pair
FROM_C=$((HONEST + FLOODED - $(drops pair p1 receiver-full)))
result A_sent "$SENT"
result B_received "$GOT"
check pair.nothing-lost "A sent $SENT, $FROM_C came from C, B received $GOT" \
	equal "$GOT" $((SENT + FROM_C))
check pair.no-recovery "thrown out" equal "$(exits pair A recoveries)$(exits pair C recoveries)" 00

# Packets of a sender that came to A between two snapshots, and what was dropped, for that reason or at all.
arrived() { # NAME PORT
	echo $(($(sent "$1.end" "$2") - $(sent "$1.end" "$2" dropped) - \
		$(sent "$1.begin" "$2") + $(sent "$1.begin" "$2" dropped)))
}
lost() { # NAME PORT REASON
	echo $(($(sent "$1.end" "$2" "$3") - $(sent "$1.begin" "$2" "$3")))
}

# What comes to A of B's packets in a second, while C may send as well.
share() { # NAME SENDERS…
	SHARE=$1
	shift
	snapshot "$SHARE.begin"
	need "$SHARE.A" "no OK from A" guest_do A start
	for SENDER in "$@"; do
		need "$SHARE.$SENDER" "no OK from $SENDER" guest_do "$SENDER" start
	done
	look "$SHARE.first" dropped p1
	FROM=$(((BEFORE + AFTER) / 2)) ALREADY=$PASSED
	sleep 1
	look "$SHARE.last" dropped p1
	RATE_OF_B=$(((PASSED - ALREADY) * 100 / ((BEFORE + AFTER) / 2 - FROM)))
	for SENDER in "$@"; do
		need "$SHARE.$SENDER.stopped" "no OK from $SENDER" guest_do "$SENDER" stop
	done
	sleep 0.2
	need "$SHARE.A.stopped" "no OK from A" guest_do A stop
	snapshot "$SHARE.end"
	result "fair_$SHARE" $RATE_OF_B
	ARRIVED=0
	for PORT in p1 p2; do
		LIMITED=$(lost "$SHARE" $PORT rate-limit)
		FULL=$(lost "$SHARE" $PORT receiver-full)
		ARRIVED=$((ARRIVED + $(arrived "$SHARE" $PORT)))
		result "fair_${SHARE}_${PORT}_arrived" "$(arrived "$SHARE" $PORT)"
		result "fair_${SHARE}_${PORT}_limited" "$LIMITED"
		result "fair_${SHARE}_${PORT}_full" "$FULL"
		check "fair.$SHARE.$PORT-adds-up" \
			"$(lost "$SHARE" $PORT dropped) dropped, $LIMITED by the limit, $FULL by A" \
			equal "$(lost "$SHARE" $PORT dropped)" $((LIMITED + FULL))
	done
	GOT=$(($(received "$SHARE.end" p0) - $(received "$SHARE.begin" p0)))
	check "fair.$SHARE.A-exact" "$ARRIVED sent to A, $GOT delivered" equal $ARRIVED $GOT
}

stage "fairness: B sends to A"
need fair.peer "testpmd refused a command" guest_do B "cmd set eth-peer 0 $MAC_A"
need fair.sends "testpmd refused a command" guest_do B "cmd set fwd txonly"
need fair.receives "testpmd refused a command" guest_do A "cmd set fwd rxonly"
need fair.limit "port set" elisactl port set p1 --rate-packets $RATE
set_p2 fair.neighbour --private off --rate-packets $RATE
peer fair $MAC_A 60
# A comes last: without a limit its ring is full before it runs.
renice_guests 0 B
renice_guests 5 A
share alone B
ALONE=$RATE_OF_B
check fair.alone "$ALONE packets of B's in a second, $RATE may pass" \
	[ "$ALONE" -ge $((RATE * (100 - UNEXPLAINED) / 100)) ]
stage "fairness: C floods A, and has a limit"
share beside B C
check fair.flood "C did not flood" [ "$LIMITED" -ge $((10 * ARRIVED)) ]
check fair.nine-tenths "B's share was $ALONE, beside C it is $RATE_OF_B" \
	[ $((RATE_OF_B * 10)) -ge $((ALONE * 9)) ]
stage "fairness: C has no limit"
set_p2 fair.unlimited --rate-packets none
share unlimited B C
# Otherwise the above shows nothing.
check fair.unlimited-takes-all "B's share was $ALONE, beside C without a limit it is $RATE_OF_B" \
	[ $((RATE_OF_B * 10)) -lt $((ALONE * 9)) ]

stage "stopping"
guests_leave A B C
check switch-stops "the daemon or the module did not go" switch_stop
