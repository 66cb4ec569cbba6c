# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# rig: seconds=120 limit=420
# Wrong input, and parties that go away, each while guest A sends to guest B: one clear line where a
# person looks, and nobody else loses a packet. Guest C is the one that does it all wrong.
#
# Ports: p0 (A), p1 (B, with back-pressure), p2 (C).

. "$RIG_JOB/scenarios/common/switch.sh"
. "$RIG_JOB/scenarios/common/refusals.sh"
. "$RIG_JOB/scenarios/common/pair.sh"

MAC_A=52:e1:15:a0:00:0a
MAC_B=52:e1:15:a0:00:0b
MAC_C=52:e1:15:a0:00:0c
LONG_NAME=a-name-of-thirty-two-bytes-which
NOT_THERE="elisa.ko is not loaded on the host, or this VM has no port"
IN_USE="the port is in use by another process or device"
NO_SUCH_PORT="this VM has no such port on such a switch"

# A command at the prompt of C's testpmd, which must survive whatever it is told.
in_c() {
	guest_do C "cmd $*" && return
	fail testpmd-in-C-goes-on "no prompt after: $*"
	exit 1
}

# What everybody who pins a process's pages has taken and not given back, since the host's start.
# Each CPU keeps its last few counts to itself until it is asked for them.
pins_left() {
	PINS=0
	echo 1 > /proc/sys/vm/stat_refresh
	while read -r KEY VALUE; do
		case $KEY in
		nr_foll_pin_acquired) PINS=$((PINS + VALUE)) ;;
		nr_foll_pin_released) PINS=$((PINS - VALUE)) ;;
		esac
	done < /proc/vmstat
	echo $PINS
}

no_module() {
	refused elisactl.no-daemon 3 "elisa-switchd is not running for switch elisa0" elisactl port list
	refused elisactl.no-command 2 "a command is missing" elisactl
	refused elisactl.unknown-command 2 "there is no command 'port frobnicate'" \
		elisactl port frobnicate
	refused elisactl.add-without-vm 2 "'port add' needs --vm" elisactl port add p0
	refused elisactl.one-too-many 2 "'p1' is one argument too many" elisactl port del p0 p1
	refused elisactl.mtu-no-number 2 "--mtu 'big' is not a number" \
		elisactl port add p0 --vm A --mtu big
	refused elisactl.rate-no-number 2 "--rate-bits '10MB' is not a whole number" \
		elisactl port set p0 --rate-bits 10MB
	refused elisactl.private-or-not 2 "--private 'yes' is not on or off" \
		elisactl port set p0 --private yes
	refused switchd.no-module 1 "the host module is not loaded (no /dev/elisa)" \
		elisa-switchd --image "$RIG_PAYLOAD/elisa-image.elf"
	refused switchd.bad-name 2 "--switch 'no/good' is not" elisa-switchd --switch no/good
	refused switchd.bad-fdb-size 2 "--fdb-size '1000' is not a power of two" \
		elisa-switchd --fdb-size 1000
}

# One testpmd without any port, which goes on for all that follows.
wrong_arguments() {
	need arguments.testpmd-C "testpmd did not start" guest_do C "testpmd '--lcores=(0,1)@0' \
--no-pci --no-telemetry -d $PMD --vdev=net_elisa0 --vdev=net_elisa1,gate=foo \
--vdev=net_elisa2,colour=red --vdev=net_elisa3,port=$LONG_NAME --vdev=net_elisa4,port=a,port=b \
-- -i --nb-cores=1 --total-num-mbufs=4096 --mbcache=64 --rxd=1024 --txd=256 --no-flush-rx \
--no-lsc-interrupt --forward-mode=txonly --eth-peer=0,$MAC_B --txpkts=60"
	need arguments.log-C "no log" guest_do C "log 60"
	driver_said driver.no-module C net_elisa0 "$NOT_THERE"
	driver_said driver.bad-gate C net_elisa1 "gate=foo is not known: vmfunc, vmcall or local"
	driver_said driver.unknown-argument C net_elisa2 "argument colour is not known"
	driver_said driver.port-name-too-long C net_elisa3 "a name has 1 to 31 bytes"
	driver_said driver.argument-twice C net_elisa4 "argument port is given twice"
}

