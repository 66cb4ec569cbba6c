#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""What a guest or the daemon gives the module as an index goes through array_index_nospec().

Called by lint.sh. Prints a line for each place where it does not. Before that, each array_index_nospec()
of the module is taken out of the text in turn, and has to be missed: or this check is blind.
"""
import pathlib
import re
import sys

MODULE = pathlib.Path(__file__).resolve().parents[2] / "host-kmod"
# Values from outside that become an index somewhere.
OUTSIDE = ["argument->port_number", "argument->port", "argument->queue", "call->queue", "argument.vcpu", "where / ELISA_PAGE_SIZE"]
# Members in a subscript that are the module's own: numbers it gave itself, or the CPU's exit reason.
OWN = {"vcpu->number", "port->number", "exit->reason"}
GUARDED = re.compile(r"array_index_nospec\(([^,()]+), ?[^()]+\)")
# The value is compared, or is a bit that is looked for, or is an answer that is filled in.
HARMLESS = re.compile(r"\s*(<|>|==|!=|= )")


def findings(name, text):
    found = []
    bare = GUARDED.sub(lambda match: "guarded".ljust(len(match[0])), text)
    for value in OUTSIDE:
        for match in re.finditer(re.escape(value) + r"\b(?!_)", bare):
            if not HARMLESS.match(bare[match.end():]) and not bare[:match.start()].endswith(("BIT_ULL(", "&")):
                found.append((match.start(), value))
    for match in re.finditer(r"\w\[([^\]\[]*(?:->|\.)[^\]\[]*)\]", bare):
        if match[1] not in OWN | set(OUTSIDE):
            found.append((match.start(), match[1]))
    return [f"{name}:{text.count(chr(10), 0, at) + 1}: {value} is an index without array_index_nospec()"
            for at, value in found]


def main():
    sources = {path.name: path.read_text(encoding="utf-8") for path in sorted(MODULE.glob("*.c"))}
    lines = [line for name, text in sources.items() for line in findings(name, text)]
    for name, text in sources.items():
        for match in GUARDED.finditer(text):
            without = text[:match.start()] + match[1] + text[match.end():]
            if len(findings(name, without)) <= len(findings(name, text)):
                lines.append(f"{name}: {match[0]} would not be missed: add it to OUTSIDE in {__file__}")
    print("\n".join(lines))
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
