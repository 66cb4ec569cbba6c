#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs test groups (groups.txt), shows their lines as they come, counts the verdicts.

Leaves a log for each group in build/logs/ and build/results/test.json. The last line is
"N passed, N failed", with ", N skipped" if any were. Exit status 0: none failed, one passed.
"""
import argparse
import json
import pathlib
import re
import signal
import sys
import time

sys.dont_write_bytecode = True

from machine import process

RIG = pathlib.Path(__file__).resolve().parent
ROOT = RIG.parent.parent
BUILD = ROOT / "build"
VERDICT = re.compile(r"(ok|FAIL|skip) (\S+)\s*(.*)")


class Group:
    def __init__(self, name, seconds, images, command):
        self.name, self.seconds, self.images = name, int(seconds), images == "yes"
        self.command = command.split()
        self.passed, self.failed, self.skipped = [], [], []
        self.wall = 0.0

    def run(self):
        print(f"== {self.name} (about {self.seconds} s)", flush=True)
        began = time.monotonic()
        log_path = BUILD / "logs" / f"test-{self.name}.log"
        child = process.start([str(ROOT / self.command[0]), *self.command[1:]], cwd=ROOT,
                              stdout=-1, stderr=-2, text=True, errors="replace")
        try:
            with open(log_path, "w") as log:
                for line in child.stdout:
                    log.write(line)
                    log.flush()
                    print(line, end="", flush=True)
                    self.take(line.strip())
            status = child.wait()
        finally:
            process.end(child)
        self.wall = time.monotonic() - began
        if status and not self.failed:
            self.take(f"FAIL {self.name} ended with status {status}, see {log_path}", show=True)
        if not (self.passed or self.failed or self.skipped):
            self.take(f"FAIL {self.name} gave no verdict, see {log_path}", show=True)

    def take(self, line, show=False):
        verdict = VERDICT.fullmatch(line)
        if not verdict:
            return
        if show:
            print(line, flush=True)
        kind, name, reason = verdict.groups()
        if kind == "ok":
            self.passed.append(name)
        elif kind == "FAIL":
            self.failed.append({"name": name, "reason": reason})
        else:
            self.skipped.append({"name": name, "reason": reason})


def read_table():
    groups = {}
    for line in (RIG / "groups.txt").read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            group = Group(*line.split(None, 3))
            groups[group.name] = group
    return groups


def choose(names):
    """The groups to run; names of scenarios go to the group `emulated`."""
    groups = read_table()
    if not names:
        return list(groups.values())
    scenarios = {p.stem for p in (RIG / "scenarios").glob("*.sh")}
    chosen, wanted = [], []
    for name in names:
        if name in groups:
            chosen.append(groups[name])
        elif name in scenarios:
            wanted.append(name)
        else:
            raise SystemExit(f"no test group or scenario {name!r}; ./run test --list")
    if wanted and groups["emulated"] not in chosen:
        groups["emulated"].command += wanted
        chosen.append(groups["emulated"])
    return chosen


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--needs-images", action="store_true",
                        help="only tell, by exit status, whether images must be built first")
    parser.add_argument("name", nargs="*")
    options = parser.parse_args()
    groups = choose(options.name)
    if options.needs_images:
        return 0 if any(group.images for group in groups) else 1
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGHUP, lambda *_: sys.exit(129))
    began = time.monotonic()
    for group in groups:
        group.run()
    passed = sum(len(g.passed) for g in groups)
    failed = sum(len(g.failed) for g in groups)
    skipped = sum(len(g.skipped) for g in groups)
    record = {"passed": passed, "failed": failed, "skipped": skipped,
              "wall_s": round(time.monotonic() - began, 1),
              "groups": {g.name: {"wall_s": round(g.wall, 1), "passed": g.passed,
                                  "failed": g.failed, "skipped": g.skipped} for g in groups}}
    (BUILD / "results").mkdir(parents=True, exist_ok=True)
    (BUILD / "results" / "test.json").write_text(json.dumps(record, indent=1) + "\n")
    for group in groups:
        for check in group.failed:
            print(f"failed: {check['name']}: {check['reason']}")
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
