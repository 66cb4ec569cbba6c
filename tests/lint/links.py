#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Checks the documents: relative links lead to files, paths of the tree that they name are there,
`./run COMMAND` names a command there is.

Prints `ok links`, or a line for each finding and `FAIL links REASON`. Exit status 1 on a finding.
"""
import pathlib
import re
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
COMMANDS = TOP / "tests" / "rig" / "cmd"
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
RUN = re.compile(r"\./run ([a-z]+)")
# Not part of a longer path, no pattern and no placeholder behind it.
PLACE = re.compile(r"(?<![\w./-])((?:bench|docs|gate|guest-pmd|host-kmod|include|tests|vswitch)/[\w./@-]*+)(?![*<{])")
PLACEHOLDER = re.compile(r"\b[A-Z]{2,}\b")


def documents():
    """Tracked ones and new ones that are not ignored."""
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard",
                             "--", "*.md"], cwd=TOP, check=True, capture_output=True, text=True)
    paths = (TOP / name for name in listed.stdout.split("\0") if name)
    return sorted(path for path in paths if path.exists())


def findings(path):
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        for target in LINK.findall(line):
            file = target.partition("#")[0]
            if file and "://" not in file and not (path.parent / file).exists():
                yield number, f"{target} is not there"
        for place in PLACE.findall(line):
            place = place.rstrip(".")
            if not PLACEHOLDER.search(place.removesuffix(".md")) and not (TOP / place).exists():
                yield number, f"{place} is not there"
        for command in RUN.findall(line):
            if not (COMMANDS / f"{command}.sh").exists():
                yield number, f"./run has no command {command}"


def main():
    paths = documents()
    found = [f"{path.relative_to(TOP)}:{number}: {text}"
             for path in paths for number, text in findings(path)]
    if not paths:
        found = ["no document found"]
    for line in found:
        print(line, file=sys.stderr)
    print(f"FAIL links {found[0]}" if found else "ok links")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
