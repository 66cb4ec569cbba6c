# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# Attacks (tests/attack) on a running switch, beside a bystander. Sourced after lib.sh and common/switch.sh.
#
#	victim_start		the victim's VM, its ports v0 and v1, and its traffic
#	attack NAME		elisa-attack NAME, then whether victim and switch are well; checks NAME,
#				NAME.victim, NAME.switch; figures NAME/tried, NAME/saw/…, NAME/victim/…
#	attack_holds NAME	elisa-attack NAME; 1 and a reason in $VERDICT: it went through, or it ended before it knew
#	victim_holds, switch_holds	are they well? What they say is in $ANSWER, $PROOF
#	victim_check PREFIX	the victim is as it was: checks PREFIX.victim; of others' packets it has just
#				those broadcasts that the attacks told of (saw broadcasts_passed)
#	switch_check PREFIX	so is the switch: PREFIX.switch
#	victim_stop

victim_ask() { # LINE: the answer is in $ANSWER
	echo "$1" >&5
	read_line 6 120 && ANSWER=$LINE
}

victim_start() {
	rm -f "$RIG_TEMPORARY/victim.in" "$RIG_TEMPORARY/victim.out"
	mkfifo "$RIG_TEMPORARY/victim.in" "$RIG_TEMPORARY/victim.out"
	exec 5<> "$RIG_TEMPORARY/victim.in" 6<> "$RIG_TEMPORARY/victim.out"
	elisa-victim < "$RIG_TEMPORARY/victim.in" > "$RIG_TEMPORARY/victim.out" \
		2>> "$RIG_SCENARIO_OUTPUT/victim.log" 5>&- 6>&- 9>&- &
	echo $! > "$RIG_TEMPORARY/victim.pid"
	read_line 6 60
	[ "$LINE" = waiting ] || return 1
	for VICTIM_PORT in v0 v1; do
		elisactl port add $VICTIM_PORT --vm "$(cat "$RIG_TEMPORARY/victim.pid")" || return 1
	done
	victim_ask ports && [ "$ANSWER" = ready ] || return 1
	VICTIM_TURNS=0
	VICTIM_FOREIGN=0
	sleep 0.2
}

victim_field() { # NAME: of $ANSWER
	VALUE=${ANSWER#*"$1="}
	echo "${VALUE%% *}"
}

victim_is_well() {
	case $ANSWER in
	"turns="*" torn=0 lost=0 foreign=$VICTIM_FOREIGN dropped=0 refused=0 error=0 canary=ok") ;;
	*) return 1 ;;
	esac
	[ "$TURNS" -gt "$VICTIM_TURNS" ] && [ "$VICTIM_SENT" = "$(victim_field received)" ]
}

# Nothing lost, nothing torn, memory whole, and it got on since the last time.
victim_holds() {
	victim_ask report || ANSWER="no answer"
	TURNS=$(victim_field turns)
	VICTIM_SENT=$(victim_field sent)
	victim_is_well
}

victim_check() {
	victim_holds
	STATUS=$?
	echo "victim after $1: $ANSWER"
	check "$1.victim" "$ANSWER" [ $STATUS = 0 ]
	VICTIM_TURNS=$TURNS
	for FIELD in $ANSWER; do
		result "$1/victim/${FIELD%%=*}" "${FIELD#*=}"
	done
}

switch_holds() { PROOF=$(elisactl prove 2>&1); }

switch_check() {
	switch_holds
	STATUS=$?
	check "$1.switch" "$PROOF" [ $STATUS = 0 ]
}

attack_holds() {
	elisa-attack "$1" > "$RIG_SCENARIO_OUTPUT/$1.out" 2>> "$RIG_SCENARIO_OUTPUT/$1.log"
	VERDICT="$1 ended without a verdict, see $1.log"
	while read -r WORD NAME REST; do
		case $WORD in
		# A port gets what is sent to everybody; so many, not one more or less.
		saw) [ "$NAME" != broadcasts_passed ] || VICTIM_FOREIGN=$((VICTIM_FOREIGN + REST)) ;;
		ok) VERDICT="" ;;
		FAIL) VERDICT=$REST ;;
		esac
	done < "$RIG_SCENARIO_OUTPUT/$1.out"
	[ -z "$VERDICT" ]
}

attack_figures() {
	while read -r WORD NAME REST; do
		case $WORD in
		tried) result "$1/tried" "$NAME" ;;
		saw) result "$1/saw/$NAME" "$REST" ;;
		skip) skip "$1.$NAME" "$REST" ;;
		esac
	done < "$RIG_SCENARIO_OUTPUT/$1.out"
}

attack() {
	attack_holds "$1"
	check "$1" "$VERDICT" [ -z "$VERDICT" ]
	attack_figures "$1"
	victim_check "$1"
	switch_check "$1"
}

victim_stop() {
	victim_ask end && [ "$ANSWER" = bye ] && wait "$(cat "$RIG_TEMPORARY/victim.pid")"
}
