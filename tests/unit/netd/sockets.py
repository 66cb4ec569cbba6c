#!/usr/bin/python3 -B
# SPDX-License-Identifier: BSD-3-Clause
"""Test group: sockets over elisa-netd, natively, between two network namespaces (gate=local).

Prints `ok NAME` or `FAIL NAME REASON` for each check. Needs root, iperf3, ethtool, /dev/net/tun.
Without offloads that do what they say, without counters that add up, or with a byte lost, it fails.
"""
import re
import subprocess
import sys

import checks_frames
import checks_life
import checks_traffic
from namespaces import Failure, joined, two_ends


TROUBLE = (Failure, OSError, ValueError, KeyError, subprocess.SubprocessError)


def report_failure(name, failure):
    reason = re.sub(r"\s+", " ", f"{type(failure).__name__}: {failure}")
    print(f"FAIL netd.{name} {reason[:600]}", flush=True)
    return 1


def check(name, function, *arguments):
    try:
        function(*arguments)
    except TROUBLE as failure:
        return report_failure(name, failure)
    print(f"ok netd.{name}", flush=True)
    return 0


def run_session(name, ends, functions, **settings):
    """One elisa-netd for all of them."""
    try:
        with joined(ends, **settings) as netd:
            return sum(check(f"{name}.{function.__name__}", function, netd, ends)
                       for function in functions)
    except TROUBLE as failure:
        return report_failure(name, failure)


def main():
    with two_ends() as ends:
        failed = run_session("jumbo", ends, [*checks_traffic.CHECKS, *checks_frames.CHECKS,
                                             *checks_life.CHECKS])
        failed += run_session("queues", ends, [*checks_traffic.CHECKS, checks_traffic.queues_used,
                                               checks_life.clean_end], mtu=1500, queues=2)
        failed += check("killed", checks_life.killed, ends)
        failed += check("interface_gone", checks_life.interface_gone, ends)
        for name, case in checks_life.REFUSALS.items():
            failed += check(f"refuses.{name}", checks_life.refusal, ends[0], *case)
        failed += check("hugepages", checks_life.hugepages, ends[0])
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
