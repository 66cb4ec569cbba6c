# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Steps with progress: one line each, output in a log, and a failed one explains itself. Sourced,
# after paths.sh.
#
#	plan SECONDS LOG TITLE REMEDY COMMAND…	add a step; COMMAND is a program, not a function
#	run_plan				do them, stop at the first that fails
#
# Each step is a session of its own; Ctrl-C or a hang-up ends it and all that it started.

STEPS=0
STEP_GROUP=""
declare -a STEP_SECONDS STEP_LOG STEP_TITLE STEP_REMEDY STEP_COMMAND

plan() {
	STEP_SECONDS[STEPS]=$1
	STEP_LOG[STEPS]=$LOGS/$2.log
	STEP_TITLE[STEPS]=$3
	STEP_REMEDY[STEPS]=$4
	shift 4
	STEP_COMMAND[STEPS]=$(printf '%q ' "$@")
	STEPS=$((STEPS + 1))
}

end_step() {
	[ -n "$STEP_GROUP" ] || return 0
	kill -TERM -- "-$STEP_GROUP" 2> /dev/null || true
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		kill -0 -- "-$STEP_GROUP" 2> /dev/null || break
		sleep 0.1
	done
	kill -KILL -- "-$STEP_GROUP" 2> /dev/null || true
	STEP_GROUP=""
}

interrupted() {
	end_step
	echo
	echo "interrupted; nothing is left running" >&2
	exit 130
}

explain_failure() {
	local n=$1 status=$2
	printf 'FAILED (status %s)\n\nlast lines of %s:\n' "$status" "${STEP_LOG[n]}"
	tail -n 20 "${STEP_LOG[n]}" | sed 's/^/    /'
	printf '\nwhat to try: %s\n' "${STEP_REMEDY[n]}"
}

run_step() {
	local n=$1 began=$SECONDS status=0 word
	local -a command
	eval "command=(${STEP_COMMAND[n]})"
	printf '[%d/%d] %s (about %s s)… ' $((n + 1)) "$STEPS" "${STEP_TITLE[n]}" "${STEP_SECONDS[n]}"
	setsid "${command[@]}" > "${STEP_LOG[n]}" 2>&1 < /dev/null &
	STEP_GROUP=$!
	wait "$STEP_GROUP" || status=$?
	STEP_GROUP=""
	if [ "$status" -ne 0 ]; then
		explain_failure "$n" "$status"
		return "$status"
	fi
	word='done'
	! tail -n 1 "${STEP_LOG[n]}" | grep -q 'unchanged$' || word="up to date"
	echo "$word in $((SECONDS - began)) s"
}

run_plan() {
	local n
	mkdir -p "$LOGS" "$RESULTS"
	trap interrupted INT TERM HUP
	for ((n = 0; n < STEPS; n++)); do
		run_step "$n" || exit 1
	done
	trap - INT TERM HUP
	STEPS=0
}
