#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs scenarios on the emulated host, or on this machine where it has VMFUNC itself.

Prints "ok SCENARIO/CHECK", "FAIL SCENARIO/CHECK REASON", "skip …" and, after "# ", what happens.
Leaves build/results/SCENARIO.json and the scenario's files in build/results/SCENARIO/.
Exit status: 0 if nothing failed. Several boots are done side by side, each by a runner of its own.
"""
import argparse
import json
import os
import pathlib
import shutil
import signal
import sys
import time

sys.dont_write_bytecode = True

import boots
import compare_pcaps
import lanes
from machine import bochs, events, outside, process, scenario, terminal

RIG = pathlib.Path(__file__).resolve().parent
SCENARIOS = RIG / "scenarios"
BUILD = RIG.parent.parent / "build"
RESULTS = BUILD / "results"
BOOT_LIMIT = 180        # seconds of the machine's clock() from the start to the first scenario
END_LIMIT = 60          # from the last scenario to the end


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("scenario", nargs="*", help="names of tests/rig/scenarios/NAME.sh")
    parser.add_argument("--jobs", type=int, help="emulated hosts side by side; else RIG_JOBS, else "
                        f"{boots.AT_ONCE} if CPUs and memory allow")
    parser.add_argument("--cpus", type=int, choices=(1, 2), help="CPUs of the emulated host")
    parser.add_argument("--model", help="the emulated CPU, a name of Bochs's: sapphire_rapids")
    parser.add_argument("--stock-cmdline", action="store_true",
                        help="kernels without the switches that save emulated time")
    parser.add_argument("--limit", type=float, help="seconds for each scenario")
    parser.add_argument("--shell", action="store_true", help="a shell on the emulated host")
    parser.add_argument("--list", action="store_true", help="print the scenarios' names")
    return parser.parse_args()


def skipped(wanted, module):
    reason = module.missing(wanted, BUILD)
    if reason:
        print(f"skip {wanted.name}/machine {reason}", flush=True)
    return reason


class Run:
    """One boot and the scenarios that share it."""

    def __init__(self, module, scenarios):
        self.scenarios = {s.name: s for s in scenarios}
        self.name = "-".join(self.scenarios)[:60]
        self.machine = module.Machine(RIG, BUILD, scenarios, self.name)
        self.outcomes = {name: events.Outcome(name) for name in self.scenarios}
        self.current = None
        self.outside = None
        self.began = time.monotonic()
        self.tail = []
        self.stray = []

    def say(self, text):
        name = self.current.name if self.current else self.name
        print(f"# {time.monotonic() - self.began:6.1f} s  {name}: {text}", flush=True)

    def go(self):
        seconds = scenario.boot_seconds(self.scenarios.values())
        self.say(f"{self.machine.name} starts (about {seconds} s where emulated)")
        self.machine.start()
        try:
            trouble = self.watch()
        finally:
            self.end_outside()
            self.machine.stop()
        self.conclude(trouble)
        self.say(f"all in all {time.monotonic() - self.began:.1f} s")
        return not any(outcome.failed for outcome in self.outcomes.values())

    def watch(self):
        """Follow the machine to its end; a sentence if that was a bad one."""
        self.deadline = self.machine.clock() + BOOT_LIMIT
        while True:
            got = self.machine.next_line(0.2)
            if got:
                trouble = self.take(*got)
                if trouble:
                    return self.hang(trouble)
            elif not self.machine.running():
                return None
            if self.machine.clock() > self.deadline:
                where = self.current.name if self.current else "the machine outside a scenario"
                return self.hang(f"time limit: {where}")

    def take(self, line, text):
        self.tail = (self.tail + [text])[-30:]
        # The kernel's own lines can end up in front of ours.
        at = text.find("RIG ")
        if line != "com1" or at < 0:
            if text.strip():
                self.stray.append(text)
            return None
        verb, _, rest = text[at + 4:].partition(" ")
        first, _, more = rest.partition(" ")
        if verb == "begin":
            self.current = self.outcomes[first]
            self.current.began = time.monotonic()
            self.begin_outside(first)
            self.deadline = self.machine.clock() + self.scenarios[first].limit
        elif verb == "end":
            self.current.wall = time.monotonic() - self.current.began
            self.current.take(f"end {more}")
            self.say(f"ended after {self.current.wall:.1f} s")
            self.end_outside()
            self.current = None
            self.deadline = self.machine.clock() + END_LIMIT
        elif verb == "stage":
            self.say(rest)
        elif verb == "outside" and self.outside:
            self.outside.request(rest)
        elif verb in ("broken", "loader:"):
            return f"{verb} {rest}"
        elif self.current:
            self.current.take(f"{verb} {rest}")
            if verb == "fail":
                self.say(f"FAIL {rest}")
        return None

    def begin_outside(self, name):
        if not self.machine.far_interface:
            return
        folder = self.machine.folder / "outside" / name
        folder.mkdir(parents=True)
        self.outside = outside.Outside(folder, self.machine.far_interface, self.machine.answer)
        self.outside.start()

    def end_outside(self):
        trouble = self.outside.stop() if self.outside else None
        self.outside = None
        if trouble and self.current:
            self.current.fail("outside", trouble)

    def hang(self, reason):
        self.say(f"{reason}; the state of the machine:")
        for text in self.tail + ["-- its shell says:"] + self.machine.state():
            print(f"#   {self.name}: {text}", flush=True)
        return reason

    def conclude(self, trouble):
        output = self.machine.folder / "results"
        shutil.rmtree(output, ignore_errors=True)
        output.mkdir()
        saved = self.machine.collect(output)
        dmesg = output / "dmesg"
        messages = events.split_dmesg(dmesg.read_text(errors="replace")) if dmesg.exists() else {}
        for outcome in self.outcomes.values():
            if trouble and not outcome.ended:
                outcome.fail("run", trouble)
            outcome.finish()
            if not saved:
                outcome.fail("results", f"no results came back, see {self.machine.folder}")
            outcome.judge_kernel(messages.get(outcome.name, []) + messages.get("", []) + self.stray)
            self.keep(outcome, output / outcome.name)

    def compare(self, outcome, folder):
        """What the scenario captured with what passed outside."""
        for check, file, lost in outcome.comparisons:
            try:
                figures, wrong = compare_pcaps.compare(
                    folder / file, folder / "outside" / outside.CAPTURE, outside.MAC, int(lost))
            except (compare_pcaps.Broken, OSError) as error:
                figures, wrong = {}, [str(error)]
            outcome.results.update({f"{check}_{key}": value for key, value in figures.items()})
            if wrong:
                outcome.fail(check, "; ".join(wrong))
            else:
                outcome.passed.append(check)

    def keep(self, outcome, files):
        target = RESULTS / outcome.name
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        if files.is_dir():
            shutil.copytree(files, target, dirs_exist_ok=True)
        far_files = self.machine.folder / "outside" / outcome.name
        if far_files.is_dir():
            shutil.copytree(far_files, target / "outside")
        self.compare(outcome, target)
        for name in ("dmesg", "interrupts"):
            if (files.parent / name).exists():
                shutil.copy(files.parent / name, target / name)
        if (self.machine.folder / "com1.log").exists():
            shutil.copy(self.machine.folder / "com1.log", target / "com1.log")
        record = outcome.as_json(self.machine.name)
        record["boot_wall_s"] = round(time.monotonic() - self.began, 1)
        record.update(self.machine.figures())
        (RESULTS / f"{outcome.name}.json").write_text(json.dumps(record, indent=1) + "\n")
        for check in outcome.passed:
            print(f"ok {outcome.name}/{check}")
        for check in outcome.skipped:
            print(f"skip {outcome.name}/{check['name']} {check['reason']}")
        for check in outcome.failed:
            print(f"FAIL {outcome.name}/{check['name']} {check['reason']}")
        if outcome.failed:
            print(f"# files of {outcome.name}: {target}; its log: {target}/log")
        sys.stdout.flush()


def chosen(options):
    """The scenarios that are asked for, each once."""
    wishes = {"cpus": options.cpus, "model": options.model, "limit": options.limit,
              "cmdline": "stock" if options.stock_cmdline else None}
    if not options.scenario:
        raise SystemExit("which scenario? (--list)")
    return [scenario.Scenario(SCENARIOS, name, wishes) for name in dict.fromkeys(options.scenario)]


def run_boots(groups, options):
    """Each by a runner of its own, which is given the same options. True: nothing failed."""
    common = [f"--cpus={options.cpus}"] if options.cpus else []
    common += [f"--model={options.model}"] if options.model else []
    common += [f"--limit={options.limit}"] if options.limit else []
    common += ["--stock-cmdline"] if options.stock_cmdline else []
    jobs = [boots.Boot(scenarios, common) for scenarios in groups]
    at_once = boots.side_by_side(options.jobs)
    print(f"# {len(jobs)} boots, {at_once} at a time (about {sum(job.seconds for job in jobs) / at_once:.0f} s "
          "where emulated); seconds below are since a boot began", flush=True)
    return lanes.run(jobs, at_once)


def main():
    options = arguments()
    if options.list:
        print("\n".join(s.name for s in scenario.every(SCENARIOS)))
        return 0
    # Killed politely is killed cleanly: the finally clauses end the emulator.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGHUP, lambda *_: sys.exit(129))
    module = boots.machine_module()
    if options.shell:
        if module is bochs:
            process.private_network()
        return terminal.interact(module, RIG, BUILD)
    groups = scenario.boots(chosen(options))
    if len(groups) > 1:
        return 0 if run_boots(groups, options) else 1
    scenarios = [one for one in groups[0] if not skipped(one, module)]
    if not scenarios:
        return 0
    if module is bochs:
        process.private_network()
    return 0 if Run(module, scenarios).go() else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
