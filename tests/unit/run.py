#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Builds a variant of the tree and runs its unit tests: run.py VARIANT [TEST…]

Variants: gcc, clang, sanitizers (clang with address and undefined behaviour sanitizers). Prints
`ok NAME` or `FAIL NAME REASON` for each test function of each program. All tests without TEST.
"""
import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
# The stock testpmd is not instrumented, so it cannot load an instrumented driver.
VARIANTS = {
    "gcc": ("meson", {"CC": "gcc"}, [], []),
    "clang": ("meson-clang", {"CC": "clang"}, [], []),
    "sanitizers": ("meson-sanitizers", {"CC": "clang"},
                   ["-Db_sanitize=address,undefined", "-Db_lundef=false"], ["--no-suite", "stock"]),
}
FUNCTION = re.compile(r"\[\s*(OK|FAILED)\s*\] (\w+)$", re.M)


def build(folder, environment, options):
    """A sentence when that fails."""
    log = ROOT / "build" / "logs" / f"{folder.name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, "w", encoding="utf-8") as file:
        if not (folder / "build.ninja").exists():
            if subprocess.run(["meson", "setup", *options, folder, ROOT], stdout=file, stderr=file,
                              env=environment, check=False).returncode:
                return f"meson setup failed, see {log}"
        if subprocess.run(["ninja", "-C", folder], stdout=file, stderr=file, env=environment,
                          check=False).returncode:
            return f"the build failed, see {log}"
    return None


def name_of(record):
    return record["name"].split(" / ")[-1]


def report(variant, record):
    """Verdicts of one program; the number of failures."""
    output = record.get("stdout", "") + record.get("stderr", "")
    name = name_of(record)
    failed = 0
    for verdict, function in dict.fromkeys(FUNCTION.findall(output)):
        if verdict == "OK":
            print(f"ok {variant}.{name}.{function}")
        else:
            print(f"FAIL {variant}.{name}.{function} see build/logs")
            failed += 1
    if record["result"] == "SKIP":
        print(f"skip {variant}.{name} {(output.strip().splitlines() or ['no reason'])[-1]}")
    elif record["result"] == "OK":
        print(f"ok {variant}.{name}")
    else:
        print(output[-4000:], file=sys.stderr)
        print(f"FAIL {variant}.{name} {record['result']}")
        failed += 1
    return failed


def main():
    if len(sys.argv) < 2 or sys.argv[1] not in VARIANTS:
        sys.exit(__doc__)
    variant, names = sys.argv[1], sys.argv[2:]
    directory, settings, options, selection = VARIANTS[variant]
    folder = ROOT / "build" / directory
    environment = dict(os.environ, **settings)
    trouble = build(folder, environment, options)
    if trouble:
        print(f"FAIL {variant}.build {trouble}")
        return 1
    command = ["meson", "test", "-C", folder, "--suite", "unit", *selection, *names]
    results = folder / "meson-logs" / "testlog.json"
    results.unlink(missing_ok=True)  # of another run
    subprocess.run([*command, "--no-rebuild", "-t", "4"], stdout=subprocess.DEVNULL, env=environment,
                   check=False)
    records = [json.loads(line) for line in results.read_text(encoding="utf-8").splitlines()] \
        if results.exists() else []
    failed = sum(report(variant, record) for record in records)
    for name in set(names) - {name_of(record) for record in records}:
        print(f"FAIL {variant}.{name} it did not run")
        failed += 1
    return 1 if failed or not records else 0


if __name__ == "__main__":
    sys.exit(main())
