# SPDX-License-Identifier: BSD-3-Clause
"""Mutants of what is not run but looked at: the trusted image's instructions, the module's sources (row 20).

Each is the shipped thing with one change, and without a mutant it is made in the same way without that change. The test
is a check of it: `image`, `masks` (tests/unit/datapath) or `nospec` (tests/lint).
"""
import functools
import json
import pathlib
import subprocess

import mutants

SHIPPED = mutants.ROOT / "build" / "meson"
CHECKED = mutants.ROOT / "build" / "mutants" / "checked"
IMAGE = "vswitch/datapath/elisa-image.elf"
NOSPEC = "tests/lint/nospec.py"


def text_of(mutant, alive):
    return mutants.changed_text(mutant) if alive else (mutants.ROOT / mutant.file).read_text(encoding="utf-8")


def folder_of(mutant, alive):
    return CHECKED / (mutant.name if alive else f"{mutant.name}.without")


@functools.cache
def ninja_commands():
    subprocess.run(["ninja", "-C", SHIPPED, IMAGE], check=True, stdout=subprocess.DEVNULL)
    return subprocess.run(["ninja", "-C", SHIPPED, "-t", "commands", IMAGE], check=True, capture_output=True,
                          text=True).stdout.splitlines()


def relink(mutant, alive):
    """The image with this file's object exchanged."""
    folder = folder_of(mutant, alive)
    folder.mkdir(parents=True, exist_ok=True)
    source, image = folder / pathlib.Path(mutant.file).name, folder / "elisa-image.elf"
    source.write_text(text_of(mutant, alive), encoding="utf-8")
    old, new = f"{IMAGE}.p/{source.name}.o", f"{folder / source.name}.o"
    compile_it = [command.replace(old, new).replace(f"../../{mutant.file}", str(source))
                  for command in ninja_commands() if f"-o {old} " in command]
    link_it = [command.replace(old, new).replace(f"-o {IMAGE} ", f"-o {image} ")
               for command in ninja_commands() if f"-o {IMAGE} " in command]
    if len(compile_it) != 1 or len(link_it) != 1:
        raise mutants.Wrong(f"{mutant.name}: {mutant.file} is not in the trusted image")
    for command in compile_it + link_it:
        subprocess.run(command, shell=True, cwd=SHIPPED, check=True)
    return image


def image_check(test, image):
    listed = json.loads(subprocess.run(["meson", "introspect", "--tests", SHIPPED], check=True, capture_output=True,
                                       text=True).stdout)
    command = next(each["cmd"] for each in listed if each["name"] == f"datapath-{test}")
    # Some are paths in the build's folder.
    words = [str(SHIPPED / word) if (SHIPPED / word).exists() else word for word in command]
    return [str(image) if word == str(SHIPPED / IMAGE) else word for word in words]


def nospec_check(mutant, alive):
    """The check looks at the module beside it."""
    folder = folder_of(mutant, alive)
    texts = {mutant.file: text_of(mutant, alive), NOSPEC: (mutants.ROOT / NOSPEC).read_text(encoding="utf-8")}
    mutants.mirror(folder, ("host-kmod",), texts)
    return [str(folder / NOSPEC)]


def command(mutant, alive):
    """Its check, with the mutant or without."""
    if mutant.test == "nospec":
        return ["python3", *nospec_check(mutant, alive)]
    return image_check(mutant.test, relink(mutant, alive))
