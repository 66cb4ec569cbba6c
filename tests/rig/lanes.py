# SPDX-License-Identifier: BSD-3-Clause
"""Boots side by side, each by a runner of its own: a process is in one private network. Used by runner.py.

Lines of the runners are shown as they come and whole; the verdicts of a scenario stay together.
"""
import queue
import subprocess
import threading

from machine import process

END_SECONDS = 20        # for a runner that was asked to end its emulator


class Lane:
    """One runner under way. It puts (lane, line) into `lines`, at its end (lane, None)."""

    def __init__(self, name, command, lines):
        self.name, self.verdicts, self.failed = name, [], False
        self.runner = process.start(command, stdout=subprocess.PIPE, text=True, errors="replace")
        threading.Thread(target=self.read, args=(lines,), daemon=True).start()

    def read(self, lines):
        for line in self.runner.stdout:
            lines.put((self, line))
        lines.put((self, None))

    def show(self, line):
        if line.startswith("#"):
            self.show_verdicts()
            print(line, end="", flush=True)
        else:
            self.verdicts.append(line)

    def show_verdicts(self):
        self.failed |= any(line.startswith("FAIL ") for line in self.verdicts)
        print("".join(self.verdicts), end="", flush=True)
        self.verdicts = []

    def finish(self):
        """True: nothing failed."""
        status = self.runner.wait()
        self.show_verdicts()
        if status and not self.failed:
            print(f"FAIL {self.name}/run the runner ended with status {status}", flush=True)
        return status == 0


def stop(lanes):
    for lane in lanes:
        lane.runner.terminate()
    for lane in lanes:
        try:
            lane.runner.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            pass
        process.end(lane.runner)


def run(commands, jobs):
    """commands: {name: a runner's command}, done in that order, `jobs` at a time. True: nothing failed."""
    waiting, running, lines = list(commands.items()), [], queue.Queue()
    good = True
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                running.append(Lane(*waiting.pop(0), lines))
            lane, line = lines.get()
            if line is None:
                running.remove(lane)
                good &= lane.finish()
            else:
                lane.show(line)
    finally:
        stop(running)
    return good
