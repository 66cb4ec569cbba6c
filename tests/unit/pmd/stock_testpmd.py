#!/usr/bin/python3 -B
# SPDX-License-Identifier: BSD-3-Clause
"""Debian's own dpdk-testpmd loads librte_net_elisa.so and bounces packets between two ports.

Two bursts of 32 packets circulate: port 0 -> switch -> port 1 -> port 0 -> ... At the end, what
was sent and not received must be exactly those 64 packets: none lost, none doubled.
"""
import argparse
import re
import sys

import testpmd

BURST = 32
SECONDS = 2
LEAST = 100000


def bounce(driver):
    eal = [*testpmd.SMALL_PAGES, "--lcores=0@0,1@0"]
    for number, port in enumerate("ab"):
        eal += ["--vdev", f"net_elisa{number},gate=local,switch=s,port={port}"]
    return testpmd.run(driver, eal, ["--total-num-mbufs=8192", f"--burst={BURST}"],
                       ["set fwd io", "start tx_first", SECONDS,
                        "stop", "show port stats all", "show port xstats all"])


def check(output):
    ports = testpmd.port_statistics(output)
    if sorted(ports) != [0, 1]:
        return "no statistics of two ports"
    sent = sum(port["TX-packets"] for port in ports.values())
    received = sum(port["RX-packets"] for port in ports.values())
    errors = sum(port["TX-errors"] + port["RX-errors"] + port["RX-missed"] for port in ports.values())
    calls = sum(int(value) for value in re.findall(r"tx_gate_calls: (\d+)", output))
    print(f"sent {sent}, received {received}, errors {errors}, gate calls {calls}")
    if errors:
        return "errors were counted"
    if sent < LEAST:
        return f"fewer than {LEAST} packets in {SECONDS} s"
    if sent - received != 2 * BURST:
        return f"{sent - received} packets are under way, and not {2 * BURST}"
    if not 0 < calls <= sent:
        return "the gate calls do not fit the packets"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("driver", help="path of librte_net_elisa.so")
    output = bounce(parser.parse_args().driver)
    failure = check(output)
    if failure:
        print(output)
        print(f"stock_testpmd.py: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
