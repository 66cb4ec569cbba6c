#!/usr/bin/python3 -B
# SPDX-License-Identifier: BSD-3-Clause
"""tests/rig/compare_pcaps.py: a frame missing, changed, doubled or invented at either end is found."""
import pathlib
import struct
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "rig"))
import compare_pcaps

FAR = "52:e1:15:a0:ee:01"
NEAR = "52:e1:15:a0:00:0a"


def frame(source, number, size=100):
    address = bytes.fromhex(source.replace(":", ""))
    return (b"\xff" * 6 + address + b"\x08\x00" + struct.pack("<I", number)).ljust(size, b"\x55")


OUT = [frame(NEAR, n) for n in range(5)]
IN = [frame(FAR, n) for n in range(5)]


class Compare(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def pcap(self, name, frames, order="<", magic=0xa1b23c4d):
        path = pathlib.Path(self.folder.name) / name
        data = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65535, 1)
        for one in frames:
            data += struct.pack(order + "IIII", 0, 0, len(one), len(one)) + one
        path.write_bytes(data)
        return path

    def wrong(self, inside, outside, lost=0):
        return compare_pcaps.compare(self.pcap("inside", inside), self.pcap("outside", outside, ">"),
                                     FAR, lost)[1]

    def test_same(self):
        figures, wrong = compare_pcaps.compare(
            self.pcap("a", OUT + IN), self.pcap("b", IN[::-1] + OUT, magic=0xa1b2c3d4), FAR, 0)
        self.assertEqual(wrong, [])
        self.assertEqual((figures["sent_inside"], figures["received_outside"]), (5, 5))

    def test_missing(self):
        self.assertIn("sent inside, not seen outside", self.wrong(OUT + IN, OUT[1:] + IN)[0])
        self.assertIn("seen outside, not sent inside", self.wrong(OUT[1:] + IN, OUT + IN)[0])
        self.assertIn("received inside, not sent outside", self.wrong(OUT + IN, OUT + IN[1:])[0])
        self.assertIn("sent outside, not received inside", self.wrong(OUT + IN[1:], OUT + IN)[0])

    def test_lost_on_the_cable(self):
        self.assertEqual(self.wrong(OUT + IN[2:], OUT + IN, lost=2), [])
        self.assertTrue(self.wrong(OUT + IN[2:], OUT + IN, lost=1))
        self.assertTrue(self.wrong(OUT + IN, OUT + IN, lost=1))

    def test_doubled(self):
        self.assertTrue(self.wrong(OUT + IN, OUT + OUT[:1] + IN))
        self.assertTrue(self.wrong(OUT + IN + IN[:1], OUT + IN))

    def test_one_byte(self):
        changed = OUT[0][:-1] + b"\x56"
        self.assertEqual(len(self.wrong(OUT + IN, [changed] + OUT[1:] + IN)), 2)

    def test_padding(self):
        short = frame(NEAR, 0, 42)
        self.assertEqual(self.wrong([short], [short.ljust(60, b"\0")]), [])
        self.assertTrue(self.wrong([short], [short.ljust(60, b"\1")]))
        short = frame(FAR, 0, 42)
        self.assertEqual(self.wrong([short.ljust(60, b"\1"), short.ljust(60, b"\2")], [short, short]), [])
        self.assertTrue(self.wrong([frame(FAR, 1, 42).ljust(60, b"\1")], [short]))
        self.assertTrue(self.wrong([short.ljust(61, b"\1")], [short]))

    def test_broken_file(self):
        path = self.pcap("cut", OUT)
        path.write_bytes(path.read_bytes()[:-1])
        with self.assertRaises(compare_pcaps.Broken):
            compare_pcaps.frames(path)


if __name__ == "__main__":
    unittest.main()
