# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# Defences of module, trusted image and daemon switched off one by one (tests/mutations): the attack that
# they are for (scenario attack) goes through. It has to say so itself, or victim or switch show it.
# Sourced after common/mutants.sh, with attacks that must hold with number 0 in $WITHOUT.

. "$RIG_JOB/scenarios/common/switch.sh"
. "$RIG_JOB/scenarios/common/attack.sh"

FILES=$RIG_JOB/files
LEAVE_TRIES=100     # of a tenth of a second

expect_message 'elisa: vCPU \d+ of process \d+ thrown out of the switch.*'
# What is said of a vCPU that a weakened gate has let into tables of its own.
expect_message 'WARNING: .* elisa_vcpu_leave\+'
expect_message 'Call Trace:'
# Of row 12's own domains, and of contexts that a mutant has spoilt.
expect_message 'elisa: invariant \d+ of vCPU \d+ of switch .*'

# All three are one build with all mutants; who has none of this number is as it is shipped.
# shellcheck disable=SC2034 # of switch.sh
SWITCHD_OPTIONS=--monitor SWITCHD=$FILES/elisa-switchd SWITCH_IMAGE=$RIG_TEMPORARY/image.elf

choose() { # NUMBER
	# shellcheck disable=SC2034 # of switch.sh
	SWITCH_MODULE="$FILES/elisa-mutants.ko mutant=$1"
	export ELISA_MUTANT="$1"
	cp "$FILES/elisa-image.elf" "$SWITCH_IMAGE"
	# shellcheck disable=SC2059
	printf "$(printf '\\%03o\\%03o' $(($1 % 256)) $(($1 / 256)))" |
		dd of="$SWITCH_IMAGE" bs=1 seek="$IMAGE_AT" conv=notrunc 2> /dev/null
}

# With the defence off, and not attacked yet, all is as it should be.
begin() {
	choose "$1"
	need "$MUTANT.starts" "see switchd.log" switch_start
	need "$MUTANT.victim-starts" "the victim does not run, see victim.log" victim_start
	need "$MUTANT.victim-before" "the victim is not well before the attack, see victim.log" victim_holds
	# shellcheck disable=SC2034 # of attack.sh
	VICTIM_TURNS=$TURNS
}

# After an attack that went through, nothing need work any more.
end() {
	kill -9 "$(cat "$RIG_TEMPORARY/victim.pid")"
	kill "$(cat "$RIG_TEMPORARY/switchd.pid")"
	TRIES=0
	until rmmod elisa 2> "$RIG_TEMPORARY/rmmod"; do
		TRIES=$((TRIES + 1))
		[ $TRIES != $((LEAVE_TRIES / 2)) ] || killall -9 elisa-switchd
		[ $TRIES -lt $LEAVE_TRIES ] || { fail "$MUTANT.unloads" "$(cat "$RIG_TEMPORARY/rmmod")"; exit 1; }
		sleep 0.1
	done
}

# What shows that the attack went through, in BY; empty: nothing.
goes_through() { # ATTACK
	if ! attack_holds "$1"; then
		BY="attack: $VERDICT"
	elif ! victim_holds; then
		BY="victim: $ANSWER"
	elif ! switch_holds; then
		BY="switch: $(echo "$PROOF" | head -n 1)"
	fi
}

read -r IMAGE_AT < "$FILES/attacks.list"
mutants_for_cpu attacks > "$RIG_TEMPORARY/attacks.list"
stage "without a mutant"
MUTANT=without
begin 0
for ATTACK in $WITHOUT; do
	attack "$ATTACK"
done
end
stage "with each mutant"
KILLED=0 ALL=0
while read -r NUMBER MUTANT ATTACK <&3; do
	ALL=$((ALL + 1))
	begin "$NUMBER"
	BY=""
	goes_through "$ATTACK"
	case $BY in
	"") fail "$MUTANT" "survived: $ATTACK notices nothing without that defence" ;;
	*"without a verdict"*) fail "$MUTANT" "$BY" ;;
	*)
		KILLED=$((KILLED + 1))
		result "$MUTANT" "$ATTACK: $BY"
		stage "$MUTANT: $ATTACK: $BY"
		pass "$MUTANT"
		;;
	esac
	end
done 3< "$RIG_TEMPORARY/attacks.list"
check attacks-mutants-listed "attacks.list has none" [ $ALL -gt 0 ]
stage "killed $KILLED of $ALL"
result attacks_killed $KILLED
result attacks_mutants $ALL
