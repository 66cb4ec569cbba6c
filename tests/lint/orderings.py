#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Checks that docs/memory-ordering.md has a row for each ordered atomic access: orderings.py

A row names file, function, and how often each kind of access is there: another access, one less or
one of another order needs another look at its partner. Prints `ok orderings.ROOM` or FAIL. With
--list, prints what is in the code.
"""
import collections
import pathlib
import re
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
TABLE = TOP / "docs" / "memory-ordering.md"
ROOMS = ["vswitch/datapath", "vswitch/uplink", "guest-pmd", "host-kmod"]
# These define the accessors; what they order is said where they are used.
DEFINITIONS = {"vswitch/datapath/atomic.h"}
FUNCTION = re.compile(r"^[a-z][\w\s*]*?\b(\w+)\([^;]*$")
KINDS = {
    "load-acquire": r"\belisa_load_acquire\(|\bsmp_load_acquire\(|\batomic_read_acquire\(",
    "store-release": r"\belisa_store_release\(|\bsmp_store_release\(|\batomic_set_release\(",
    "swap": r"\belisa_replace\(|\batomic_cmpxchg\(|\batomic_xchg\(|\bcmpxchg64\(",
    "barrier": r"\bsmp_mb\(|\bsmp_rmb\(|\bsmp_wmb\(",
}
BUILTIN = re.compile(r"\b__atomic_(\w+?)(?:_n)?\((.*?__ATOMIC_(\w+).*?)\);", re.S)
ROW = re.compile(r"^\| `([\w./-]+)` \| `(\w+)` \| ([^|]+?) \|", re.M)


def without_comments(text):
    return re.sub(r"/\*.*?\*/|//[^\n]*", lambda found: re.sub(r"[^\n]", " ", found.group()), text,
                  flags=re.S)


def functions(text):
    """Pairs of a function's name and its text."""
    name, lines = None, []
    for line in text.split("\n"):
        found = FUNCTION.match(line)
        if found:
            if name:
                yield name, "\n".join(lines)
            name, lines = found.group(1), []
        lines.append(line)
    if name:
        yield name, "\n".join(lines)


def accesses(text):
    counts = collections.Counter()
    for kind, pattern in KINDS.items():
        counts[kind] += len(re.findall(pattern, text))
    for operation, _, order in BUILTIN.findall(text):
        if order != "RELAXED":
            counts[f"{operation.replace('_', '-')}-{order.lower().replace('_', '-')}"] += 1
    return ", ".join(f"{kind} {n}" for kind, n in sorted(counts.items()) if n)


def in_code(room):
    found = {}
    for path in sorted([*(TOP / room).rglob("*.c"), *(TOP / room).rglob("*.h")]):
        name = str(path.relative_to(TOP))
        if name in DEFINITIONS or name.endswith(".mod.c"):
            continue
        for function, text in functions(without_comments(path.read_text(encoding="utf-8"))):
            kinds = accesses(text)
            if kinds:
                found[name, function] = kinds
    return found


def differences(code, table):
    for key in sorted(code.keys() | table.keys()):
        if code.get(key) != table.get(key):
            yield (f"{key[0]}: {key[1]}() has {code.get(key, 'no ordered access')}, "
                   f"the table {table.get(key, 'no row')}")


def check_checker():
    """The checker itself must see a changed order."""
    sample = "static int f(int x)\n{\n\telisa_load_acquire(&x);\n}\n"
    weaker = sample.replace("elisa_load_acquire", "elisa_load")
    good = dict(functions(sample)).keys() == {"f"} and accesses(sample) and not accesses(weaker)
    print("ok orderings.checker" if good else "FAIL orderings.checker a changed order was not seen")
    return good


def main():
    if sys.argv[1:] == ["--list"]:
        for room in ROOMS:
            for (path, function), kinds in in_code(room).items():
                print(f"| `{path}` | `{function}` | {kinds} |")
        return 0
    rows = {(path, function): kinds for path, function, kinds in ROW.findall(TABLE.read_text(encoding="utf-8"))}
    good = check_checker()
    for room in ROOMS:
        table = {key: kinds for key, kinds in rows.items() if key[0].startswith(f"{room}/")}
        wrong = list(differences(in_code(room), table))
        for line in wrong:
            print(line, file=sys.stderr)
        print(f"FAIL orderings.{room} {wrong[0]}" if wrong else f"ok orderings.{room}")
        good = good and not wrong
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
