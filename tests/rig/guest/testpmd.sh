# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# An interactive dpdk-testpmd whose prompt is typed at. Sourced by guest/init, and on the host by
# scenarios/common/nic.sh; busybox sh. Takes descriptor 7.
#
#	testpmd_start ARGS…	returns at its first prompt; 1: it left before
#	testpmd_type LINE	returns when the prompt is back; 1: it left
#	testpmd_quit		its exit status
#	testpmd_show PATTERN	lines of the last command's output that match (grep -E)
#	testpmd_log [LINES]	the end of the whole output

TESTPMD_OUTPUT=/tmp/testpmd.out
TESTPMD_STATUS=/tmp/testpmd.status

rm -f /tmp/testpmd.in
mkfifo /tmp/testpmd.in
exec 7<>/tmp/testpmd.in

testpmd_prompts() { grep -a -o 'testpmd> ' $TESTPMD_OUTPUT | wc -l; }

# testpmd writes its prompt without a newline: count prompts.
testpmd_await_prompt() {
	until [ "$(testpmd_prompts)" -gt "$1" ]; do
		[ ! -e $TESTPMD_STATUS ] || return 1
		sleep 0.1
	done
}

testpmd_start() {
	rm -f $TESTPMD_STATUS
	: > $TESTPMD_OUTPUT
	# Line buffered: the statistics are in the file when the next prompt is.
	{
		_STDBUF_O=L LD_PRELOAD=/lib/x86_64-linux-gnu/libstdbuf.so \
			dpdk-testpmd "$@" < /tmp/testpmd.in >> $TESTPMD_OUTPUT 2>&1 7>&- 9>&-
		echo $? > $TESTPMD_STATUS
	} &
	testpmd_await_prompt 0
}

testpmd_type() {
	BEFORE=$(testpmd_prompts)
	TESTPMD_ANSWER_AT=$(($(wc -c < $TESTPMD_OUTPUT) + 1))
	echo "$1" >&7
	testpmd_await_prompt "$BEFORE"
}

testpmd_quit() {
	TESTPMD_ANSWER_AT=$(($(wc -c < $TESTPMD_OUTPUT) + 1))
	echo quit >&7
	until [ -e $TESTPMD_STATUS ]; do sleep 0.1; done
	read -r STATUS < $TESTPMD_STATUS
	return "$STATUS"
}
TESTPMD_ANSWER_AT=1

testpmd_show() { tail -c "+$TESTPMD_ANSWER_AT" $TESTPMD_OUTPUT | tr -d '\r' | grep -a -E -- "$1"; }

# The last line is a prompt without a newline; what follows must not end up in it.
testpmd_log() { tail -n "${1:-20}" $TESTPMD_OUTPUT; echo; }