refused_by_the_daemon() {
	refused switchd.second-daemon 1 "switch elisa0 is already run by another elisa-switchd" \
		elisa-switchd --image "$RIG_PAYLOAD/elisa-image.elf" --accept-side-channels
	refused elisactl.other-switch 3 "elisa-switchd is not running for switch other" \
		elisactl --switch other port list
	refused elisactl.port-twice 1 "port p0 belongs to VM A" elisactl port add p0 --vm A
	refused elisactl.port-of-another-vm 1 "port p0 belongs to VM A" elisactl port add p0 --vm C
	refused elisactl.mac-twice 1 "is already that of port p0" \
		elisactl port add p9 --vm C --mac $MAC_A
	refused elisactl.no-such-vm 1 "no running KVM virtual machine is called 'D'" \
		elisactl port add p9 --vm D
	refused elisactl.no-vmm 1 "process 1 runs no KVM virtual machine" elisactl port add p9 --vm 1
	refused elisactl.bad-mac 1 "'mac' has to be a unicast address" \
		elisactl port add p9 --vm C --mac 01:00:5e:00:00:01
	refused elisactl.bad-on-full 1 "'on_full' has to be \"drop\" or \"backpressure\"" \
		elisactl port add p9 --vm C --on-full explode
	refused elisactl.bad-mtu 1 "'mtu' has to be a whole number from 68 to 9216" \
		elisactl port add p9 --vm C --mtu 9217
	refused elisactl.nothing-to-set 1 "nothing to set for port p0 is given" elisactl port set p0
	refused elisactl.bad-rate 1 "'rate_bits' has to be a whole number from 8000 to 800000000000" \
		elisactl port set p0 --learn 1 --rate-bits 1k
	refused elisactl.bad-guard 1 "'guard' has to be a list of" \
		elisactl port set p0 --learn 1 --guard mac,port
	refused elisactl.prefix 1 "without a prefix, not 10.0.0.0/8" \
		elisactl port set p0 --learn 1 --guard ip --allow-ip 10.0.0.0/8
	refused elisactl.guard-without-vlans 1 "have to be set together" \
		elisactl port add p9 --vm C --guard vlan
	check elisactl.nothing-was-set "p0 may teach $(json port show p0 | field learn) addresses" \
		equal "$(json port show p0 | field learn)" 1024
	refused elisactl.bad-port-name 1 "'name' has to be" elisactl port add p/9 --vm C
	refused elisactl.no-such-port 1 "switch elisa0 has no port p9" elisactl port del p9
}

wrong_ports() {
	in_c port attach net_elisa5
	need port-p2 "port add" elisactl port add p2 --vm C --mac $MAC_C
	in_c port attach net_elisa6,port=nope
	in_c port attach net_elisa7,port=p0
	in_c port attach net_elisa8,port=p2,switch=other
	need port-p3 "port add" elisactl port add p3 --vm C
	in_c port attach net_elisa9
	need port-p3-del "port del" elisactl port del p3
	need wrong-ports.log "no log" guest_do C "log 80"
	driver_said driver.no-port-for-this-vm C net_elisa5 "$NOT_THERE"
	driver_said driver.no-such-port C net_elisa6 "$NO_SUCH_PORT"
	driver_said driver.port-of-another-vm C net_elisa7 "$NO_SUCH_PORT"
	driver_said driver.other-switch C net_elisa8 "$NO_SUCH_PORT"
	driver_said driver.several-ports C net_elisa9 "this VM has several free ports"
}

# A device at last, and who else would like to have its port.
one_device() {
	in_c port attach net_elisa10,port=p2
	in_c port attach net_elisa11,port=p2
	in_c port attach net_elisa12
	need driver.attach-log "no log" guest_do C "log 40"
	driver_said driver.attached C net_elisa10 "port p2 of switch elisa0"
	driver_said driver.port-of-another-device C net_elisa11 "$IN_USE"
	driver_said driver.second-device-without-port C net_elisa12 "say which port this one gets"
	guest_do C "run dpdk-testpmd --no-pci --no-telemetry --no-huge -m 32 --file-prefix=second \
-d $PMD --vdev=net_elisa13,port=p2 -- --total-num-mbufs=1024 --mbcache=64 < /dev/null"
	driver_said driver.port-of-another-process C net_elisa13 "$IN_USE"
}

