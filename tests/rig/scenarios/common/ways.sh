# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# Guests A and B joined in three ways, one after the other, for benchmarks that compare them. Sourced
# after switch.sh.
#
#	virtio	virtio-net in the guests, vhost-net and a Linux bridge on the host
#	vmfunc	elisa-netd in the guests, gate=vmfunc
#	vmcall	the same with gate=vmcall: each gate call is a VM exit
#
#	ways_start		guests A and B with a virtio-net device each; nothing joined yet
#	each_way FUNCTION	joins them, calls FUNCTION WAY, parts them; A's address is then $ADDRESS_A,
#				B's $ADDRESS_B
#	measured NAME COMMAND…	runs the command and leaves NAME.begin and NAME.end: counters before and
#				after (host/marks.c, and bytes by interface). Its status is the command's
#	fetch ID FILE TO	a file of a guest, compressed on the way: its console is slow
#	ways_stop		ends guests and switch
#
# busybox would prefer an ip of its own.
#
# virtio comes first: attaching a VM to the switch changes how it gets its interrupts for good.

ADDRESS_A=198.18.0.1
ADDRESS_B=198.18.0.2
BRIDGE=ways0
# In this order.
VIRTIO_MODULES="virtio_ring virtio virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci failover \
net_failover virtio_net"

host_modules() {
	for MODULE in "$@"; do
		[ -e "/sys/module/$MODULE" ] || insmod "/lib/modules/$MODULE.ko" || modprobe "$MODULE" || return 1
	done
}

host_tap() { # NAME
	/bin/ip tuntap add dev "$1" mode tap vnet_hdr && /bin/ip link set "$1" master $BRIDGE up
}

host_bridge() {
	host_modules tun tap vhost_iotlb vhost vhost_net llc stp bridge || return 1
	/bin/ip link add $BRIDGE type bridge && /bin/ip link set $BRIDGE up && host_tap waysA && host_tap waysB
}

ways_guest() { # ID MAC
	guest_start "$1" -netdev "tap,id=net,ifname=ways$1,script=no,downscript=no,vhost=on" \
		-device "virtio-net-pci,netdev=net,mac=$2,romfile="
}

ways_start() {
	# shellcheck disable=SC2034 # guest_start reads it
	GUEST_IMAGE=guest-net
	# A vCPU that polls on after HLT would spend instructions on nothing, and less of them when both
	# guests share the emulated CPU.
	case $RIG_PLATFORM in
	emulated*) echo 0 > /sys/module/kvm/parameters/halt_poll_ns ;;
	esac
	need bridge "no bridge with two taps" host_bridge
	stage "starting guests A and B"
	ways_guest A 52:e1:15:a0:01:0a
	ways_guest B 52:e1:15:a0:01:0b
	need guest-A-boots "no READY from guest A" guest_wait A 'READY *'
	need guest-B-boots "no READY from guest B" guest_wait B 'READY *'
}

virtio_up() { # ID ADDRESS
	guest_do "$1" "load $VIRTIO_MODULES" && guest_do "$1" "run /bin/ip address add $2/24 dev eth0" &&
		guest_do "$1" "run /bin/ip link set eth0 up"
}

elisa_up() { # GATE
	guest_do A "net port=p0,gate=$1 $ADDRESS_A/24" && guest_do B "net port=p1,gate=$1 $ADDRESS_B/24"
}

elisa_down() { guest_do A "interrupt netd" && guest_do B "interrupt netd"; }

# Of the driver in a guest, as the guest's kernel counts them.
guest_bytes() { # ID
	guest_do "$1" "run cat /sys/class/net/$INTERFACE/statistics/rx_bytes \
/sys/class/net/$INTERFACE/statistics/tx_bytes" || return 1
	{ read -r RX_BYTES && read -r TX_BYTES; } < "$(guest_answer "$1")"
	echo "received_$1 $RX_BYTES"
	echo "sent_$1 $TX_BYTES"
}

# What the host copies: vhost between a guest and its tap, the switch into its ports' buffers.
host_bytes() {
	for NAME in waysA waysB; do
		read -r RX_BYTES < /sys/class/net/$NAME/statistics/rx_bytes
		read -r TX_BYTES < /sys/class/net/$NAME/statistics/tx_bytes
		echo "vhost_$NAME $((RX_BYTES + TX_BYTES))"
	done
	if [ "$WAY" != virtio ]; then
		json stats > "$RIG_TEMPORARY/ways.stats"
		for NAME in p0 p1; do
			echo "switch_$NAME $(port_part $NAME received < "$RIG_TEMPORARY/ways.stats" | field bytes)"
		done
	fi
}

host_marks() { marks "A=$(guest_pid A)" "B=$(guest_pid B)"; }

# The host's marks come last before and first after the command: taking the others costs as well.
measured() {
	MEASURED=$RIG_SCENARIO_OUTPUT/$1
	shift
	{ guest_bytes A && guest_bytes B && host_bytes && host_marks; } > "$MEASURED.begin" || return 1
	"$@"
	MEASURED_STATUS=$?
	{ host_marks && host_bytes && guest_bytes A && guest_bytes B; } > "$MEASURED.end" || return 1
	return $MEASURED_STATUS
}

fetch() { # ID FILE TO
	guest_do "$1" "run sh -c 'gzip -c $2 | base64'" && base64 -d < "$(guest_answer "$1")" | gunzip > "$3"
}

way() { # WAY INTERFACE FUNCTION
	WAY=$1
	INTERFACE=$2
	need "$WAY.reaches" "A has no answer from B" guest_do A "run ping -c 1 -W 5 $ADDRESS_B"
	$3 "$WAY"
}

# The module offers both gates.
ways_switch() {
	stage "loading elisa.ko and starting elisa-switchd"
	insmod "$RIG_PAYLOAD/elisa.ko" vmcall_gate=1 && daemon_start
}

each_way() {
	stage "virtio-net, vhost-net and a bridge"
	need virtio.up-A "no eth0 in A" virtio_up A $ADDRESS_A
	need virtio.up-B "no eth0 in B" virtio_up B $ADDRESS_B
	way virtio eth0 "$1"
	need virtio.down-A "eth0 stays up in A" guest_do A "run /bin/ip link set eth0 down"
	need virtio.down-B "eth0 stays up in B" guest_do B "run /bin/ip link set eth0 down"
	need switch-starts "see switchd.log" ways_switch
	need port-p0 "port add" elisactl port add p0 --vm A --on-full backpressure
	need port-p1 "port add" elisactl port add p1 --vm B --on-full backpressure
	for GATE in vmfunc vmcall; do
		stage "elisa-netd with gate=$GATE"
		need "$GATE.up" "elisa-netd did not start" elisa_up $GATE
		way $GATE elisa0 "$1"
		need "$GATE.down" "elisa-netd did not leave with status 0" elisa_down
	done
}

ways_stop() {
	stage "stopping"
	check leaves-A "guest A did not leave" guest_stop A
	check leaves-B "guest B did not leave" guest_stop B
	check switch-stops "the daemon or the module did not go" switch_stop
	/bin/ip link del $BRIDGE
	/bin/ip link del waysA
	/bin/ip link del waysB
}
