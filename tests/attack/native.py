#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""The part of test group `attack` that is no scenario: row 20, the datapath and the module as targets of
transient execution. What it asks for cannot be shown from a guest, only on the binary and the sources.

Prints `ok row-20.NAME` or FAIL; what was looked at goes to build/results/attack-native.json.
"""
import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
RESULT = ROOT / "build" / "results" / "attack-native.json"
TESTLOG = ROOT / "build" / "meson" / "meson-logs" / "testlog.json"
# Name of a unit test: what it shows, and how it says how many of what it looked at.
CHECKS = {"datapath-image": ("no-indirect-branch", "functions"), "datapath-masks": ("masked-indices", "masks")}


def verdict(name, good, reason):
    print(f"ok row-20.{name}" if good else f"FAIL row-20.{name} {reason}", flush=True)
    return good


def looked_at(output, what):
    found = re.search(rf"(\d+) {what}", output)
    return int(found[1]) if found else 0


def main():
    output = subprocess.run([ROOT / "tests" / "unit" / "run.py", "gcc", *CHECKS], capture_output=True, text=True,
                            check=False).stdout
    logs = TESTLOG.read_text(encoding="utf-8").splitlines() if TESTLOG.exists() else []
    said = {log["name"].split(" / ")[-1]: log.get("stdout", "") for log in map(json.loads, logs)}
    saw, good = {}, True
    for test, (name, what) in CHECKS.items():
        saw[what] = looked_at(said.get(test, ""), what)
        passed = f"ok gcc.{test}" in output.splitlines() and saw[what] > 0
        good &= verdict(name, passed, next((line for line in output.splitlines() if line.startswith("FAIL")), test))
    lint = subprocess.run([ROOT / "tests" / "lint" / "nospec.py"], capture_output=True, text=True, check=False)
    good &= verdict("module-indices", not lint.returncode, (lint.stdout + lint.stderr).partition("\n")[0])
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps({"row-20": {"tried": sum(saw.values()), "saw": saw}}, indent=1) + "\n",
                      encoding="utf-8")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
