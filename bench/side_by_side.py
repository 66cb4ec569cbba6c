#!/usr/bin/python3 -B
# SPDX-License-Identifier: BSD-3-Clause
"""What a transferred megabyte costs over virtio-net, net_elisa and gate=vmcall, side by side.

side_by_side.py RESULTS NAME: reads build/results' NAME.json and the marks in NAME/ that the scenario
left (tests/rig/scenarios/common/ways.sh), writes NAME-ways.json, prints a table.

Each test ran short and long. A figure is what the long run took more than the short one, divided by
the megabytes (10^6 bytes of frames, as the guests' interfaces counted them received) that it moved
more: what starting and ending cost is in both, and cancels out.
"""
import json
import pathlib
import re
import sys

WAYS = {"virtio": "virtio-net", "vmfunc": "net_elisa", "vmcall": "gate=vmcall"}
MARK = re.compile(r"(\w+)-([a-z-]+)-(\d+)\.begin")
FIGURES = {
    "instructions_per_mb": "instructions, whole machine",
    "exits_per_mb": "VM exits, both guests",
    "host_copies": "copies by host or switch",
    "netd_copies": "copies by elisa-netd",
}


def read(path):
    return {key: int(value) for key, value in (line.split() for line in path.read_text().splitlines())}


def taken(folder, name):
    """What one run took, by the marks before and after it."""
    begin, end = read(folder / f"{name}.begin"), read(folder / f"{name}.end")
    return {key: end[key] - begin[key] for key in end}


def figures(way, short, long, instructions):
    """Of the difference of two runs; None: cannot be told here."""
    more = {key: long[key] - short[key] for key in long}
    moved = more["received_A"] + more["received_B"]
    host = "vhost_" if way == "virtio" else "switch_"
    copied = sum(value for key, value in more.items() if key.startswith(host))
    # elisa-netd reads each frame from its TAP and writes it to one: what the interfaces sent, and got.
    netd = 0 if way == "virtio" else moved + more["sent_A"] + more["sent_B"]
    executed = None
    if instructions:
        # Ticks of the idle time at the rate at which they passed. See docs/benchmarks.md.
        executed = more["tsc"] * (1 - more["idle_ns"] / more["now_ns"]) / moved * 1e6
    return {"moved_bytes": moved,
            "instructions_per_mb": None if executed is None else round(executed),
            "exits_per_mb": round((more["exits_A"] + more["exits_B"]) / moved * 1e6, 1),
            "host_copies": round(copied / moved, 2), "netd_copies": round(netd / moved, 2)}


def compare(folder, instructions):
    """{test: {way: figures}} of the tests that ran twice."""
    runs = {}
    for path in folder.glob("*.begin"):
        way, test, size = MARK.fullmatch(path.name).groups()
        runs.setdefault((test, way), []).append(int(size))
    tests = {}
    for (test, way), sizes in sorted(runs.items()):
        if len(sizes) == 2:
            short, long = (taken(folder, f"{way}-{test}-{size}") for size in sorted(sizes))
            tests.setdefault(test, {})[way] = figures(way, short, long, instructions)
    return tests


def print_table(platform, tests):
    print(f"\n  for each transferred megabyte, {platform}\n")
    for test, ways in tests.items():
        print(f"  {test:32}" + "".join(f"{title:>16}" for title in WAYS.values()))
        for key, title in FIGURES.items():
            cells = (ways.get(way, {}).get(key) for way in WAYS)
            print(f"  {title:32}" + "".join(f"{'-' if cell is None else f'{cell:,}':>16}" for cell in cells))
        print()


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    results, name = pathlib.Path(sys.argv[1]), sys.argv[2]
    record = json.loads((results / f"{name}.json").read_text())
    emulated = record["platform"].startswith("emulated")
    tests = compare(results / name, emulated)
    if not tests or any(set(ways) != set(WAYS) for ways in tests.values()):
        sys.exit(f"not all ways of {name} came to their end; see {results / name}/log")
    kind = "emulated" if emulated else "hardware"
    output = results / f"{name}-ways.json"
    output.write_text(json.dumps({"kind": kind, "tests": tests, "megabyte": 10 ** 6}, indent=1) + "\n")
    print_table("emulated: counts, no times" if emulated else "hardware", tests)
    print(f"  {output}")


if __name__ == "__main__":
    main()
