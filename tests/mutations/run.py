#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Kills the mutants of mutations.toml that unit tests and checks find: each test passes without, fails with its mutant.
The module's are killed on the emulated host (scenario `mutations`), and by attacks (`mutations-attack`).

    run.py            all of them
    run.py NAME…      these

Prints `ok mutations/NAME` for one that was killed, `FAIL mutations/NAME REASON` for one that survived,
and last "killed N of M".
"""
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys

import checked
import mutants

BUILD, NATIVE = mutants.BUILD, mutants.NATIVE
PAGES = BUILD / "pages"
# What the daemon's tests load: as it is, there is no environment to choose a mutant from inside.
IMAGE = pathlib.Path("vswitch/datapath/elisa-image.elf")
SHIPPED = mutants.ROOT / "build" / "meson"
SECONDS = 120           # of a test, with a mutant that makes it hang
PAGE_TESTS = {"decode": (["test_pages_decode.c"], ["-lcapstone"]),
              "run": (["test_pages_run.c", "emulator.c"], ["-lunicorn"])}


def built(word):
    """A word of a test's command line, which names what is built by paths from the build tree."""
    if word == str(IMAGE):
        return SHIPPED / IMAGE
    return NATIVE / word if "/" in word else word


def build_tests(names):
    """The unit tests' programs, with all mutants in them: {name: command}."""
    if not names:
        return {}
    BUILD.mkdir(parents=True, exist_ok=True)
    log = open(BUILD / "native.log", "w", encoding="utf-8")
    mutants.set_up_native(log)
    listed = json.loads(subprocess.run(["meson", "introspect", "--tests", NATIVE], check=True,
                                       capture_output=True, text=True).stdout)
    commands = {test["name"]: [built(word) for word in test["cmd"]] for test in listed}
    unknown = set(names) - set(commands)
    if unknown:
        raise mutants.Wrong(f"no unit test {', '.join(sorted(unknown))}")
    # A test's program, and other programs that it runs.
    targets = {os.path.relpath(word, NATIVE) for name in names for word in commands[name]
               if pathlib.Path(word).is_relative_to(NATIVE)}
    subprocess.run(["ninja", "-C", NATIVE, "-j", "2", *sorted(targets)], stdout=log, stderr=log, check=True)
    if any(SHIPPED / IMAGE in commands[name] for name in names):
        subprocess.run(["ninja", "-C", SHIPPED, IMAGE], stdout=log, stderr=log, check=True)
    return {name: commands[name] for name in names}


def passes(command, number):
    environment = dict(os.environ, ELISA_MUTANT=str(number))
    try:
        return subprocess.run(command, env=environment, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, timeout=SECONDS, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def build_page_test(test, mutant):
    """A test of the code pages, linked with the pages as they are or with one of them changed."""
    sources, libraries = PAGE_TESTS[test]
    program = PAGES / f"{mutant.name if mutant else 'none'}-{test}"
    PAGES.mkdir(parents=True, exist_ok=True)
    pages = []
    for page in ("gate/gate_page.S", "gate/entry_page.S"):
        path = mutants.ROOT / page
        if mutant and mutant.file == page:
            path = PAGES / f"{mutant.name}.S"
            path.write_text(mutants.changed_text(mutant), encoding="utf-8")
        pages.append(path)
    folder = mutants.ROOT / "tests" / "unit" / "gate"
    subprocess.run(["cc", "-O1", f"-I{mutants.ROOT}", f"-I{mutants.ROOT / 'include'}", f"-I{mutants.ROOT / 'gate'}",
                    *(folder / source for source in sources), *pages, "-lcmocka", *libraries, "-o", program],
                   check=True)
    return [program]


def judge(mutant, programs):
    """None, or why it was not killed."""
    try:
        if mutant.target == "native":
            command = programs[mutant.test]
        elif mutant.target == "page":
            command = build_page_test(mutant.test, mutant)
        else:
            command = checked.command(mutant, True)
    except subprocess.CalledProcessError:
        return "it cannot be built"
    return f"survived: {mutant.test} passes without that defence" if passes(command, mutant.number) else None


def run_native(wanted):
    chosen = [m for m in mutants.read_table()[0]
              if m.target != "module" and m.test and (not wanted or m.name in wanted)]
    programs = build_tests(sorted({m.test for m in chosen if m.target == "native"}))
    pages = {test: build_page_test(test, None) for test in sorted({m.test for m in chosen if m.target == "page"})}
    checks = {m.test: checked.command(m, False) for m in chosen if m.target == "checked"}
    killed = 0
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        everything = {**programs, **pages, **checks}
        for test, good in zip(everything, pool.map(lambda c: passes(c, 0), everything.values())):
            print(f"ok mutations/{test}.without" if good else
                  f"FAIL mutations/{test}.without it fails without a mutant", flush=True)
        for mutant, reason in zip(chosen, pool.map(lambda m: judge(m, programs), chosen)):
            killed += not reason
            print(f"FAIL mutations/{mutant.name} {reason}" if reason else f"ok mutations/{mutant.name}",
                  flush=True)
    return killed, len(chosen)


def main():
    try:
        mutants.check()
        killed, of_all = run_native(sys.argv[1:])
    except mutants.Wrong as error:
        print(f"FAIL mutations.table {error}")
        return 1
    except subprocess.CalledProcessError as error:
        print(f"FAIL mutations.build {error.cmd[0]} failed, see {BUILD / 'native.log'}")
        return 1
    print(f"killed {killed} of {of_all}")
    return 0 if killed == of_all else 1


if __name__ == "__main__":
    sys.exit(main())
