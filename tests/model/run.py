#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Checks the protocol models with Spin: run.py [NAME…]

Each model is searched whole within its bounds: `ok model/NAME` says that no property fails in any
state, FAIL names the property. Then each fault of the protocol is built into its model: `ok
model/mutation-NAME` says that a property caught it. What fails leaves its trail in build/model/NAME/.
"""
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import time

MODELS = pathlib.Path(__file__).resolve().parent
BUILD = MODELS.parent.parent / "build" / "model"
MEMORY_MIB = 900  # of one search; two run at a time
SEARCH_SECONDS = 600

RECEIVE = ["claimed_by_one", "address_of_the_claim", "never_torn", "handed_back_once",
           "packets_stay_whole", "no_slot_lost", "journals_idle"]
OWNER = ["one_user", "set_up_again", "queue_comes_back", "progress"]

# name: (model, bounds, properties, what is in reach)
CHECKS = {
    "three-senders": ("receive", {"SENDERS": 3, "SIZE": 2, "HEADS": 4, "RUNS": 1, "STOPS": 1, "BREAKS": 0},
                      RECEIVE, "three senders over two laps, one stops anywhere and is finished"),
    "three-senders-again": ("receive", {"SENDERS": 3, "SIZE": 2, "HEADS": 3, "RUNS": 1, "STOPS": 1, "BREAKS": 1},
                            RECEIVE, "three senders over a lap and a half, one stops, its finisher is begun again"),
    "three-senders-stops": ("receive", {"SENDERS": 3, "SIZE": 2, "HEADS": 3, "RUNS": 1, "STOPS": 2, "BREAKS": 0},
                            RECEIVE, "three senders over a lap and a half, two stop anywhere and are finished"),
    "laps": ("receive", {"SENDERS": 2, "SIZE": 2, "HEADS": 6, "RUNS": 2, "STOPS": 1, "BREAKS": 1}, RECEIVE,
             "two senders over three laps, one stops anywhere, its finisher is begun again anywhere"),
    "stops": ("receive", {"SENDERS": 2, "SIZE": 2, "HEADS": 4, "RUNS": 1, "STOPS": 2, "BREAKS": 1}, RECEIVE,
              "both senders stop, one finisher is begun again"),
    "restart": ("receive", {"SENDERS": 2, "SIZE": 2, "HEADS": 3, "RUNS": 1, "STOPS": 1, "BREAKS": 1,
                            "EPOCHS": 2}, RECEIVE,
                "the receiver sets its ring up again at any moment; daemon or vCPU finish"),
    "progress": ("receive", {"SENDERS": 3, "SIZE": 8, "HEADS": 5, "RUNS": 1, "STOPS": 2, "NO_FINISHER": 1},
                 ["progress"], "nobody finishes: all others still end, served, and no loop is without end"),
    "owner": ("owner", {"VCPUS": 3, "CALLS": 2, "STOPS": 1, "DOWNS": 1}, OWNER,
              "three vCPUs at one NIC queue, one stops anywhere, the daemon takes the uplink down once"),
    "owner-stops": ("owner", {"VCPUS": 2, "CALLS": 2, "STOPS": 2, "DOWNS": 2}, OWNER,
                    "two vCPUs, both stop, the uplink goes down twice"),
}
# name: the check whose bounds show it, the fault, the property that has to catch it
MUTATIONS = {
    "no-help": ("laps", "NO_HELP", "no_slot_lost"),
    "journal-after-claim": ("laps", "JOURNAL_AFTER_CLAIM", "no_slot_lost"),
    "queue-word-before-slot": ("laps", "QUEUE_WORD_BEFORE_SLOT", "handed_back_once"),
    "done-before-copy": ("laps", "DONE_BEFORE_COPY", "never_torn"),
    "no-phase-check": ("laps", "NO_PHASE_CHECK", "handed_back_once"),
    "no-lap-check": ("laps", "NO_LAP_CHECK", "handed_back_once"),
    "idle-before-done": ("laps", "IDLE_BEFORE_DONE", "no_slot_lost"),
    "idle-before-hand-back": ("laps", "IDLE_BEFORE_HAND_BACK", "no_slot_lost"),
    "take-without-compare": ("laps", "TAKE_WITHOUT_COMPARE", "no_slot_lost"),
    "posted-before-address": ("laps", "POSTED_BEFORE_ADDRESS", "address_of_the_claim"),
    "no-epoch-check": ("restart", "NO_EPOCH_CHECK", "handed_back_once"),
    "full-at-first-sight": ("progress", "FULL_AT_FIRST_SIGHT", "progress"),
    "owner-state-before-owner": ("owner-stops", "STATE_BEFORE_OWNER", "one_user"),
    "owner-take-without-compare": ("owner-stops", "TAKE_WITHOUT_COMPARE", "set_up_again"),
    "owner-not-awaited": ("owner-stops", "OWNER_NOT_AWAITED", "set_up_again"),
    "owner-times-not-counted": ("owner-stops", "TIMES_NOT_COUNTED", "set_up_again"),
}
ERROR = re.compile(r"^pan:1: (.*) \(at depth \d+\)", re.M)
PROPERTY = re.compile(r"assertion violated .*\|\|(\w+)\)")
STORED = re.compile(r"^\s*([\d.e+]+) states, stored", re.M)
DEPTH = re.compile(r"depth reached (\d+)")


def run(folder, *command):
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=SEARCH_SECONDS,
                          check=False)
    if done.returncode:
        raise RuntimeError(f"{command[0]}: {(done.stdout + done.stderr).strip().splitlines()[-1]}")
    return done.stdout


def search(name, model, defines):
    """What Spin's verifier says of a model with these definitions, and the seconds that it took."""
    folder = BUILD / name
    folder.mkdir(parents=True, exist_ok=True)
    for trail in folder.glob("*.trail"):
        trail.unlink()
    progress = "NO_FINISHER" in defines
    definitions = [f"-D{key}={value}" for key, value in defines.items()]
    begin = time.monotonic()
    run(folder, "spin", "-a", *definitions, str(MODELS / f"{model}.pml"))
    # Every state is stored, none by its hash alone. Cycles without progress only where they are asked for.
    run(folder, "gcc", "-O2", "-w", "-DCOLLAPSE", f"-DMEMLIM={MEMORY_MIB}", "-DNP" if progress else "-DSAFETY",
        "-DNOFAIR", "-o", "pan", "pan.c")
    output = run(folder, "./pan", "-m100000", "-w22", *(["-l"] if progress else []))
    (folder / "log").write_text(output, encoding="utf-8")
    return output, time.monotonic() - begin


