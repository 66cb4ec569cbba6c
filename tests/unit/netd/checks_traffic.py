# SPDX-License-Identifier: BSD-3-Clause
"""Checks with sockets: ping, TCP and UDP of known bytes, iperf3, with and without offloads."""
import hashlib
import json
import random
import socket

from namespaces import Namespace, eventually, expect

TCP_BYTES = 16 << 20
IPERF_SECONDS = 2
UDP_SIZES = (0, 1, 1471, 1472, 1473, 9000, 20000, 65507)
FORWARDED_SIZES = (1, 32, 1400)  # of the smaller MTU


def drops(side, way):
    return sum(side[way]["drops"].values())


def check_carried(netd, ends, lossless=False):
    """What one driver has from the switch the kernel has, and the reverse; nothing was damaged.

    The switch drops what finds a full ring: TCP then sends it again.
    """
    now = netd.settled_statistics()
    for before, after in zip(netd.before, now):
        for way in ("to_switch", "to_kernel"):
            expect(drops(after, way) == drops(before, way), f"dropped: {after[way]['drops']}")
        expect(after["driver"]["tx_good_packets"] == after["to_switch"]["frames"] and
               after["driver"]["rx_good_packets"] == after["to_kernel"]["frames"] + drops(after, "to_kernel"),
               f"driver and elisa-netd do not count the same: {after}")
    for sender, receiver in ((0, 1), (1, 0)):
        for name in ("frames", "bytes", "checksum_offloads", "segmentation_offloads"):
            sent = now[sender]["to_switch"][name] - netd.before[sender]["to_switch"][name]
            received = now[receiver]["to_kernel"][name] - netd.before[receiver]["to_kernel"][name]
            expect(received == sent or (received < sent and not lossless),
                   f"{name}: {sent} sent, {received} received")
    for end in ends:
        expect(end.checksum_errors() == 0, f"checksum errors in {end.name}")


def ping(netd, ends):
    """IPv4 and IPv6, both ways, up to the MTU in one piece."""
    for here, there in (ends, ends[::-1]):
        for address, most in ((there.ipv4, netd.mtu - 28), (there.ipv6, netd.mtu - 48)):
            for size in (56, most):
                done = here.execute("ping", "-c", 3, "-i", 0.1, "-W", 2, "-M", "do", "-s", size, address)
                expect(" 3 received" in done.stdout, done.stdout)
    check_carried(netd, ends, lossless=True)


def data(seed):
    return random.Random(seed).randbytes(TCP_BYTES)


def send_all(address, port, seed):
    with socket.create_connection((address, port), 10) as connection:
        connection.sendall(data(seed))
        connection.shutdown(socket.SHUT_WR)
        return connection.recv(64).decode()


def listen(address, port, ready):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    digest = hashlib.sha256()
    with socket.create_server((address, port), family=family) as listener:
        listener.settimeout(30)
        ready.put(True)
        connection, _ = listener.accept()
        with connection:
            while piece := connection.recv(1 << 20):
                digest.update(piece)
            connection.sendall(digest.hexdigest().encode())


def tcp_once(netd, here, there, address):
    """What `here` added to its statistics while known bytes went over."""
    seed = random.randrange(1 << 30)
    port = 5000 + seed % 50000
    before = netd.statistics()[here.host - 1]["to_switch"]
    with there.background(listen, address, port) as result:
        digest = here.call(send_all, address, port, seed)
        result()
    expect(digest == hashlib.sha256(data(seed)).hexdigest(), "other bytes arrived than were sent")
    after = netd.statistics()[here.host - 1]["to_switch"]
    return {name: after[name] - before[name] for name in after if name != "drops"}


def tcp(netd, ends):
    """Bytes arrive as they were sent, in packets longer than the MTU that nobody cut."""
    for here, there in (ends, ends[::-1]):
        for address in (there.ipv4, there.ipv6):
            added = tcp_once(netd, here, there, address)
            expect(added["segmentation_offloads"] > 0 and added["bytes"] / added["frames"] > 2 * netd.mtu,
                   f"these are not long packets: {added}")
    check_carried(netd, ends)


def tcp_without_offloads(netd, ends):
    """First without segmentation, then without checksums either."""
    a, b = ends
    a.execute("ethtool", "-K", a.tap, "tso", "off", "gso", "off")
    added = tcp_once(netd, a, b, b.ipv4)
    expect(added["segmentation_offloads"] == 0 and added["checksum_offloads"] > TCP_BYTES / netd.mtu,
           f"not one checksum for each segment: {added}")
    a.execute("ethtool", "-K", a.tap, "tx", "off")
    for address in (b.ipv4, b.ipv6):
        added = tcp_once(netd, a, b, address)
        expect(added["checksum_offloads"] == 0, f"checksums were left undone: {added}")
    a.execute("ethtool", "-K", a.tap, "tx", "on", "tso", "on", "gso", "on")
    check_carried(netd, ends)


