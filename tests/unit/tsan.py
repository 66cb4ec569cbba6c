#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs the datapath's tests with threads under ThreadSanitizer, with nothing suppressed: tsan.py

Prints `ok tsan.TEST` or FAIL. Then the same with the orders of atomic.h weakened, which has to be
reported (tsan-can-fail). Guests that change what they send meanwhile race by design; these do not.
"""
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = ROOT / "build" / "tsan"
# image.c is the trusted image's entry.
DATAPATH = sorted(p for p in (ROOT / "vswitch" / "datapath").glob("*.c") if p.name != "image.c")
LOCAL = sorted((ROOT / "vswitch" / "local").glob("*.c"))
UNIT = ROOT / "tests" / "unit" / "datapath"
TESTS = {
    "stress": [*DATAPATH, UNIT / "world.c", UNIT / "test_stress.c"],
    "local": [*DATAPATH, *LOCAL, UNIT / "test_local.c"],
}
# name: test, definitions that take the place of the compiler's own
WEAKER = {
    "release": ("stress", ["-U__ATOMIC_RELEASE", "-D__ATOMIC_RELEASE=__ATOMIC_RELAXED"]),
    "acquire": ("stress", ["-U__ATOMIC_ACQUIRE", "-D__ATOMIC_ACQUIRE=__ATOMIC_RELAXED"]),
}
REPORT = "WARNING: ThreadSanitizer: data race"
SECONDS = 240


def run(name, test, definitions):
    """The test's exit status and output."""
    program = BUILD / name
    command = ["clang", "-std=gnu11", "-O1", "-g", "-w", "-fsanitize=thread", f"-I{ROOT}", f"-I{ROOT}/include",
               *definitions, "-o", program, *TESTS[test], "-lcmocka", "-pthread"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return done.returncode, done.stderr
    done = subprocess.run([program], capture_output=True, text=True, timeout=SECONDS, check=False)
    (BUILD / f"{name}.log").write_text(done.stdout + done.stderr, encoding="utf-8")
    return done.returncode, done.stdout + done.stderr


def main():
    BUILD.mkdir(parents=True, exist_ok=True)
    good = True
    for name in TESTS:
        status, output = run(name, name, [])
        clean = not status and "ThreadSanitizer" not in output
        print(f"ok tsan.{name}" if clean else f"FAIL tsan.{name} status {status}, see {BUILD / name}.log",
              flush=True)
        if not clean:
            print(output[-4000:], file=sys.stderr)
        good &= clean
    for name, (test, definitions) in WEAKER.items():
        reported = REPORT in run(f"weaker-{name}", test, definitions)[1]
        print(f"ok tsan-can-fail.{name}" if reported else
              f"FAIL tsan-can-fail.{name} no race was reported", flush=True)
        good &= reported
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
