#!/usr/bin/python3 -B
# SPDX-License-Identifier: BSD-3-Clause
"""How many packets a second one stock dpdk-testpmd moves from a port to another, on two cores.

A testpmd has one forwarding mode for all its ports: txonly and rxonly cannot run side by side in
it. DPDK's null devices stand in: core A forwards null -> port a (it only sends), core B forwards
port b -> null (it only receives). The rate is that of packets received by port b; what the sender
offered beyond it was dropped at the full receive ring.
"""
import argparse
import sys

import testpmd

PORT_B_MAC = "02:e1:15:a0:00:01"
SETTLE_SECONDS = 2


def measure(driver, memory, length, burst, seconds):
    eal = [*memory, "--lcores=0@0,1@0,2@1",
           "--vdev", f"net_null0,size={length}",
           "--vdev", "net_elisa0,gate=local,switch=s,port=a",
           "--vdev", "net_elisa1,gate=local,switch=s,port=b",
           "--vdev", "net_null1,no-rx=1"]
    options = ["--total-num-mbufs=8192", "--nb-cores=2", "--port-topology=paired",
               "--forward-mode=mac", f"--eth-peer=1,{PORT_B_MAC}", f"--burst={burst}"]
    ports = testpmd.port_statistics(testpmd.run(
        driver, eal, options,
        ["start", SETTLE_SECONDS, "show port stats all", seconds, "show port stats all", "stop"]))
    return ports[1]["Tx-pps"] / 1e6, ports[2]["Rx-pps"] / 1e6


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("driver", help="path of librte_net_elisa.so")
    parser.add_argument("--length", type=int, default=64, help="bytes of a packet, without FCS")
    parser.add_argument("--burst", type=int, default=32, help="packets in a burst")
    parser.add_argument("--seconds", type=int, default=4, help="how long to measure")
    parser.add_argument("--least", type=float, default=0, help="fail below this many Mpps")
    parser.add_argument("--hugepages", action="store_true",
                        help="use hugepages (100 of 2 MiB): faster, and steadier")
    args = parser.parse_args()
    memory = testpmd.HUGEPAGES if args.hugepages else testpmd.SMALL_PAGES
    sent, received = measure(args.driver, memory, args.length, args.burst, args.seconds)
    print(f"{args.length} B, bursts of {args.burst}, two cores, gate=local (no isolation): "
          f"{sent:.2f} Mpps sent, {received:.2f} Mpps received")
    if received == 0 or received < args.least:
        print(f"forward_rate.py: less than {args.least} Mpps; other work on these cores?",
              file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
