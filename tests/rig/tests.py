#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs test groups (groups.txt), then their scenarios; shows the lines as they come, counts the verdicts.

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

from machine import process, scenario

RIG = pathlib.Path(__file__).resolve().parent
ROOT = RIG.parent.parent
BUILD = ROOT / "build"
VERDICT = re.compile(r"(ok|FAIL|skip) (\S+)\s*(.*)")


def follow(name, command, take):
    """Run it, show its lines and keep them in a log, give each to take(). A sentence if it ends badly."""
    log_path = BUILD / "logs" / f"test-{name}.log"
    child = process.start([str(ROOT / command[0]), *command[1:]], cwd=ROOT, stdout=-1, stderr=-2, text=True,
                          errors="replace")
    try:
        with open(log_path, "w") as log:
            for line in child.stdout:
                log.write(line)
                log.flush()
                print(line, end="", flush=True)
                take(line.strip())
        status = child.wait()
    finally:
        process.end(child)
    return f"ended with status {status}, see {log_path}" if status else None


class Group:
    """A command, scenarios, or both; and their verdicts."""

    def __init__(self, name, seconds, images, command):
        self.name, self.seconds, self.images = name, int(seconds), images == "yes"
        self.command = command.split() if command != "-" else None
        self.scenarios = []
        self.passed, self.failed, self.skipped = [], [], []
        self.wall = 0.0

    def run_command(self):
        print(f"== {self.name} (about {self.seconds} s)", flush=True)
        began = time.monotonic()
        trouble = follow(self.name, self.command, self.take)
        self.wall = time.monotonic() - began
        if trouble and not self.failed:
            self.add("FAIL", self.name, trouble)

    def need_verdict(self):
        if not (self.passed or self.failed or self.skipped):
            self.add("FAIL", self.name, "gave no verdict")

    def take(self, line):
        verdict = VERDICT.fullmatch(line)
        if verdict:
            self.keep(*verdict.groups())

    def add(self, kind, name, reason):
        print(f"{kind} {name} {reason}", flush=True)
        self.keep(kind, name, reason)

    def keep(self, kind, name, reason):
        if kind == "ok":
            self.passed.append(name)
        elif kind == "FAIL":
            self.failed.append({"name": name, "reason": reason})
        else:
            self.skipped.append({"name": name, "reason": reason})

    def as_json(self):
        return {"wall_s": round(self.wall, 1), "passed": self.passed, "failed": self.failed,
                "skipped": self.skipped}


def run_scenarios(groups):
    """Those of all groups by one runner, which does their boots side by side. A scenario must give a
    verdict, SCENARIO/CHECK, which is its group's. Wall seconds."""
    owners = {one.name: group for group in groups for one in group.scenarios}
    if not owners:
        return 0.0
    print(f"== scenarios: {', '.join(owners)}", flush=True)
    began = time.monotonic()
    silent = dict(owners)

    def take(line):
        verdict = VERDICT.fullmatch(line)
        scenario_name = verdict.group(2).partition("/")[0] if verdict else None
        if scenario_name in owners:
            owners[scenario_name].keep(*verdict.groups())
            silent.pop(scenario_name, None)

    trouble = follow("scenarios", ["tests/rig/runner.py", *owners], take)
    for name, group in silent.items():
        group.add("FAIL", f"{name}/run", f"gave no verdict; the runner {trouble or 'ended well'}")
    if trouble and not any(group.failed for group in owners.values()):
        groups[-1].add("FAIL", "scenarios", trouble)
    return time.monotonic() - began


def read_table():
    groups = {}
    for line in (RIG / "groups.txt").read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            group = Group(*line.split(None, 3))
            groups[group.name] = group
    return groups


def choose(names):
    """The groups to run. Scenarios that are named, and are of no group that is, are a group as well."""
    groups = read_table()
    scenarios = {one.name: one for one in scenario.every(RIG / "scenarios")}
    for one in scenarios.values():
        if one.group not in groups:
            raise SystemExit(f"{one.path} wishes for a group {one.group!r} that is not in groups.txt")
        groups[one.group].scenarios.append(one)
    if not names:
        return list(groups.values())
    for name in names:
        if name not in groups and name not in scenarios:
            raise SystemExit(f"no test group or scenario {name!r}; ./run test --list")
    names = dict.fromkeys(names)
    chosen = [groups[name] for name in names if name in groups]
    rest = Group("named", 0, "no", "-")
    rest.scenarios = [scenarios[name] for name in names
                      if name not in groups and groups[scenarios[name].group] not in chosen]
    return chosen + [rest] if rest.scenarios else chosen


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--needs-images", action="store_true",
                        help="only tell, by exit status, whether images must be built first")
    parser.add_argument("name", nargs="*")
    options = parser.parse_args()
    groups = choose(options.name)
    if options.needs_images:
        return 0 if any(group.images or group.scenarios for group in groups) else 1
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGHUP, lambda *_: sys.exit(129))
    began = time.monotonic()
    for group in groups:
        if group.command:
            group.run_command()
    scenarios_wall = run_scenarios(groups)
    for group in groups:
        group.need_verdict()
    passed = sum(len(g.passed) for g in groups)
    failed = sum(len(g.failed) for g in groups)
    skipped = sum(len(g.skipped) for g in groups)
    record = {"passed": passed, "failed": failed, "skipped": skipped,
              "wall_s": round(time.monotonic() - began, 1), "scenarios_wall_s": round(scenarios_wall, 1),
              "groups": {group.name: group.as_json() for group in groups}}
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
