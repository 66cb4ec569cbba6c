#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs test groups (groups.txt) and, beside them, their scenarios; shows the lines, counts the verdicts.

Leaves a log for each group and each boot in build/logs/, and build/results/test.json. The last line is
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

import boots
import lanes
from machine import scenario

RIG = pathlib.Path(__file__).resolve().parent
ROOT = RIG.parent.parent
BUILD = ROOT / "build"
VERDICT = re.compile(r"(ok|FAIL|skip) (\S+)\s*(.*)")


class Group:
    """A command, scenarios, or both; and their verdicts."""

    def __init__(self, name, seconds, images, command):
        self.name, self.seconds, self.images = name, int(seconds), images == "yes"
        first, _, last = command.partition(";")
        self.command, self.last = [None if words == ["-"] else words for words in (first.split(), last.split())]
        self.scenarios, self.heard = [], set()
        self.passed, self.failed, self.skipped = [], [], []
        self.wall = 0.0

    def need_verdicts(self):
        for one in self.scenarios:
            if one.name not in self.heard:
                self.add("FAIL", f"{one.name}/run", "gave no verdict")
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


class Command(lanes.Job):
    """A group's command. One at a time: they share their builds, and many take both CPUs."""
    turn = "command"

    def __init__(self, group, name, words, seconds):
        super().__init__(name, [str(ROOT / words[0]), *words[1:]], log_path(name))
        self.group, self.seconds = group, seconds

    def began(self):
        print(f"== {self.name} (about {self.seconds} s)", flush=True)

    def take(self, line):
        print(line, end="", flush=True)
        self.group.take(line.strip())

    def ended(self, status):
        self.group.wall += self.wall
        if status and not self.group.failed:
            self.group.add("FAIL", self.name, f"ended with status {status}, see {self.log}")
        print(f"== {self.name} ended after {self.wall:.0f} s", flush=True)
        return not status


def log_path(name):
    return BUILD / "logs" / f"test-{name}.log"


def boots_of(groups):
    """Jobs for all scenarios of these groups. A scenario's verdicts, SCENARIO/CHECK, are its group's."""
    owners = {one.name: group for group in groups for one in group.scenarios}

    def keep(line):
        verdict = VERDICT.fullmatch(line.strip())
        name = verdict.group(2).partition("/")[0] if verdict else None
        if name in owners:
            owners[name].keep(*verdict.groups())
            owners[name].heard.add(name)

    every = scenario.boots([one for group in groups for one in group.scenarios])
    return [boots.Boot(scenarios, keep=keep, log=log_path(f"boot-{scenarios[0].name}")) for scenarios in every]


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
    jobs = [Command(group, group.name, group.command, group.seconds) for group in groups if group.command]
    jobs += boots_of(groups)
    at_once = boots.side_by_side()
    if len(jobs) > 1:
        minutes = sum(job.seconds for job in jobs) / at_once / 60
        print(f"== {len(jobs)} jobs, {at_once} at a time (about {minutes:.0f} minutes where emulated)", flush=True)
    lanes.run(jobs, at_once)
    lanes.run([Command(group, f"{group.name}-last", group.last, 1) for group in groups if group.last], 1)
    for group in groups:
        group.need_verdicts()
    passed = sum(len(g.passed) for g in groups)
    failed = sum(len(g.failed) for g in groups)
    skipped = sum(len(g.skipped) for g in groups)
    record = {"passed": passed, "failed": failed, "skipped": skipped,
              "wall_s": round(time.monotonic() - began, 1),
              "boots_wall_s": {job.name: round(job.wall, 1) for job in jobs if isinstance(job, boots.Boot)},
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
