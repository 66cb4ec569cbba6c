#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Mutants: copies of the sources in which defences can be switched off. The table is mutations.toml.

    mutants.py check            is every text of the table in its file, exactly once?
    mutants.py kmod FOLDER      fill FOLDER with the sources of elisa.ko, its mutants and the
                                testing half (tests/mutations/kmod); list them in FOLDER/module.list
    mutants.py native           fill build/mutants/tree with the whole tree, with the mutants of native tests,
                                and set build/mutants/native up to build it
    mutants.py attacks IMAGE    list those that an attack has to notice; IMAGE is made of that tree

All mutants of a build are in it at once; `elisa_mutant` says which one is alive, 0 none. What is not
changed is a link into the tree. docs/testing.md says how to add one.
"""
import os
import pathlib
import re
import subprocess
import sys
import tomllib

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TABLE = HERE / "mutations.toml"
BUILD = ROOT / "build" / "mutants"
TREE, NATIVE = BUILD / "tree", BUILD / "native"
THREATS, DOCUMENT = ROOT / "docs" / "threat-model.md", ROOT / "docs" / "testing.md"
KMOD_ROOMS = ("host-kmod", "gate", "include", "vswitch/datapath", "tests/mutations/kmod")
TREE_ROOMS = ("bench", "docs", "gate", "guest-pmd", "include", "tests", "vswitch", "meson.build",
              "meson_options.txt")
KINDS = ("expression", "statement", "text")
TARGETS = ("module", "native", "page", "checked")
CPUS = ("any", "newer")
DECLARATION = "extern int elisa_mutant;\n"
# Each library that a test is linked with brings the variable; one of them is taken. The trusted image has
# no environment and may have no data: there it is a constant behind a mark, written into the file.
IMAGE_MARK = b"elisa_mutant is:"
DEFINITION = f"""
#if !__STDC_HOSTED__
__asm__(".pushsection .rodata.mutant, \\"a\\"\\n\\t.balign 16\\n\\t.ascii \\"{IMAGE_MARK.decode()}\\"\\n"
\t".globl elisa_mutant\\n\\t.hidden elisa_mutant\\nelisa_mutant: .long 0\\n\\t.popsection");
#else
__attribute__((weak)) int elisa_mutant;
extern char *getenv(const char *);
extern int atoi(const char *);
__attribute__((weak, constructor)) void elisa_mutant_choose(void);
void elisa_mutant_choose(void)
{{
\tconst char *number = getenv("ELISA_MUTANT");

\telisa_mutant = number ? atoi(number) : 0;
}}
#endif
"""
DEFINED_IN = ("gate/ept.c", "vswitch/datapath/route.c", "vswitch/daemon/failure.c")
# Code pages cannot look at a variable: each of their mutants is a page of its own, chosen when it is copied.
PAGES = ("elisa_gate_page", "elisa_entry_page")
PAGE_CHOICE = """// SPDX-License-Identifier: BSD-3-Clause
/* Made by tests/mutations/mutants.py: the page that is alive instead of this one. */
#include "tests/mutations/kmod/pages.h"

extern int elisa_mutant;
extern const unsigned char {pages};

const unsigned char *elisa_test_page_of(const unsigned char *page)
{{
	switch (elisa_mutant) {{
{cases}	default:
		return page;
	}}
}}
"""
PAGE_CASE = "\tcase {number}:\n\t\treturn page == {page} ? {page}_{number} : page;\n"


class Wrong(Exception):
    """The table does not fit the sources."""


class Mutant:
    """One entry of the table."""

    def __init__(self, number, entry):
        self.number, self.name = number, entry.get("name", "?")
        self.rows, self.file = entry.get("rows", []), entry.get("file", "?")
        self.target, self.test, self.attack = entry.get("target"), entry.get("test"), entry.get("attack")
        self.cpu = entry.get("cpu", "any")
        kinds = [kind for kind in KINDS if kind in entry]
        unknown = set(entry) - {"name", "rows", "file", "target", "test", "attack", "cpu", "within", "becomes", *KINDS}
        if unknown or len(kinds) != 1 or self.target not in TARGETS or self.cpu not in CPUS or \
                not (self.test or self.attack):
            raise Wrong(f"{TABLE.name}: {self.name}: needs file, target ({', '.join(TARGETS)}), test or attack, "
                        f"cpu ({', '.join(CPUS)}) if not any, and one of {', '.join(KINDS)}; unknown: {', '.join(unknown) or 'nothing'}")
        if not re.fullmatch(r"[a-z0-9-]+", self.name):
            raise Wrong(f"{TABLE.name}: {self.name!r} is no name")
        self.kind, self.original, self.becomes = kinds[0], entry[kinds[0]], entry.get("becomes")
        self.within = entry.get("within", self.original)
        if self.kind != "statement" and self.becomes is None:
            raise Wrong(f"{TABLE.name}: {self.name}: what does it become?")

    def place(self, text):
        """Where in its file's text."""
        for wanted, where in ((self.within, text), (self.original, self.within)):
            if where.count(wanted) != 1:
                raise Wrong(f"mutant {self.name}: this is {where.count(wanted)} times in {self.file}, "
                            f"not once:\n{wanted}\nCorrect tests/mutations/mutations.toml.")
        return text.index(self.within) + self.within.index(self.original)

    def schema(self):
        """What stands in its place, with the mutant and without."""
        if self.kind == "text":
            return self.becomes
        if self.kind == "expression":
            return f"(elisa_mutant == {self.number} ? ({self.becomes}) : ({self.original}))"
        if self.becomes:
            return (f"if (elisa_mutant == {self.number}) {{ {self.becomes} }} "
                    f"else {{ {self.original} }}")
        return f"if (elisa_mutant != {self.number}) {{ {self.original} }}"


