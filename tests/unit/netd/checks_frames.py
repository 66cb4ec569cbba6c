# SPDX-License-Identifier: BSD-3-Clause
"""Checks with frames of our own making: VLAN tags, a long tagged TCP packet, foreign addresses."""
import random
import socket
import struct
import time

from namespaces import eventually, expect

LOCAL_EXPERIMENT = 0x88B5  # IEEE 802
VLAN = 0x8100
ALL = 3  # ETH_P_ALL
SOL_PACKET, PACKET_ADD_MEMBERSHIP, PACKET_AUXDATA, PACKET_VNET_HDR = 263, 1, 8, 15
PACKET_MR_PROMISC = 1
NEEDS_CSUM, GSO_TCPV4 = 1, 1
TAG = 3 << 13 | 5  # priority 3, VLAN 5
MSS = 1200
SECONDS = 5


def mac(end):
    return bytes.fromhex(end.ip("-o", "link", "show", end.tap).stdout.split("link/ether ")[1][:17]
                         .replace(":", ""))


def open_socket(tap, with_header=False):
    raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ALL))
    raw.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    raw.setsockopt(SOL_PACKET, PACKET_VNET_HDR, int(with_header))
    raw.bind((tap, 0))
    raw.settimeout(SECONDS)
    return raw


def send(tap, frames, with_header=False):
    with open_socket(tap, with_header) as raw:
        for frame in frames:
            raw.send(frame)


def tag_of(ancillary):
    """The kernel takes a received tag out of the frame."""
    for _, kind, auxiliary in ancillary:
        if kind == PACKET_AUXDATA:
            return struct.unpack("=IIIHHHH", auxiliary)[5]
    return None


def receive(tap, mark, count, with_header, ready, seconds=SECONDS):
    """(tag, what was received) of frames that have `mark` in them, until there are `count`."""
    found = []
    deadline = time.monotonic() + seconds
    with open_socket(tap, with_header) as raw:
        ready.put(True)
        while len(found) < count and time.monotonic() < deadline:
            raw.settimeout(max(0.01, deadline - time.monotonic()))
            try:
                frame, ancillary, _, address = raw.recvmsg(1 << 17, 1024)
            except TimeoutError:
                break
            if mark in frame and address[2] != socket.PACKET_OUTGOING:
                found.append((tag_of(ancillary), frame))
    return found


def transfer(here, there, frames, mark, with_header=False, seconds=SECONDS):
    with there.background(receive, there.tap, mark, len(frames), with_header, seconds=seconds) as result:
        here.call(send, here.tap, frames, with_header)
        return result()


def tagged_frames(netd, ends):
    """A tag arrives as it was sent, on whatever frame."""
    here, there = ends
    mark = random.randbytes(16)
    payload = mark + random.randbytes(1000)
    head = mac(there) + mac(here)
    frame = head + struct.pack("!HHH", VLAN, TAG, LOCAL_EXPERIMENT) + payload
    found = transfer(here, there, [frame], mark)
    expect(len(found) == 1, "the frame did not arrive")
    tag, received = found[0]
    expect(tag == TAG, f"tag {tag} instead of {TAG}")
    expect(received == head + struct.pack("!H", LOCAL_EXPERIMENT) + payload, "other bytes arrived")


def ones_complement_sum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def long_packet(here, there, payload):
    """IPv4 and TCP with a tag, as a kernel hands it to a device that cuts: virtio-net header first."""
    addresses = socket.inet_aton(here.ipv4) + socket.inet_aton(there.ipv4)
    length = 20 + len(payload)
    partial = ones_complement_sum(addresses + struct.pack("!HH", socket.IPPROTO_TCP, length))
    tcp = struct.pack("!HHIIBBHHH", 7, 9, 1000, 0, 5 << 4, 0x10, 100, partial, 0)
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + length, 1, 0, 64, socket.IPPROTO_TCP, 0) + addresses
    ip = ip[:10] + struct.pack("!H", 0xFFFF ^ ones_complement_sum(ip)) + ip[12:]
    header = struct.pack("=BBHHHH", NEEDS_CSUM, GSO_TCPV4, 18 + 40, MSS, 18 + 20, 16)
    return header + mac(there) + mac(here) + struct.pack("!HHH", VLAN, TAG, 0x0800) + ip + tcp + payload


def tagged_long(netd, ends):
    """A tag and a TCP packet of 20 kB: in one piece, tag, size of segments and bytes kept."""
    here, there = ends
    mark = random.randbytes(16)
    payload = mark + random.randbytes(20000)
    sent = long_packet(here, there, payload)
    found = transfer(here, there, [sent], mark, with_header=True)
    expect(len(found) == 1, "the packet did not arrive")
    tag, received = found[0]
    expect(tag == TAG, f"tag {tag} instead of {TAG}")
    flags, kind, _, size, start, offset = struct.unpack("=BBHHHH", received[:10])
    offloads = (flags & NEEDS_CSUM, kind, size, start, offset)
    expect(offloads == (NEEDS_CSUM, GSO_TCPV4, MSS, 14 + 20, 16), f"offloads {offloads}")
    expect(received[10:22] + received[22:] == sent[10:22] + sent[26:], "other bytes arrived")


def listen_to_all(tap, ready):
    index = socket.if_nametoindex(tap)
    with open_socket(tap) as raw:
        raw.setsockopt(SOL_PACKET, PACKET_ADD_MEMBERSHIP,
                       struct.pack("iHH8s", index, PACKET_MR_PROMISC, 0, b""))
        ready.put(True)
        time.sleep(SECONDS * 10)


def foreign_addresses(netd, ends):
    """Frames for addresses that nobody knows arrive while the interface listens to all, else not.

    Here is A: elisa-netd sees the settings of an interface in its own namespace.
    """
    there, here = ends
    mark = random.randbytes(16)
    frame = bytes.fromhex("02aabbccddee") + mac(here) + struct.pack("!H", LOCAL_EXPERIMENT) + mark * 4
    expect(not transfer(here, there, [frame], mark, seconds=1), "it arrived though nobody listened")
    with there.background(listen_to_all, there.tap):
        eventually(lambda: transfer(here, there, [frame], mark, seconds=1),
                   "it did not arrive though somebody listened to all")


CHECKS = (tagged_frames, tagged_long, foreign_addresses)