wrong_rings() {
	for COMMAND in "all rxd 0" "all rxd 1000" start "all rxd 1024" "all txd 1000" start \
		"all txd 256" "0 rxq 0 ring_size 40000" start "all rxd 1024"; do
		case $COMMAND in
		start) in_c port start 0 ;;
		*) in_c port config "$COMMAND" ;;
		esac
	done
	need rings.log "no log" guest_do C "log 30"
	ring_said driver.ring-of-none "Fail: input rxd (0) can't be less than min_rxds (8) of port 0"
	ring_said driver.ring-not-a-power-of-two \
		"a receive ring of 1000 descriptors: give a power of two from 8 to 32768"
	ring_said driver.window-not-a-power-of-two \
		"a transmit ring of 1000 descriptors: give a power of two from 8 to 32768"
	ring_said driver.ring-too-large "Invalid value for nb_rx_desc(=40000), should be: <= 32768"
}

ring_said() { # NAME TEXT
	check "$1" "not said: $2" said "$(guest_answer C)" "$2"
}

# A process that cannot say bye: its kernel knows of its end, the host does not.
killed_testpmd() {
	in_c port start 0
	need killed-testpmd.sends "no OK from C" guest_do C start
	sleep 0.2
	guest_do C "run killall -9 dpdk-testpmd; sleep 0.5"
	snapshot killed-testpmd
	check killed-testpmd.sent "C had not sent a packet" [ "$(sent killed-testpmd p2)" -gt 0 ]
	need killed-testpmd.again "testpmd did not start again" \
		testpmd C p2 --forward-mode=txonly --eth-peer=0,$MAC_B --txpkts=60
	need killed-testpmd.log "no log" guest_do C "log 30"
	driver_said killed-testpmd.has-its-port C net_elisa0 "port p2 of switch elisa0"
	need killed-testpmd.sends-again "no OK from C" guest_do C start
	sleep 0.2
	need killed-testpmd.stops "no OK from C" guest_do C stop
}

# What is sent after B's port went and before A's did is dropped, and the counters go with the
# daemon: so no equality here.
killed_daemon() {
	GOT_BEFORE=$GOT
	pair_goes_on killed-daemon
	sleep 0.3
	kill -9 "$(cat "$RIG_TEMPORARY/switchd.pid")"
	sleep 0.5
	refused killed-daemon.elisactl 3 "elisa-switchd is not running for switch elisa0" \
		elisactl port list
	pair_stops killed-daemon
	check killed-daemon.flowed "B received $GOT, $GOT_BEFORE before" [ "$GOT" -gt "$GOT_BEFORE" ]
	check killed-daemon.none-twice "A sent $SENT, C $(sent first p2), B received $GOT" \
		[ "$GOT" -le $((SENT + $(sent first p2))) ]
	check killed-daemon.pins "$(($(pins_left) - PINS_BEFORE)) pages are still pinned" \
		equal "$(pins_left)" "$PINS_BEFORE"
	guest_do A "cmd show port xstats 0" && guest_do A "show tx_failed_calls"
	count_lines "$(guest_answer A)" tx_failed_calls
	check killed-daemon.failed-calls-are-counted "$SAID" [ "${SAID##*: }" -gt 0 ]
	in_c port attach net_elisa1,port=p9
	guest_do C "log 10"
	driver_said killed-daemon.attach C net_elisa1 "$NOT_THERE"
	for ID in A B C; do
		check "killed-daemon.quit-$ID" "testpmd did not leave with status 0" guest_do $ID quit
	done
	need killed-daemon.restart "see switchd.log" daemon_start
}