def resolved(entry, entries):
    """An entry that is `like` another has what that says, but for what it says itself."""
    if "like" not in entry:
        return entry
    if entry["like"] not in entries:
        raise Wrong(f"{TABLE.name}: {entry.get('name')}: like {entry['like']}, which is not there")
    own = {key: value for key, value in entry.items() if key != "like"}
    return {**entries[entry["like"]], **own}


def read_table():
    """All mutants, and what is always changed in the testing build of the module."""
    table = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    entries = {entry.get("name"): entry for entry in table["mutant"]}
    mutants = [Mutant(i + 1, resolved(entry, entries)) for i, entry in enumerate(table["mutant"])]
    names = [m.name for m in mutants]
    double = {name for name in names if names.count(name) > 1}
    if double:
        raise Wrong(f"{TABLE.name}: twice: {', '.join(double)}")
    return mutants, table.get("testing", [])


def of_target(target):
    return [m for m in read_table()[0] if m.target == target]


def mutated(path, mutants, testing=()):
    """The text of a source file with all of these mutants in it."""
    text = (ROOT / path).read_text(encoding="utf-8")
    places = [(m.place(text), m.original, m.schema()) for m in mutants]
    for change in testing:
        if text.count(change["text"]) != 1:
            raise Wrong(f"testing build: its text is not once in {path}:\n{change['text']}")
        places.append((text.index(change["text"]), change["text"], change["becomes"]))
    places.sort(reverse=True)
    for (behind, _, _), (before, original, _) in zip(places, places[1:]):
        if before + len(original) > behind:
            raise Wrong(f"{path}: two changes overlap at\n{original}")
    for at, original, schema in places:
        text = text[:at] + schema + text[at + len(original):]
    return DECLARATION + text


def put(path, text):
    """As a file of its own, and only if it differs: builds go by time."""
    if path.is_symlink():
        path.unlink()
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def link(folder, room):
    """Links to the room's sources; what was written into the folder before stays."""
    top = ROOT / room
    for source in [top] if top.is_file() else sorted(top.rglob("*")):
        if not source.is_file() or "__pycache__" in source.parts:
            continue
        target = folder / source.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.is_symlink() and not target.exists():
            target.symlink_to(source)


def mirror(folder, rooms, texts):
    """Fill a folder: links, but for the files of `texts`; no link to what is gone stays."""
    for top, _, names in os.walk(folder):
        for path in (pathlib.Path(top) / name for name in names):
            back = path.relative_to(folder).as_posix()
            gone = path.is_symlink() and not path.exists()
            # A file that was changed and is not any more.
            stale = not path.is_symlink() and back not in texts and (ROOT / back).is_file()
            if gone or stale:
                path.unlink()
    for path, text in texts.items():
        put(folder / path, text)
    for room in rooms:
        link(folder, room)


def page_of(mutant):
    """The name of the code page that a mutant of the module changes; None if it is no code page's."""
    name = f"elisa_{pathlib.Path(mutant.file).stem}"
    return name if name in PAGES else None


def code_pages(mutants):
    """The changed pages, each under a name of its own, and the function that chooses: {path: text}."""
    texts, names = {}, list(PAGES)
    for mutant in mutants:
        text = changed_text(mutant)
        name = f"{page_of(mutant)}_{mutant.number}"
        texts[f"gate/page_{mutant.number}.S"] = re.sub(rf"\b{page_of(mutant)}\b", name, text)
        names.append(name)
    cases = "".join(PAGE_CASE.format(number=m.number, page=page_of(m)) for m in mutants)
    texts["gate/page_choice.c"] = PAGE_CHOICE.format(pages="[], ".join(names) + "[]", cases=cases)
    return texts


