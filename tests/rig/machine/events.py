# SPDX-License-Identifier: BSD-3-Clause
"""What the host side says, line by line, and the verdicts that follow from it."""
import re
import time

TROUBLE = re.compile(
    r"WARNING:|BUG:|\bOops\b|general protection fault|Kernel panic|Call Trace:|soft lockup"
    r"|blocked for more than|rcu.*stall|UBSAN:|\bkvm\b.*(?:error|unexpected|unhandled|failed)|KVM: entry failed"
    r"|\belisa\b.*(?:error|failed|broken)", re.I)
FIGURE = re.compile(r"-?\d+(\.\d+)?$")


def figure(text):
    if FIGURE.match(text):
        return float(text) if "." in text else int(text)
    return text


class Outcome:
    """One scenario's verdicts and figures."""

    def __init__(self, name):
        self.name = name
        self.passed, self.failed, self.skipped = [], [], []
        self.results, self.expected, self.comparisons = {}, [], []
        self.began = time.monotonic()
        self.wall = None
        self.ended = False

    def fail(self, check, reason):
        self.failed.append({"name": check, "reason": reason})

    def take(self, line):
        """An event: the words after "RIG", or a line of the scenario's events file."""
        verb, _, rest = line.partition(" ")
        first, _, more = rest.partition(" ")
        if verb == "pass":
            self.passed.append(first)
        elif verb == "fail":
            self.fail(first, more or "no reason given")
        elif verb == "skip":
            self.skipped.append({"name": first, "reason": more})
        elif verb == "result":
            self.results[first] = figure(more)
        elif verb == "expect":
            self.expected.append(rest)
        elif verb == "compare":
            self.comparisons.append(rest.split())
        elif verb == "end":
            self.ended = True
            if first != "0" and not self.failed:
                self.fail("script", f"the scenario's script ended with status {first}, see its log")

    def finish(self):
        if not self.ended:
            self.fail("end", "the scenario did not come to its end")
        if not self.passed and not self.failed:
            self.fail("verdict", "the scenario checked nothing")

    def judge_kernel(self, messages):
        """Fail on a warning of the host's kernel that the scenario did not announce."""
        for message in messages:
            if not TROUBLE.search(message):
                continue
            if any(re.search(pattern, message) for pattern in self.expected):
                continue
            self.fail("kernel-messages", message.strip())
            return
        self.passed.append("kernel-messages")

    def as_json(self, platform):
        """A result GUEST.NAME goes to guests/GUEST/NAME, where guests' names begin with a capital letter;
        any other where its path says: A/B/C into C of B of A."""
        record = {"scenario": self.name, "platform": platform, "wall_s": round(self.wall or 0, 1),
                  "passed": self.passed, "failed": self.failed, "skipped": self.skipped}
        for key, value in self.results.items():
            guest, dot, name = key.partition(".")
            if dot and guest[:1].isupper():
                record.setdefault("guests", {}).setdefault(guest, {})[name] = value
            else:
                put(record, key.split("/"), value)
        return record


def put(record, path, value):
    for step in path[:-1]:
        record = record.setdefault(step, {})
    record[path[-1]] = value


def split_dmesg(text):
    """The kernel's messages for each scenario, by the marks that job.sh writes; "" is the rest."""
    parts, current = {"": []}, ""
    for line in text.splitlines():
        mark = re.search(r"rig: (begin|end) (\S+)$", line)
        if mark:
            current = mark.group(2) if mark.group(1) == "begin" else ""
            parts.setdefault(current, [])
        else:
            parts[current].append(line)
    return parts
