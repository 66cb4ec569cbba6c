#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Gathers all rows of the threat model in build/results/attack.json, when the attacks are over: rows.py

Scenario `attack` leaves its rows there, attack-newer-cpu.json and attack-native.json have what that scenario and
native.py add. Prints `ok attack.row-N` for each row of docs/threat-model.md that has its tries, outcomes and,
but for row 20, which no guest tries, its victim; FAIL for one that has not.
"""
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
RESULTS = ROOT / "build" / "results"
THREATS = ROOT / "docs" / "threat-model.md"
ALL, NATIVE, NEWER = (RESULTS / f"attack{which}.json" for which in ("", "-native", "-newer-cpu"))
NO_GUEST = {20}


def read(path):
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def lacking(row, result):
    wanted = ["tried", "saw"] + ([] if row in NO_GUEST else ["victim"])
    return [what for what in wanted if not result.get(what)]


def main():
    rows = [int(row) for row in re.findall(r"^\| (\d+) \|", THREATS.read_text(encoding="utf-8"), re.M)]
    record, newer, good = read(ALL), read(NEWER), bool(rows)
    record.update(read(NATIVE))
    for row in rows:
        name = f"row-{row:02}"
        result = record.setdefault(name, {})
        if name in newer:
            result["newer_cpu"] = newer[name]
        missing = lacking(row, result)
        print(f"FAIL attack.{name} no {', '.join(missing)} in {ALL}" if missing else f"ok attack.{name}")
        good &= not missing
    ALL.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
