#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Prints the closing table of a scenario's JSON: table.py FILE [WALL-SECONDS-OF-ALL]

Figures of a guest (result keys GUEST.NAME) become columns, the others lines.
"""
import json
import sys

PLAIN = {"emulated (Bochs)": "emulated: Bochs as an Intel CPU with VT-x; real KVM, QEMU and guests, "
                             "times mean nothing",
         "hardware": "this machine's own VT-x"}
RECORD_KEYS = {"scenario", "platform", "wall_s", "boot_wall_s", "passed", "failed", "skipped", "guests"}


def shown(value):
    return f"{value:,}" if isinstance(value, int) else str(value)


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    try:
        with open(sys.argv[1]) as file:
            record = json.load(file)
    except FileNotFoundError:
        sys.exit(f"no result: {sys.argv[1]} was not written")
    guests = record.get("guests", {})
    names = list(dict.fromkeys(name for figures in guests.values() for name in figures))
    print(f"\n  {record['scenario']} on {PLAIN.get(record['platform'], record['platform'])}\n")
    if guests:
        print("  " + " " * 28 + "".join(f"{'guest ' + guest:>16}" for guest in guests))
        for name in names:
            cells = "".join(f"{shown(figures.get(name, '-')):>16}" for figures in guests.values())
            print(f"  {name.replace('_', ' '):28}{cells}")
        print()
    for key, value in record.items():
        if key not in RECORD_KEYS:
            print(f"  {key.replace('_', ' '):28}{shown(value):>16}")
    print(f"  {'checks passed':28}{len(record['passed']):>16}")
    print(f"  {'checks failed':28}{len(record['failed']):>16}")
    print(f"  {'seconds of wall clock':28}{record['boot_wall_s']:>16}")
    if len(sys.argv) == 3:
        print(f"  {'  with setting up, building':28}{sys.argv[2]:>16}")
    print(f"\n  {sys.argv[1]}")
    return 1 if record["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
