# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# Defences of elisa.ko switched off one by one (tests/mutations): the test that belongs to each passes
# with the defence and fails without it. Sourced after common/mutants.sh.

# What the module says of a vCPU that a weakened gate has let into tables of its own.
expect_message 'WARNING: .* elisa_vcpu_leave\+'
expect_message 'Call Trace:'

# load PARAMETER=VALUE…
load() {
	insmod "$RIG_JOB/files/elisa-mutants.ko" "$@" || { fail "$NAME.loads" "insmod $* refused"; exit 1; }
}

unload() { rmmod elisa || { fail "$NAME.unloads" "something still holds the module"; exit 1; }; }

run_test() {
	"$@" > "$RIG_TEMPORARY/output" 2>&1
	STATUS=$?
	echo "-- $NAME: $*: $STATUS"
	cat "$RIG_TEMPORARY/output"
	return $STATUS
}

# attempt NUMBER [PARAMETER=VALUE…] COMMAND…: the command's status, with that mutant alive; 0 none.
attempt() {
	PARAMETERS="mutant=$1"
	shift
	while :; do
		case $1 in
		*=*) PARAMETERS="$PARAMETERS $1" ;;
		*) break ;;
		esac
		shift
	done
	# shellcheck disable=SC2086
	load $PARAMETERS
	run_test "$@"
	RESULT=$?
	unload
	return $RESULT
}

fails_without() { fail "$NAME.without" "$TEST fails without a mutant: $(tail -n 1 "$RIG_TEMPORARY/output")"; }

# Each test once; those that want parameters one by one, all others in one go.
stage "without a mutant"
SEEN="" WITH_PARAMETERS=""
mutants_for_cpu module > "$RIG_TEMPORARY/module.list"
load mutant=0
while read -r NUMBER NAME TEST; do
	case $SEEN in
	*"|$TEST|"*) continue ;;
	esac
	SEEN="$SEEN|$TEST|"
	case $TEST in
	*=*) WITH_PARAMETERS="$WITH_PARAMETERS $NAME" ;;
	*)
		# shellcheck disable=SC2086
		run_test $TEST || fails_without
		;;
	esac
done < "$RIG_TEMPORARY/module.list"
unload
while read -r NUMBER NAME TEST; do
	case " $WITH_PARAMETERS " in
	*" $NAME "*)
		# shellcheck disable=SC2086
		attempt 0 $TEST || fails_without
		;;
	esac
done < "$RIG_TEMPORARY/module.list"
pass tests-without-mutants
stage "with each mutant"
KILLED=0 ALL=0
while read -r NUMBER NAME TEST; do
	ALL=$((ALL + 1))
	# shellcheck disable=SC2086
	if attempt "$NUMBER" $TEST; then
		fail "$NAME" "survived: $TEST passes without that defence"
	else
		pass "$NAME"
		KILLED=$((KILLED + 1))
	fi
done < "$RIG_TEMPORARY/module.list"
check module-mutants-listed "module.list has none" [ $ALL -gt 0 ]
stage "killed $KILLED of $ALL"
result module_killed $KILLED
result module_mutants $ALL
