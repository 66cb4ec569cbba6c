#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Check the systemd units with systemd's own tools: check_units.py UNIT PROGRAM [UNIT PROGRAM…]

Each unit is whole (systemd-analyze verify), with the built program in the place of the installed one, and
as closed as it was meant to be (systemd-analyze security). What elisa-switchd's own filter allows, and what
it takes to set it up, its unit allows. Nothing is started. Each check is also shown a unit that it must
refuse. Exit status 77: systemd-analyze is missing or too old.
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

CALLS = pathlib.Path(__file__).resolve().parents[3] / "vswitch/daemon/confine_calls.c"
# Tenths of systemd's exposure level, at most: from 0, closed, to 100.
EXPOSURE_MAX = 20
# What elisa-switchd needs before its filter is there. Not what DPDK needs for a NIC: a drop-in's business.
SET_UP = "seccomp capset prctl setrlimit umask socket bind listen mkdir chmod mmap mprotect clone clone3 ioctl".split()
# Older names of calls that glibc does not make.
OPTIONAL = {"open", "time"}


def analyze(*arguments):
    return subprocess.run(["systemd-analyze", "--no-pager", *map(str, arguments)], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)


def broken(unit):
    """What systemd says is wrong with a unit, or nothing."""
    done = analyze("verify", "--man=no", "--recursive-errors=no", unit)
    return done.stdout.strip() or (f"status {done.returncode}" if done.returncode else "")


def open_lines(unit):
    """Nothing if the unit is closed enough."""
    done = analyze("security", "--offline=true", f"--threshold={EXPOSURE_MAX}", unit)
    overall = re.search(r"Overall exposure level.*", done.stdout)
    return "" if done.returncode == 0 and overall else overall[0] if overall else done.stdout.strip()


def members(name):
    """The calls of a set of systemd's."""
    if not name.startswith("@"):
        return {name}
    lines = (line.strip() for line in analyze("syscall-filter", name).stdout.splitlines()[1:])
    return {call for line in lines if line and not line.startswith("#") for call in members(line)}


def forbidden(text):
    """Calls that elisa-switchd makes and that the unit's filter refuses."""
    allowed = set()
    for line in re.findall(r"^SystemCallFilter=(.*)$", text, re.M):
        calls = {call for name in line.lstrip("~").split() for call in members(name)}
        allowed = allowed - calls if line.startswith("~") else allowed | calls
    source = CALLS.read_text(encoding="utf-8")
    table = source[source.index("allowed[]"):source.index("attacks[]")]
    wanted = set(re.findall(r"\bCALL\((\w+)\)", table.replace("UPLINK_CALL", ""))) | set(SET_UP)
    return " ".join(sorted(wanted - OPTIONAL - allowed))


def checks_of(unit, text):
    """(name, function of a unit's text in a file, text that it must refuse)."""
    yield "verify", broken, text.replace("[Service]", "[Service]\nNoSuchSetting=yes")
    yield "exposure", open_lines, re.sub(r"^(CapabilityBoundingSet|NoNewPrivileges)=.*\n", "", text, flags=re.M)
    if unit.startswith("elisa-switchd"):
        yield ("calls", lambda path: forbidden(path.read_text(encoding="utf-8")),
               text.replace(" seccomp\n", "\n"))


def main():
    if len(sys.argv) < 3 or len(sys.argv) % 2 == 0:
        print(__doc__)
        return 2
    if not shutil.which("systemd-analyze") or "--offline" not in analyze("--help").stdout:
        print("systemd-analyze with --offline is missing: apt-get install systemd")
        return 77
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for unit, program in zip(sys.argv[1::2], sys.argv[2::2]):
            name = pathlib.Path(unit).name
            text = pathlib.Path(unit).read_text(encoding="utf-8")
            text = re.sub(r"^ExecStart=\S+", f"ExecStart={pathlib.Path(program).resolve()}", text, flags=re.M)
            path = pathlib.Path(folder) / name
            for check, find, bad in checks_of(name, text):
                path.write_text(text, encoding="utf-8")
                trouble = find(path)
                path.write_text(bad, encoding="utf-8")
                if not trouble and not find(path):
                    trouble = "this check passes what it must refuse"
                print(f"{name} {check}: {trouble or 'ok'}")
                failed |= bool(trouble)
    return failed


if __name__ == "__main__":
    sys.exit(main())
