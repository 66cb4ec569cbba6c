#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Check how user-space programs were linked: check_programs.py CC [cet|no-cet] FILE …

Position-independent, relocations read-only and resolved at start, no executable stack, nothing writable and
executable, stack protector and FORTIFY in use, no search path for libraries. Files after `cet` are compiled
for IBT. Those after `no-cet` are not marked for shadow stacks: a gate call cannot be made on one.
First each check is shown a program that was built without. Exit status 0: all is well.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

# Uses a buffer and a function that FORTIFY knows.
SOURCE = """
#include <stdio.h>
#include <string.h>
int main(int argc, char **argv) { char to[8]; strcpy(to, argv[argc - 1]); return printf(argv[0], to); }
"""
HARD = ("-O2 -fPIE -pie -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fcf-protection -Wl,-z,relro "
        "-Wl,-z,now -Wl,-z,noexecstack").split()
# What is said of a program that was built with this instead.
SOFT = {
    "not position-independent": ["-fno-pie", "-no-pie"],
    "relocations stay writable": ["-Wl,-z,norelro"],
    "relocations are resolved late": ["-Wl,-z,lazy"],
    "executable stack": ["-Wl,-z,execstack"],
    "no stack protector": ["-fno-stack-protector"],
    "no FORTIFY": ["-U_FORTIFY_SOURCE"],
    "a search path for libraries": ["-Wl,-rpath,/tmp"],
    "not compiled for IBT": ["-fcf-protection=none"],
}


def readelf(option, path):
    return subprocess.run(["readelf", "-W", option, path], check=True, capture_output=True, text=True).stdout


def has_ibt(path):
    """Is main() a place that an indirect branch may go to?"""
    code = subprocess.run(["objdump", "-d", "--disassemble=main", path], check=True, capture_output=True, text=True)
    return "endbr64" in code.stdout


def findings(path, cet):
    """Sentences about what is missing. `cet`: compiled for it, or else not marked for it."""
    headers, dynamic = readelf("-hl", path), readelf("-d", path)
    imports = readelf("--dyn-syms", path)
    flags = re.search(r"GNU_STACK .* ([RWE ]{3}) 0x", headers)
    found = {
        "not position-independent": "DYN" not in re.search(r"Type: +(\w+)", headers)[1],
        "relocations stay writable": "GNU_RELRO" not in headers,
        "relocations are resolved late": not re.search(r"BIND_NOW|FLAGS_1.*NOW", dynamic),
        "executable stack": not flags or "E" in flags[1],
        "memory that is writable and executable": bool(re.search(r"LOAD .* RWE 0x", headers)),
        "relocations in code": "TEXTREL" in dynamic,
        "no stack protector": "__stack_chk_fail" not in imports,
        "no FORTIFY": not re.search(r"__\w+_chk@", imports),
        "a search path for libraries": bool(re.search(r"R(UN)?PATH", dynamic)),
        "not compiled for IBT": cet and not has_ibt(path),
        "marked for shadow stacks": not cet and "SHSTK" in readelf("-n", path),
    }
    return [sentence for sentence, is_so in found.items() if is_so]


def check_the_checks(compiler):
    """Sentences about checks that are blind."""
    blind = []
    with tempfile.TemporaryDirectory() as folder:
        program = pathlib.Path(folder) / "program"

        def build(options):
            subprocess.run([*compiler, "-w", "-x", "c", "-", "-o", program, *HARD, *options], input=SOURCE, text=True,
                           check=True)

        build([])
        blind += [f"good code is refused: {sentence}" for sentence in findings(program, True)]
        build(["-Wl,-z,shstk"])
        if findings(program, False) != ["marked for shadow stacks"]:
            blind.append("the check does not see: marked for shadow stacks")
        for sentence, options in SOFT.items():
            build(options)
            if sentence not in findings(program, True):
                blind.append(f"the check does not see: {sentence}")
    return blind


def main():
    if len(sys.argv) < 4:
        print(__doc__)
        return 2
    trouble = check_the_checks(sys.argv[1].split())
    cet = False
    for argument in sys.argv[2:]:
        if argument in ("cet", "no-cet"):
            cet = argument == "cet"
        else:
            trouble += [f"{argument}: {sentence}" for sentence in findings(argument, cet)]
    print("\n".join(trouble) or "all programs are as they must be")
    return 1 if trouble else 0


if __name__ == "__main__":
    sys.exit(main())
