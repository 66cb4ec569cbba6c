#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Prints a C file with the corpus of elisa-fuzz in it, as text: corpus.py NAME FILE…"""
import pathlib
import sys

text = "\n".join(pathlib.Path(path).read_text(encoding="ascii") for path in sys.argv[2:]) + "\0"
print(f'#include "fuzz.h"\nconst char fuzz_{sys.argv[1]}_corpus[] = {{{", ".join(str(ord(c)) for c in text)}}};')