def error_of(output):
    """The name of the property that fails, or what else Spin found; "" if nothing."""
    found = ERROR.search(output)
    if not found:
        whole = STORED.search(output) and "errors: 0" in output
        cut = "Search not completed" in output or "max search depth too small" in output
        return "" if whole and not cut else "the search did not come to its end"
    return (PROPERTY.search(found.group(1)) or found).group(1)


def check(name):
    model, bounds, properties, reach = CHECKS[name]
    output, seconds = search(name, model, bounds)
    error = error_of(output)
    if error:
        return False, f"FAIL model/{name} {error}, see {BUILD / name}/log"
    states, depth = float(STORED.search(output).group(1)), DEPTH.search(output).group(1)
    text = ", ".join(f"{key} {value}" for key, value in bounds.items())
    return True, (f"   {name}: {reach}\n   {states:,.0f} states, depth {depth}, {seconds:.1f} s; {text}\n"
                  f"   hold: {', '.join(properties)}\nok model/{name}")


def mutate(name):
    base, fault, property_name = MUTATIONS[name]
    model, bounds = CHECKS[base][:2]
    output, _ = search(f"mutation-{name}", model, {**bounds, f"FAULT_{fault}": 1})
    error = error_of(output)
    if error != property_name:
        return False, f"FAIL model/mutation-{name} not caught by {property_name}: {error or 'survives'}"
    return True, f"   caught by {property_name}\nok model/mutation-{name}"


def attempt(work, name):
    prefix = "mutation-" if work is mutate else ""
    try:
        return work(name)
    except (OSError, RuntimeError, subprocess.TimeoutExpired) as error:
        return False, f"FAIL model/{prefix}{name} {error}"


def main():
    names = sys.argv[1:]
    unknown = [name for name in names if name not in CHECKS and name not in MUTATIONS]
    if unknown:
        sys.exit(f"no model or mutation {' '.join(unknown)}; there are {' '.join([*CHECKS, *MUTATIONS])}")
    work = [(check, name) for name in CHECKS] + [(mutate, name) for name in MUTATIONS]
    good = True
    with concurrent.futures.ThreadPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
        jobs = [pool.submit(attempt, *job) for job in work if not names or job[1] in names]
        for job in jobs:
            passed, text = job.result()
            print(text, flush=True)
            good &= passed
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
