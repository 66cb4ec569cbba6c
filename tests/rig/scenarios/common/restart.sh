# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# A daemon that is started again, by its monitor (SWITCHD_OPTIONS has --monitor). Sourced after switch.sh.
#
#	monitor_pid, daemon_pid
#	answers_anew PID	wait until another daemon than that process answers

monitor_pid() { cat "$RIG_TEMPORARY/switchd.pid"; }
daemon_pid() { json status | field pid; }

answers_anew() {
	TRIES=0
	until NOW=$(daemon_pid) && [ "${NOW:-0}" -gt 0 ] && [ "$NOW" != "$1" ]; do
		TRIES=$((TRIES + 1))
		[ $TRIES -lt 300 ] || return 1
		sleep 0.1
	done
}
