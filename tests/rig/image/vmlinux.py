#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Takes the ELF image out of Debian's vmlinuz and leaves only what is loaded.

usage: vmlinux.py /boot/vmlinuz-VERSION OUTPUT

The result has the program headers, the Xen notes (PVH entry) and the loaded bytes without the
zeros at each segment's end; the loader zeroes up to the segment's memory size anyway. Symbols for
kallsyms, BTF and exception tables are part of the loaded bytes and stay.
"""
import lzma
import struct
import sys

XZ_MAGIC = b"\xfd7zXZ\0"
PAGE = 4096
PT_LOAD, PT_NOTE = 1, 4
HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
SEGMENT = struct.Struct("<IIQQQQQQ")


def decompress(vmlinuz):
    at = vmlinuz.find(XZ_MAGIC)
    while at >= 0:
        try:
            image = lzma.LZMADecompressor().decompress(vmlinuz[at:])
            if image[:4] == b"\x7fELF":
                return image
        except lzma.LZMAError:
            pass
        at = vmlinuz.find(XZ_MAGIC, at + 1)
    sys.exit("no xz-compressed ELF image in this vmlinuz")


def trim(image):
    header = list(HEADER.unpack_from(image))
    phoff, phnum = header[5], header[10]
    segments = [list(SEGMENT.unpack_from(image, phoff + i * SEGMENT.size)) for i in range(phnum)]
    body = bytearray()
    moved = []
    for segment in segments:
        kind, offset, filesz = segment[0], segment[2], segment[5]
        if kind != PT_LOAD:
            continue
        data = image[offset:offset + filesz].rstrip(b"\0")
        moved.append((offset, filesz, PAGE + len(body)))
        segment[2], segment[5] = PAGE + len(body), len(data)
        body += data + bytes(-len(data) % PAGE)
    for segment in segments:
        if segment[0] != PT_NOTE:
            continue
        for old, size, new in moved:
            if old <= segment[2] < old + size:
                segment[2] += new - old
                break
    header[5], header[6] = HEADER.size, 0       # program headers follow, no section headers
    header[11:14] = [64, 0, 0]
    head = HEADER.pack(*header) + b"".join(SEGMENT.pack(*s) for s in segments)
    return head + bytes(PAGE - len(head)) + body


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with open(sys.argv[1], "rb") as source:
        image = trim(decompress(source.read()))
    with open(sys.argv[2], "wb") as target:
        target.write(image)


main()