def echo(address, port, count, ready):
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((address, port))
        server.settimeout(10)
        ready.put(True)
        for _ in range(count):
            server.sendto(*server.recvfrom(1 << 16))


def ask(address, port, sizes):
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(10)
        client.connect((address, port))
        wrong = []
        for size in sizes:
            datagram = random.randbytes(size)
            client.send(datagram)
            if client.recv(1 << 16) != datagram:
                wrong.append(size)
        return wrong


def udp(netd, ends):
    """Datagrams of all sizes there and back; longer than the MTU they go in fragments."""
    for here, there in (ends, ends[::-1]):
        for address in (there.ipv4, there.ipv6):
            with there.background(echo, address, 4000, len(UDP_SIZES)) as result:
                wrong = here.call(ask, address, 4000, UDP_SIZES)
                result()
            expect(not wrong, f"datagrams of {wrong} bytes came back changed")
    check_carried(netd, ends, lossless=True)


def iperf(here, there, *options):
    with there.program("iperf3", "--server", "--one-off"):
        eventually(lambda: ":5201" in there.execute("ss", "-Hltn").stdout, "the server does not listen")
        done = here.execute("iperf3", "--json", "--client", there.ipv4, "--time", IPERF_SECONDS, *options,
                            check=False)
    record = json.loads(done.stdout)
    expect("error" not in record, record.get("error", ""))
    return record["end"]


def iperf_tcp(netd, ends):
    """One connection each way, and eight both ways at once."""
    for options in ((), ("--reverse",), ("--bidir", "--parallel", 4)):
        end = iperf(*ends, *options)
        rate = end["sum_received"]["bits_per_second"] / 1e9
        print(f"iperf3 TCP {' '.join(map(str, options))}: {rate:.2f} Gb/s (native, gate=local, shared CPUs)")
        expect(end["sum_received"]["bytes"] > 0, "nothing received")
    check_carried(netd, ends)


def iperf_udp(netd, ends):
    for options in ((), ("--reverse",)):
        total = iperf(*ends, "--udp", "--bitrate", "100M", *options)["sum"]
        expect(total["packets"] > 1000, f"{total['packets']} datagrams in {IPERF_SECONDS} s")
    check_carried(netd, ends)


def queues_used(netd, ends):
    """Flows are spread over all queues, and stay whole."""
    for side in netd.settled_statistics():
        counts = [side["driver"][f"rx_q{queue}_packets"] for queue in range(netd.queues)]
        expect(min(counts) > 10, f"packets of the queues: {counts}")


def forward(end, on):
    for path in ("ipv4/ip_forward", "ipv6/conf/all/forwarding"):
        end.execute("sh", "-c", f"echo {on} > /proc/sys/net/{path}")


def forwarded(netd, ends):
    """What B's kernel forwards it has to finish itself: the sums that it was given must be right.

    A -> B -> C, and between B and C nobody offers to leave anything undone.
    """
    a, b = ends
    c = Namespace("c", 3)
    try:
        c.ip("link", "add", c.tap, "type", "veth", "peer", "name", f"{c.tap}b", "netns", b.name)
        for end, name, host in ((b, f"{c.tap}b", 1), (c, c.tap, 2)):
            end.execute("ethtool", "-K", name, "tx", "off", "tso", "off", "gso", "off", "gro", "off")
            end.ip("link", "set", name, "up")
            end.ip("addr", "add", f"10.9.1.{host}/24", "dev", name)
            end.ip("addr", "add", f"fd09:1::{host}/64", "dev", name, "nodad")
        forward(b, 1)
        for here, via, network in ((a, b, "1"), (c, None, "0")):
            here.ip("route", "add", f"10.9.{network}.0/24", "via", via.ipv4 if via else "10.9.1.1")
            here.ip("route", "add", "fd09:1::/64" if via else "fd09::/64", "via",
                    via.ipv6 if via else "fd09:1::1")
        for address in ("10.9.1.2", "fd09:1::2"):
            added = tcp_once(netd, a, c, address)
            expect(added["segmentation_offloads"] > 0, f"these are not long packets: {added}")
            with c.background(echo, address, 4000, len(FORWARDED_SIZES)) as result:
                expect(not a.call(ask, address, 4000, FORWARDED_SIZES), "datagrams came back changed")
                result()
        expect(c.checksum_errors() == 0, "checksum errors in C")
    finally:
        forward(b, 0)
        c.close()
    check_carried(netd, ends)


CHECKS = (ping, tcp, tcp_without_offloads, udp, forwarded, iperf_tcp, iperf_udp)
