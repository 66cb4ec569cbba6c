# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# What a scenario can say and do. Sourced by job.sh before each scenario and by the interactive
# shell; busybox sh. Output of these functions for the runner goes to descriptor 9.
#
# Reporting
#	stage TEXT			progress line for people
#	pass NAME, fail NAME REASON…, skip NAME REASON…	one check's verdict
#	result KEY VALUE		a figure for the JSON; with KEY = GUEST.NAME, GUEST beginning with
#					a capital letter, a column of the closing table
#	check NAME REASON COMMAND…	pass or fail by the command's status
#	need NAME REASON COMMAND…	the same, and a failure ends the scenario
#	equal A B			for such a COMMAND: the same text
#	expect_message REGEX		kernel messages of this scenario that are no failure (Python)
#
# The other end of the NIC's cable (with the wish nic=1; machine/outside.py). There the interface is
# $FAR, with address 198.51.100.1/24; here the NIC is $RIG_NIC, a PCI address. Output goes to
# build/results/SCENARIO/outside/NAME.out, its end to the file $(outside_answer).
#	outside run NAME COMMAND…	a command line for sh there; returns its status
#	outside start NAME COMMAND…	the same in the background; returns at once
#	outside wait NAME		returns the status of what was started
#	outside stop NAME		interrupts it, returns its status
#	compare_captures CHECK FILE LOST	at the end of the run: pass, if FILE of this scenario's output, a
#					capture of the NIC, has the frames that passed outside, but
#					for LOST of those sent there; figures CHECK_sent_inside …
#
# Guests (at most 8; ID of letters and digits; QEMU's -name guest=ID)
#	guest_start ID [QEMU ARGS…] [-- KERNEL ARGS…]
#	guest_wait ID PATTERN [SECONDS]	read its serial lines to one that has PATTERN (a shell pattern)
#	guest_send ID LINE		write a line to its serial console
#	guest_do ID LINE [SECONDS]	send a request of guest/init, wait for OK; 1 on FAIL;
#					the answer's lines are in the file $(guest_answer ID)
#	guest_pid ID			QEMU's process id
#	guest_memory_has ID HEX		are these bytes anywhere in QEMU's memory? prints how often
#	guest_stop ID			ask it to leave, wait for it
#	guest_kill ID			kill -9 QEMU, wait for it
#	guests_boot ID…			start them all, then wait until each has booted
#	guests_leave ID…		testpmd quits in each, and the guest leaves
# Before guest_start may be set: GUEST_MEMORY (MiB), GUEST_CPU (the host CPU), GUEST_HUGEPAGES,
# GUEST_IMAGE=guest-net (with sockets; guest is the default).
#
# Seconds are emulated seconds on the emulated host.

# shellcheck source=/dev/null
[ -n "$RIG_OUTPUT" ] || . "$RIG_JOB/config"
RIG_TEMPORARY=${RIG_TEMPORARY:-/tmp}
RIG_SCENARIO_OUTPUT=${RIG_SCENARIO_OUTPUT:-/tmp}
(: >&9) 2> /dev/null || exec 9>&1

GUEST_MEMORY=192
GUEST_HUGEPAGES=24
GUEST_IMAGE=guest
GUESTS=0
GUEST_CMDLINE="console=ttyS0,115200 quiet reboot=t panic=-1"
# Time savers. ftrace, BPF and mitigations are nothing that a guest of the rig uses.
GUEST_SAVERS="mitigations=off tsc=reliable cryptomgr.notests no_timer_check nokaslr acpi=off \
rodata=off init_on_alloc=0 audit=0 initcall_blacklist=ftrace_check_for_weak_functions,trace_eval_init,\
tracer_init_tracefs,init_kprobe_trace,init_blk_tracer,bpf_rstat_kfunc_init,kfunc_init,\
bpf_prog_test_run_init,cubictcp_register,bpf_tcp_ca_kfunc_init,bpf_key_sig_kfuncs_init"

event() {
	echo "$*" >> "$RIG_SCENARIO_OUTPUT/events"
	echo "RIG $*" >&9
}

stage() {
	read -r UPTIME _ < /proc/uptime
	event stage "$* ($UPTIME s emulated)"
}

pass() { event pass "$1"; }
fail() { event fail "$@"; }
skip() { event skip "$@"; }
result() { event result "$1" "$2"; }

expect_message() { event expect "$1"; }

check() {
	CHECK=$1
	REASON=$2
	shift 2
	if "$@"; then
		pass "$CHECK"
	else
		fail "$CHECK" "$REASON"
		return 1
	fi
}

need() { check "$@" || exit 1; }

# The wait has no limit: idle time passes fast here, only the runner knows how long the others take.
outside() {
	OUTSIDE_REQUESTS=$((OUTSIDE_REQUESTS + 1))
	OUTSIDE_FILE=$RIG_TEMPORARY/outside.$OUTSIDE_REQUESTS
	echo "outside $*"
	echo "RIG outside $OUTSIDE_FILE $*" >&9
	until [ -e "$OUTSIDE_FILE" ]; do sleep 0.2; done
	{
		read -r OUTSIDE_STATUS
		cat > "$(outside_answer)"
	} < "$OUTSIDE_FILE"
	return "$OUTSIDE_STATUS"
}
OUTSIDE_REQUESTS=0

