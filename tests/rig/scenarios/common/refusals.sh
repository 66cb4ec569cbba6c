# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# Checks that something was refused with one clear line. Sourced after lib.sh. No processes of its
# own: a fork costs much on the emulated host.
#
#	refused NAME STATUS TEXT COMMAND…	the command ends with that status and says one line on
#						standard error, which has TEXT
#	said FILE TEXT			has a line of the file TEXT?
#	driver_said NAME ID DEVICE TEXT	of the lines of the guest's last answer exactly one is the
#					driver's about that device, and it has TEXT

said() {
	while read -r LINE; do
		case $LINE in
		*"$2"*) return 0 ;;
		esac
	done < "$1"
	return 1
}

# Lines of a file with WORD in COUNT, the last of them in SAID. The empty word is in all. A warning
# (elisa-switchd's of side channels) is no refusal.
count_lines() { # FILE WORD
	COUNT=0
	SAID=nothing
	while read -r LINE; do
		case $LINE in
		*": warning: "*) ;;
		*"$2"*) COUNT=$((COUNT + 1)) SAID=$LINE ;;
		esac
	done < "$1"
}

one_line() { # FILE WORD TEXT
	count_lines "$1" "$2"
	[ $COUNT = 1 ] || return 1
	case $SAID in
	*"$3"*) return 0 ;;
	*) return 1 ;;
	esac
}

refused_so() { # STATUS TEXT COMMAND…
	WANTED=$1
	TEXT=$2
	shift 2
	"$@" > /dev/null 2> "$RIG_TEMPORARY/refusal" 9>&-
	STATUS=$?
	one_line "$RIG_TEMPORARY/refusal" "" "$TEXT" && [ $STATUS = "$WANTED" ]
}

refused() {
	REFUSED=$1
	shift
	if refused_so "$@"; then
		pass "$REFUSED"
	else
		fail "$REFUSED" "status $STATUS, $COUNT lines, the last: $SAID"
	fi
}

driver_said() {
	if one_line "$(guest_answer "$2")" "$3: " "$4"; then
		pass "$1"
	else
		fail "$1" "$COUNT lines about $3, the last: $SAID"
	fi
}
