#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes a source with one fault in it: mutate.py SOURCE OUTPUT OLD NEW

OLD must be there exactly once. For the fuzzers that are built to fail (meson.build).
"""
import pathlib
import sys

source, output, old, new = sys.argv[1:]
text = pathlib.Path(source).read_text(encoding="utf-8")
if text.count(old) != 1:
    sys.exit(f"{source} has {text.count(old)} times what the mutation in tests/fuzz/meson.build replaces: {old}")
pathlib.Path(output).write_text(f'#line 1 "{source}"\n' + text.replace(old, new), encoding="utf-8")
