# SPDX-License-Identifier: BSD-3-Clause
"""Jobs side by side, each a process of its own: boots, and the commands of test groups (boots.py, tests.py)."""
import queue
import subprocess
import threading
import time

from machine import process

END_SECONDS = 20        # for a process that was asked to end: a runner ends its emulator


class Job:
    """A command to run. Jobs of one `turn` run one after the other, those of None beside any."""
    turn = None
    wall = 0.0

    def __init__(self, name, command, log=None):
        self.name, self.command, self.log = name, command, log

    def began(self):
        pass

    def take(self, line):
        """A whole line of what it says."""

    def ended(self, status):
        """True: nothing failed."""
        return not status


class Lane:
    """One job under way. It puts (lane, line) into `lines`, at its end (lane, None)."""

    def __init__(self, job, lines):
        self.job, self.time = job, time.monotonic()
        self.log = open(job.log, "w", encoding="utf-8") if job.log else None
        job.began()
        self.process = process.start(job.command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                     errors="replace")
        threading.Thread(target=self.read, args=(lines,), daemon=True).start()

    def read(self, lines):
        for line in self.process.stdout:
            lines.put((self, line))
        lines.put((self, None))

    def take(self, line):
        if self.log:
            self.log.write(line)
            self.log.flush()
        self.job.take(line)

    def finish(self):
        status = self.process.wait()
        self.job.wall = time.monotonic() - self.time
        if self.log:
            self.log.close()
        return self.job.ended(status)


def stop(lanes):
    for lane in lanes:
        process.ask_to_end(lane.process)
    for lane in lanes:
        try:
            lane.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            pass
        process.end(lane.process)


def next_of(waiting, running):
    taken = {lane.job.turn for lane in running} - {None}
    return next((job for job in waiting if job.turn not in taken), None)


def run(jobs, at_once):
    """In that order, so many side by side. True: nothing failed."""
    waiting, running, lines = list(jobs), [], queue.Queue()
    good = True
    try:
        while waiting or running:
            while len(running) < at_once and (job := next_of(waiting, running)):
                waiting.remove(job)
                running.append(Lane(job, lines))
            lane, line = lines.get()
            if line is None:
                running.remove(lane)
                good &= lane.finish()
            else:
                lane.take(line)
    finally:
        stop(running)
    return good
