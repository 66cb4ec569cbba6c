# SPDX-License-Identifier: BSD-3-Clause
"""Boots side by side, each by a runner of its own: a process is in one private network. For runner.py, tests.py."""
import os
import pathlib
import sys

import doctor
import lanes
from machine import bochs, direct, scenario

RUNNER = pathlib.Path(__file__).resolve().parent / "runner.py"
AT_ONCE = 2             # where nobody says how many


def machine_module():
    """The one place that chooses. RIG_PLATFORM=emulated insists on the emulator."""
    if os.environ.get("RIG_PLATFORM") == "emulated":
        return bochs
    return direct if doctor.has_vmfunc() else bochs


def side_by_side(wanted=None):
    """How many: an emulator takes one CPU, and its host's memory. On this machine itself one."""
    if machine_module() is not bochs:
        return 1
    wanted = wanted or jobs_of_environment()
    room = min(len(os.sched_getaffinity(0)), doctor.available_mib() // doctor.HOST_MIB)
    return max(1, wanted or min(AT_ONCE, room))


def jobs_of_environment():
    """RIG_JOBS; 0: nothing is said."""
    text = os.environ.get("RIG_JOBS", "")
    if text and not (text.isascii() and text.isdigit()):
        raise SystemExit(f"RIG_JOBS={text}: how many at a time? A number, or nothing")
    return int(text or 0)


class Boot(lanes.Job):
    """Its progress is shown as it comes, the verdicts of a scenario together. Each verdict's line goes to
    `keep` too."""

    def __init__(self, scenarios, options=(), keep=lambda line: None, log=None):
        super().__init__(scenarios[0].name,
                         [sys.executable, str(RUNNER), *options, *(one.name for one in scenarios)], log)
        self.seconds = scenario.boot_seconds(scenarios)
        self.keep, self.verdicts, self.failed = keep, [], False

    def take(self, line):
        if line.startswith("#"):
            self.show_verdicts()
            print(line, end="", flush=True)
        else:
            self.verdicts.append(line)

    def show_verdicts(self):
        for line in self.verdicts:
            self.failed |= line.startswith("FAIL ")
            self.keep(line)
        print("".join(self.verdicts), end="", flush=True)
        self.verdicts = []

    def ended(self, status):
        self.show_verdicts()
        if status and not self.failed:
            self.take(f"FAIL {self.name}/run the runner ended with status {status}\n")
            self.show_verdicts()
        return not status