def changed_text(mutant):
    """Its file's text with this one mutant in it, for good."""
    text = (ROOT / mutant.file).read_text(encoding="utf-8")
    at = mutant.place(text)
    return text[:at] + mutant.becomes + text[at + len(mutant.original):]


def by_file(mutants):
    files = {}
    for mutant in mutants:
        files.setdefault(mutant.file, []).append(mutant)
    return files


def make_kmod(folder):
    mutants, testing = of_target("module"), read_table()[1]
    files = by_file([m for m in mutants if not page_of(m)])
    for change in testing:
        files.setdefault(change["file"], [])
    texts = {path: mutated(path, of_it, [c for c in testing if c["file"] == path])
             for path, of_it in files.items()}
    texts.update(code_pages([m for m in mutants if page_of(m)]))
    for page in folder.glob("gate/page_[0-9]*.S"):  # of a number that is another's now
        if page.relative_to(folder).as_posix() not in texts:
            page.unlink()
    texts["host-kmod/Kbuild"] = ((ROOT / "host-kmod" / "Kbuild").read_text(encoding="utf-8") +
                                 (HERE / "kmod" / "Kbuild.more").read_text(encoding="utf-8"))
    mirror(folder, KMOD_ROOMS, texts)
    put(folder / "module.list", "".join(f"{m.number} {m.cpu} {m.name} {m.test}\n" for m in mutants if m.test))


def set_up_native(log=None):
    make_tree(TREE)
    if not (NATIVE / "build.ninja").exists():
        subprocess.run(["meson", "setup", "-Dwerror=false", f"-Ddpdk_headers={ROOT / 'build' / 'dpdk-headers'}",
                        NATIVE, TREE], stdout=log, stderr=log, check=True)


def make_tree(folder):
    files = by_file(of_target("native"))
    texts = {path: mutated(path, of_it) for path, of_it in files.items()}
    for path in DEFINED_IN:
        texts[path] = texts.get(path, DECLARATION + (ROOT / path).read_text(encoding="utf-8"))
        texts[path] += DEFINITION
    mirror(folder, TREE_ROOMS, texts)


def list_attacks(image):
    """First where the image has its number, then NUMBER CPU NAME ATTACK."""
    content = image.read_bytes()
    if content.count(IMAGE_MARK) != 1:
        raise Wrong(f"{image}: its mark is {content.count(IMAGE_MARK)} times in it, not once")
    print(content.index(IMAGE_MARK) + len(IMAGE_MARK))
    for mutant in read_table()[0]:
        if mutant.attack:
            print(mutant.number, mutant.cpu, mutant.name, mutant.attack)


def lines_of_rows(mutants):
    """The table of docs/testing.md: which defences' loss the attack of each row notices. In row 2 that is
    what its native half runs."""
    rows = {}
    for mutant in mutants:
        noticed = [int(mutant.attack.removeprefix("row-"))] if mutant.attack else \
            mutant.rows if mutant.target == "checked" or (mutant.target == "page" and mutant.rows == [2]) else []
        for row in noticed:
            rows.setdefault(row, []).append(f"`{mutant.name}`")
    return {row: f"| {row} | {', '.join(names)} |" for row, names in sorted(rows.items())}


def check_rows(mutants):
    lines = lines_of_rows(mutants)
    rows = {int(row) for row in re.findall(r"^\| (\d+) \|", THREATS.read_text(encoding="utf-8"), re.M)}
    if rows - set(lines):
        raise Wrong(f"no mutant for an attack of rows {sorted(rows - set(lines))} of {THREATS.name}")
    listed = DOCUMENT.read_text(encoding="utf-8").splitlines()
    for line in lines.values():
        if line not in listed:
            raise Wrong(f"{DOCUMENT.name}: in its table should be\n{line}")


def check():
    mutants, testing = read_table()
    check_rows(mutants)
    for path, of_it in by_file(mutants).items():
        text = (ROOT / path).read_text(encoding="utf-8")
        for mutant in of_it:
            mutant.place(text)
    for change in testing:
        mutated(change["file"], [], [change])
    print(f"ok mutations.table {len(mutants)} mutants")


def main():
    what, arguments = (sys.argv[1:2] or [""])[0], sys.argv[2:]
    try:
        if what == "check" and not arguments:
            check()
        elif what == "kmod" and len(arguments) == 1:
            make_kmod(pathlib.Path(arguments[0]).resolve())
        elif what == "native" and not arguments:
            set_up_native()
        elif what == "attacks" and len(arguments) == 1:
            list_attacks(pathlib.Path(arguments[0]))
        else:
            raise SystemExit(__doc__)
    except (Wrong, OSError, subprocess.CalledProcessError, tomllib.TOMLDecodeError) as error:
        print(f"FAIL mutations.table {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
