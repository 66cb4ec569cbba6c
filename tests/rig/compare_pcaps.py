#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Do two captures at the two ends of a cable agree, frame by frame?

usage: compare_pcaps.py INSIDE OUTSIDE MAC LOST

INSIDE is the switch's capture of its uplink, OUTSIDE is tcpdump's at the other end, whose interface has
the address MAC. All that one side sent the other must have seen, byte for byte and as often, but for
LOST frames that the other end's interface dropped before they reached the cable. What pads a short frame
to 60 bytes is not compared: on the way out a NIC does that with zeros, on the way in the cable does, and
the emulated one with anything. Nor is the order: the vCPUs that drive the uplink have a capture ring
each. Prints a line of JSON and, to
standard error, what is wrong; exit status 0: they agree.
"""
import collections
import json
import pathlib
import struct
import sys

MAGICS = {b"\xd4\xc3\xb2\xa1": "<", b"\x4d\x3c\xb2\xa1": "<", b"\xa1\xb2\xc3\xd4": ">",
          b"\xa1\xb2\x3c\x4d": ">"}
FRAME_MIN = 60


class Broken(Exception):
    """A file that is no capture of whole frames."""


def frames(path):
    """The frames of a pcap file."""
    data = pathlib.Path(path).read_bytes()
    order = MAGICS.get(data[:4])
    if not order:
        raise Broken(f"{path} is no pcap file")
    at, found = 24, []
    while at < len(data):
        if at + 16 > len(data):
            raise Broken(f"{path} ends in the middle of a record")
        _, _, kept, length = struct.unpack_from(order + "IIII", data, at)
        at += 16
        if kept != length or at + kept > len(data):
            raise Broken(f"{path} has frames that were cut off")
        found.append(data[at:at + kept])
        at += kept
    return found


def by_direction(path, mac):
    """(sent by that address, sent by others), as multisets; the latter padded as a NIC does."""
    source = bytes.fromhex(mac.replace(":", ""))
    inbound, outbound = collections.Counter(), collections.Counter()
    for frame in frames(path):
        if frame[6:12] == source:
            inbound[frame] += 1
        else:
            outbound[frame.ljust(FRAME_MIN, b"\0")] += 1
    return inbound, outbound


def without_padding(received, sent):
    """The received frames, those that are a short sent one with padding as they were sent."""
    short = {frame for frame in sent if len(frame) < FRAME_MIN}
    plain = collections.Counter()
    for frame, count in received.items():
        begins = (one for one in short if len(frame) == FRAME_MIN and frame.startswith(one))
        plain[next(begins, frame)] += count
    return plain


def example(counter):
    frame = next(iter(counter))
    return f"{counter.total()} frames, the first of {len(frame)} bytes: {frame[:54].hex()}"


def compare(inside, outside, mac, lost):
    """(figures, what is wrong, as sentences)"""
    wrong = []
    in_inside, out_inside = by_direction(inside, mac)
    in_outside, out_outside = by_direction(outside, mac)
    in_inside = without_padding(in_inside, in_outside)
    figures = {"sent_inside": out_inside.total(), "sent_outside": out_outside.total(),
               "received_inside": in_inside.total(), "received_outside": in_outside.total(),
               "lost_on_the_cable": lost}
    for title, extra in (("sent inside, not seen outside", out_inside - out_outside),
                         ("seen outside, not sent inside", out_outside - out_inside),
                         ("received inside, not sent outside", in_inside - in_outside)):
        if extra:
            wrong.append(f"{title}: {example(extra)}")
    missing = in_outside - in_inside
    if missing.total() != lost:
        wrong.append(f"sent outside, not received inside: {missing.total()} frames, of which {lost} "
                     "were lost on the cable" + (f": {example(missing)}" if missing else ""))
    return figures, wrong


def main():
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    try:
        figures, wrong = compare(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
    except (Broken, OSError) as error:
        sys.exit(f"compare_pcaps.py: {error}")
    print(json.dumps(figures))
    for sentence in wrong:
        print(sentence, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
