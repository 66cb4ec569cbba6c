# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# Programs in the background of a guest, kernel modules, the network. Sourced by init, which says what
# the requests are. A program called NAME writes to /tmp/NAME.out; its process id is in PID_NAME.

start_program() { # NAME PROGRAM ARGS…
	PROGRAM=$1
	shift
	"$@" > "/tmp/$PROGRAM.out" 2>&1 < /dev/null 7>&- &
	eval "PID_$PROGRAM=$!"
}

print_output() { tail -n "${2:-20}" "/tmp/$1.out" | tr -d '\r' | sed 's/^/| /'; }

await_program() { eval "wait \"\$PID_$1\""; }

interrupt_program() {
	eval "kill -INT \"\$PID_$1\""
	await_program "$1"
}

load_modules() {
	for MODULE in "$@"; do
		[ -e "/sys/module/$MODULE" ] || insmod "/lib/modules/$MODULE.ko" || return 1
	done
}

start_net() { # PORT ADDRESS ARGS…
	NET_PORT=$1
	NET_ADDRESS=$2
	shift 2
	load_modules tun
	# No frame passes that no scenario asked for: IPv6 speaks by itself.
	[ ! -e /proc/sys/net/ipv6 ] || echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6
	start_program netd elisa-netd --port "$NET_PORT" "$@"
	until [ "$(cat /sys/class/net/elisa0/carrier 2> /dev/null)" = 1 ]; do
		if ! eval "kill -0 \"\$PID_netd\"" 2> /dev/null; then
			print_output netd
			echo "FAIL net: elisa-netd ended"
			return
		fi
		sleep 0.1
	done
	/bin/ip address add "$NET_ADDRESS" dev elisa0
	verdict net $?
}
