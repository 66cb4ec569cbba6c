#!/usr/bin/python3 -B
# SPDX-License-Identifier: BSD-3-Clause
"""How many packets a second one stock dpdk-testpmd moves from a net_elisa port to another.

Native, gate=local (no isolation), two cores. A testpmd has one forwarding mode for all its ports:
txonly and rxonly cannot run side by side in it. DPDK's null devices stand in: core A forwards
null -> port a (it only sends), core B forwards port b -> null (it only receives). The rate is that
of packets received by port b; what the sender offered beyond it was dropped at the full ring.

Needs two cores with nothing else to do. Prints a line for each run and the median, writes JSON.
"""
import argparse
import contextlib
import json
import pathlib
import platform
import statistics
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "unit" / "pmd"))
import testpmd  # noqa: E402  pylint: disable=wrong-import-position

PORT_B_MAC = "02:e1:15:a0:00:01"
SETTLE_SECONDS = 2
HUGEPAGES = 128
HUGEPAGES_FILE = pathlib.Path("/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages")


def measure(driver, length, burst, seconds):
    eal = [*testpmd.HUGEPAGES, "--lcores=0@0,1@0,2@1",
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


@contextlib.contextmanager
def hugepages():
    """Has HUGEPAGES of 2 MiB free for the runs, and puts the number back."""
    before = int(HUGEPAGES_FILE.read_text())
    HUGEPAGES_FILE.write_text(str(before + HUGEPAGES))
    try:
        if int(HUGEPAGES_FILE.read_text()) < before + HUGEPAGES:
            sys.exit(f"no {HUGEPAGES} hugepages of 2 MiB: free some memory")
        yield
    finally:
        HUGEPAGES_FILE.write_text(str(before))


def cpu_model():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("driver", help="path of librte_net_elisa.so")
    parser.add_argument("--length", type=int, default=60,
                        help="bytes of a packet, without FCS (60: 64 B on the wire)")
    parser.add_argument("--burst", type=int, default=32, help="packets in a burst")
    parser.add_argument("--seconds", type=int, default=3, help="how long to measure, each run")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--least", type=float, default=0, help="fail if the median is below, Mpps")
    parser.add_argument("--json", type=pathlib.Path, help="write the figures to this file")
    args = parser.parse_args()
    received = []
    with hugepages():
        for run in range(args.runs):
            offered, got = measure(args.driver, args.length, args.burst, args.seconds)
            received.append(round(got, 2))
            print(f"run {run + 1} of {args.runs}: {offered:.2f} Mpps sent, {got:.2f} received",
                  flush=True)
    median = statistics.median(received)
    print(f"native, gate=local (no isolation), two cores, {args.length + 4} B on the wire, bursts "
          f"of {args.burst}: {median:.2f} Mpps received (median; {min(received)} to {max(received)})")
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps({
            "kind": "native", "gate": "local", "what": "Mpps received, two cores",
            "bytes_on_the_wire": args.length + 4, "burst": args.burst, "cpu": cpu_model(),
            "runs": received, "median": median, "command": " ".join(sys.argv)}, indent=1) + "\n")
    if median < args.least or not min(received):
        print(f"forward_rate.py: less than {args.least} Mpps; other work on these cores?",
              file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
