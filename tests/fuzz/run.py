#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Builds the fuzzers and runs them: run.py [NAME…]

Prints `ok fuzz.NAME` or `FAIL fuzz.NAME REASON` for each fuzzer, and the same for each fuzzer that was
built with a fault (fuzz-can-fail): it has to find it. FUZZ_SECONDS in the environment: how long each
runs after its corpus, 60 by default. Two run at a time where there are two CPUs. New inputs go to
build/fuzz/NAME, what made one fail beside it.
"""
import concurrent.futures
import os
import pathlib
import subprocess
import sys
import tempfile

FUZZ = pathlib.Path(__file__).resolve().parent
ROOT = FUZZ.parent.parent
TREE = ROOT / "build" / "meson-fuzz"
FOUND = ROOT / "build" / "fuzz"
LOGS = ROOT / "build" / "logs"
SETUP = ["meson", "setup", "-Db_sanitize=address,undefined", "-Db_lundef=false", TREE, ROOT]
# Bytes of the longest input: what a few calls, or a few lines, take.
LONGEST = {"parser": 160, "descriptors": 700, "control": 2000, "uplink": 700, "options": 600, "filter": 700}
ONE_INPUT_SECONDS = 20
FAULT_SECONDS = 20


def build(log):
    environment = dict(os.environ, CC="clang")
    if not (TREE / "build.ninja").exists():
        if subprocess.run(SETUP, stdout=log, stderr=log, env=environment, check=False).returncode:
            return False
    return subprocess.run(["ninja", "-C", TREE, "fuzzers"], stdout=log, stderr=log, env=environment,
                          check=False).returncode == 0


def command(program, fuzzer, seconds, artifacts, folders):
    options = [f"-max_total_time={seconds}", f"-max_len={LONGEST[fuzzer]}", f"-timeout={ONE_INPUT_SECONDS}",
               f"-artifact_prefix={artifacts}/", "-print_final_stats=1"]
    dictionary = FUZZ / f"{fuzzer}.dict"
    if dictionary.exists():
        options.append(f"-dict={dictionary}")
    return [program, *options, *folders]


def run(program, fuzzer, seconds, folders):
    """Exit status, and where the log is."""
    log_path = LOGS / f"{program.name}.log"
    artifacts = FOUND / f"{program.name}.failed"
    artifacts.mkdir(parents=True, exist_ok=True)
    # One that dies leaves its own files.
    with open(log_path, "w", encoding="utf-8") as log, tempfile.TemporaryDirectory() as scratch:
        done = subprocess.run(command(program, fuzzer, seconds, artifacts, folders), stdout=log, stderr=log,
                              env=dict(os.environ, TMPDIR=scratch), check=False)
    return done.returncode, log_path


def fuzz(program, seconds):
    """True: nothing was found."""
    fuzzer = program.name.removeprefix("fuzz-")
    found = FOUND / fuzzer
    found.mkdir(parents=True, exist_ok=True)
    status, log = run(program, fuzzer, seconds, [found, FUZZ / "corpus" / fuzzer])
    if status:
        print(f"FAIL fuzz.{fuzzer} status {status}, see {log}", flush=True)
    else:
        print(f"ok fuzz.{fuzzer}", flush=True)
    return status == 0


def can_fail(program, seconds):
    """True: the fault was found, by an oracle or a sanitizer."""
    name = program.name.removeprefix("fuzz-can-fail-")
    fuzzer = name.split("-")[0]
    # libFuzzer writes into the first folder.
    with tempfile.TemporaryDirectory() as scratch:
        status, log = run(program, fuzzer, seconds, [scratch, FUZZ / "corpus" / fuzzer])
    good = status != 0 and "SUMMARY: " in log.read_text(encoding="utf-8", errors="replace")
    print(f"ok fuzz-can-fail.{name}" if good else
          f"FAIL fuzz-can-fail.{name} the fault was not found, status {status}, see {log}", flush=True)
    return good


def main():
    names = sys.argv[1:]
    seconds = int(os.environ.get("FUZZ_SECONDS", "60"))
    LOGS.mkdir(parents=True, exist_ok=True)
    log_path = LOGS / "meson-fuzz.log"
    with open(log_path, "w", encoding="utf-8") as log:
        if not build(log):
            print(f"FAIL fuzz.build see {log_path}")
            return 1
    verdicts = []
    with concurrent.futures.ThreadPoolExecutor(min(2, os.cpu_count())) as pool:
        for program in sorted((TREE / "tests" / "fuzz").glob("fuzz-*"), key=lambda p: ("can-fail" in p.name, p)):
            fuzzer = program.name.removeprefix("fuzz-").removeprefix("can-fail-").split("-")[0]
            if not program.is_file() or (names and fuzzer not in names):
                continue
            if program.name.startswith("fuzz-can-fail-"):
                verdicts.append(pool.submit(can_fail, program, FAULT_SECONDS))
            else:
                verdicts.append(pool.submit(fuzz, program, seconds))
    return 0 if all(verdict.result() for verdict in verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
