#!/usr/bin/python3 -B
# SPDX-License-Identifier: BSD-3-Clause
"""How fast two kernels' sockets are over elisa-netd, and over veth and a bridge, on one machine.

Native, gate=local (no isolation, no crossing): both ends and both workers of elisa-netd share this
machine's CPUs, so the figures say what elisa-netd costs there, and nothing about VMs. iperf3 TCP, one
connection; round trip by ping. Prints a line for each run, writes JSON.
"""
import argparse
import contextlib
import json
import os
import pathlib
import platform
import re
import statistics
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "unit" / "netd"))
import checks_traffic  # noqa: E402  pylint: disable=wrong-import-position
from namespaces import joined, two_ends  # noqa: E402  pylint: disable=wrong-import-position

MTU = 1500


@contextlib.contextmanager
def bridged(ends):
    """The two ends, each with a veth into a bridge that stands in A."""
    first = ends[0]
    first.ip("link", "add", "bridge", "type", "bridge")
    first.ip("link", "set", "bridge", "up")
    try:
        for end in ends:
            first.ip("link", "add", f"{end.tap}x", "type", "veth", "peer", "name", end.tap)
            first.ip("link", "set", f"{end.tap}x", "master", "bridge", "up")
            end.take_interface(first)
        first.ip("link", "set", first.tap, "up")
        yield
    finally:
        for end in ends:
            first.ip("link", "del", f"{end.tap}x")
        first.ip("link", "del", "bridge")


def measure(ends):
    rate = checks_traffic.iperf(*ends)["sum_received"]["bits_per_second"] / 1e9
    ping = ends[0].execute("ping", "-q", "-i", "0.005", "-c", 400, ends[1].ipv4).stdout
    return round(rate, 2), round(float(re.search(r"= [\d.]+/([\d.]+)/", ping).group(1)) * 1000)


PATHS = {"elisa-netd": lambda ends: joined(ends, mtu=MTU), "veth and bridge": bridged}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", type=pathlib.Path, default=ROOT / "build" / "results" / "sockets.json")
    args = parser.parse_args()
    results = {name: [] for name in PATHS}
    with two_ends() as ends:
        for number in range(args.runs):
            for name, path in PATHS.items():
                with path(ends):
                    rate, round_trip = measure(ends)
                results[name].append({"gbps": rate, "round_trip_us": round_trip})
                print(f"run {number + 1} of {args.runs}, {name}: {rate} Gb/s, round trip {round_trip} us",
                      flush=True)
    medians = {name: {key: statistics.median(run[key] for run in runs) for key in runs[0]}
               for name, runs in results.items()}
    print(f"native, gate=local (no isolation), both ends on one machine, MTU {MTU}; medians: {medians}")
    args.json.parent.mkdir(parents=True, exist_ok=True)
    args.json.write_text(json.dumps({
        "kind": "native", "gate": "local", "what": "iperf3 TCP, one connection, and ping; medians",
        "mtu": MTU, "cpus": os.cpu_count(), "machine": platform.machine(), "load": os.getloadavg()[0],
        "runs": results, "medians": medians, "command": " ".join(sys.argv)}, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