killed_vm() {
	need killed-vm.port-p2 "port add" elisactl port add p2 --vm C --mac $MAC_C
	need killed-vm.testpmd-C "testpmd did not start" \
		testpmd C p2 --forward-mode=txonly --eth-peer=0,$MAC_B --txpkts=60
	need killed-vm.sends "no OK from C" guest_do C start
	sleep 0.3
	PINNED_WITH=$(pinned)
	PINNED_C=$(json port show p2 | field pinned_pages)
	snapshot killed-vm.before
	FROM_C=$(sent killed-vm.before p2)
	guest_kill C
	sleep 0.5
	refused killed-vm.port-went 1 "switch elisa0 has no port p2" elisactl port show p2
	check killed-vm.log "no line in switchd.log" \
		said "$RIG_SCENARIO_OUTPUT/switchd.log" "port p2 removed: VM C"
	refused killed-vm.add-again 1 "no running KVM virtual machine is called 'C'" \
		elisactl port add p2 --vm C
	PINNED_WITHOUT=$(pinned)
	check killed-vm.pins "$PINNED_WITH with C, $PINNED_C for C, $PINNED_WITHOUT without" \
		equal $((PINNED_WITH - PINNED_C)) "$PINNED_WITHOUT"
	check killed-vm.had-pins "no page was pinned for C" [ "$PINNED_C" -gt 0 ]
	check killed-vm.prove "an invariant does not hold" elisactl prove
	pair_stops killed-vm
	pair_exact killed-vm
	result killed_vm_lost_slots "$LOST"
	check killed-vm.C-was-sending "C had not sent a packet" [ "$FROM_C" -gt 0 ]
	check killed-vm.B-got-both "A sent $SENT, C $FROM_C and then more, B got $GOT, $LOST were lost" \
		[ $((SENT + FROM_C)) -le $((GOT + LOST)) ]
	SENT_BEFORE=$SENT
	GOT_BEFORE=$GOT
	pair_goes_on after-all
	sleep 0.3
	pair_stops after-all
	pair_exact after-all
	check after-all.nothing-lost "A sent $((SENT - SENT_BEFORE)), B got $((GOT - GOT_BEFORE))" \
		equal $((SENT - SENT_BEFORE)) $((GOT - GOT_BEFORE))
}

need no-module-yet "elisa.ko is loaded already" [ ! -e /dev/elisa ]
PINS_BEFORE=$(pins_left)
no_module
stage "starting guests A, B and C"
for ID in C A B; do
	guest_start $ID
done
need guest-C-boots "no READY from guest C" guest_wait C 'READY *'
stage "wrong arguments"
wrong_arguments
for ID in A B; do
	need "guest-$ID-boots" "no READY from guest $ID" guest_wait $ID 'READY *'
done
need switch-starts "see switchd.log" switch_start
PINNED_ALONE=$(pinned)
ports_of_the_pair first
stage "A begins to send to B"
pair_starts first
renice_guests 19 A B
stage "wrong commands"
refused_by_the_daemon
stage "wrong ports"
wrong_ports
stage "a second device and a second process"
one_device
stage "wrong rings"
wrong_rings
stage "testpmd killed in guest C"
killed_testpmd
pair_stops first
pair_exact first
check first.nothing-lost "A sent $SENT, C $(sent first p2), B got $GOT" \
	equal $((SENT + $(sent first p2))) "$GOT"
stage "daemon killed"
killed_daemon
check second.pins "$(pinned) pages pinned, $PINNED_ALONE at first" equal "$(pinned)" "$PINNED_ALONE"
ports_of_the_pair second
pair_starts second
stage "guest C killed"
killed_vm
stage "stopping"
for ID in A B; do
	check "quit-$ID" "testpmd did not leave with status 0" guest_do $ID quit
done
check pins.with-daemon "$(pinned) pages pinned, $PINNED_ALONE at first" \
	equal "$(pinned)" "$PINNED_ALONE"
for ID in A B; do
	check "leaves-$ID" "guest $ID did not leave" guest_stop $ID
done
check switch-stops "the daemon or the module did not go" switch_stop
check pins.none "$(($(pins_left) - PINS_BEFORE)) pages are still pinned" \
	equal "$(pins_left)" "$PINS_BEFORE"