outside_answer() { echo "$RIG_TEMPORARY/outside.answer"; }

compare_captures() { event compare "$@"; }

# Serial lines: a pipe in and a pipe out, both kept open here; descriptors 10 + 2n and 11 + 2n.
guest_start() {
	ID=$1
	shift
	QEMU_ARGS=""
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		QEMU_ARGS="$QEMU_ARGS $1"
		shift
	done
	[ $# -eq 0 ] || shift
	FREE=$(cat /sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages)
	MEMORY_PATH=""
	[ $((FREE * 2)) -lt "$GUEST_MEMORY" ] || MEMORY_PATH="-mem-path $RIG_HUGE"
	CPU=${GUEST_CPU:-$((GUESTS % RIG_CPUS))}
	APPEND="$GUEST_CMDLINE"
	[ "$RIG_STOCK" = 1 ] || APPEND="$APPEND $GUEST_SAVERS"
	APPEND="$APPEND rig.hugepages=$GUEST_HUGEPAGES $*"
	mkfifo "$RIG_TEMPORARY/$ID.in" "$RIG_TEMPORARY/$ID.out"
	eval "exec $((10 + 2 * GUESTS))<>$RIG_TEMPORARY/$ID.in $((11 + 2 * GUESTS))<>$RIG_TEMPORARY/$ID.out"
	echo "$GUESTS" > "$RIG_TEMPORARY/$ID.number"
	GUESTS=$((GUESTS + 1))
	(
		# shellcheck disable=SC2086
		taskset -c "$CPU" qemu-system-x86_64 -name "guest=$ID" \
			-M pc,vmport=off,hpet=off,usb=off,i8042=off,smm=off -bios qboot.rom \
			-accel kvm -cpu host -m "$GUEST_MEMORY" $MEMORY_PATH \
			-nodefaults -no-user-config -display none -no-reboot -serial stdio \
			-device isa-debug-exit -kernel "$RIG_KERNEL" -initrd "$RIG_INITRDS/$GUEST_IMAGE.cpio" \
			-append "$APPEND" $QEMU_ARGS \
			< "$RIG_TEMPORARY/$ID.in" > "$RIG_TEMPORARY/$ID.out" \
			2> "$RIG_SCENARIO_OUTPUT/$ID.qemu" 9>&- &
		echo $! > "$RIG_TEMPORARY/$ID.pid"
		wait $!
		echo "QEMU-EXIT $?" > "$RIG_TEMPORARY/$ID.out"
	) &
}

# The next line of a descriptor, in $LINE; 1: none came in that many seconds. By a process without
# children: busybox's read forgets the half of a line that it has when a child ends.
read_line() { # DESCRIPTOR SECONDS
	# shellcheck disable=SC3045
	LINE=$(read -r -t "$2" LINE <&"$1" && printf '%s\n' "$LINE")
}

guest_descriptor() {
	read -r NUMBER < "$RIG_TEMPORARY/$1.number" || return 1
	DESCRIPTOR=$(($2 + 2 * NUMBER))
}

guest_pid() { cat "$RIG_TEMPORARY/$1.pid"; }
guest_answer() { echo "$RIG_TEMPORARY/$1.answer"; }

guest_wait() {
	guest_descriptor "$1" 11 || return 1
	: > "$RIG_TEMPORARY/$1.answer"
	while read_line "$DESCRIPTOR" "${3:-300}"; do
		LINE=${LINE%"$CARRIAGE_RETURN"}
		echo "$LINE" >> "$RIG_SCENARIO_OUTPUT/$1.serial"
		# shellcheck disable=SC2254
		case $LINE in
		$2) return 0 ;;
		"| "*) echo "${LINE#| }" >> "$RIG_TEMPORARY/$1.answer" ;;
		FAIL* | QEMU-EXIT*)
			echo "guest $1: $LINE (waited for $2)"
			cat "$RIG_SCENARIO_OUTPUT/$1.qemu" "$RIG_TEMPORARY/$1.answer"
			return 1
			;;
		esac
	done
	echo "guest $1: no line with $2 in ${3:-300} s"
	return 1
}
CARRIAGE_RETURN=$(printf '\r')

guest_send() {
	guest_descriptor "$1" 10 || return 1
	echo "$2" >&"$DESCRIPTOR"
}

guest_do() {
	echo "> $2" >> "$RIG_SCENARIO_OUTPUT/$1.serial"
	guest_send "$1" "$2" && guest_wait "$1" 'OK *' "${3:-300}"
}

guest_memory_has() { memscan "$(guest_pid "$1")" "$2"; }

guest_stop() {
	guest_send "$1" bye && guest_wait "$1" 'QEMU-EXIT 1' 60
}

guest_kill() {
	kill -9 "$(guest_pid "$1")"
	guest_wait "$1" 'QEMU-EXIT *' 60
}

equal() { [ "$1" = "$2" ]; }

guests_boot() {
	stage "starting guests $*"
	for ID in "$@"; do
		guest_start "$ID"
	done
	for ID in "$@"; do
		need "guest-$ID-boots" "no READY from guest $ID" guest_wait "$ID" 'READY *'
	done
}

guests_leave() {
	for ID in "$@"; do
		check "quit-$ID" "testpmd did not leave with status 0" guest_do "$ID" quit
		check "leaves-$ID" "guest $ID did not leave" guest_stop "$ID"
	done
}
