#!/usr/bin/python3 -B
# SPDX-License-Identifier: BSD-3-Clause
"""Test group: sockets over elisa-netd, natively, between two network namespaces (gate=local).

Prints `ok NAME` or `FAIL NAME REASON` for each check. Needs root, iperf3, /dev/net/tun.
"""
import hashlib
import json
import random
import re
import socket
import sys
import time

from namespaces import Failure, expect, joined, two_ends

TCP_BYTES = 32 << 20
IPERF_SECONDS = 2


def drops(side, way):
    return sum(side[way]["drops"].values())


def check_carried(netd, ends, lossless=False):
    """What one driver has from the switch the kernel has, and the reverse; nothing was damaged.

    The switch drops what finds a full ring: TCP then sends it again.
    """
    now = netd.statistics()
    expect(netd.before, "no statistics before")
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
    for here, there in (ends, ends[::-1]):
        for address in (there.ipv4, there.ipv6):
            done = here.execute("ping", "-c", 5, "-i", 0.1, "-W", 2, address)
            expect(" 5 received" in done.stdout, done.stdout)
    check_carried(netd, ends, lossless=True)


def data(seed):
    return random.Random(seed).randbytes(TCP_BYTES)


def send_all(address, port, seed):
    with socket.create_connection((address, port), 10) as connection:
        connection.sendall(data(seed))
        connection.shutdown(socket.SHUT_WR)
        return connection.recv(64).decode()


def serve(listener):
    connection, _ = listener.accept()
    digest = hashlib.sha256()
    with connection:
        while piece := connection.recv(1 << 20):
            digest.update(piece)
        connection.sendall(digest.hexdigest().encode())


def listen(address, port):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.create_server((address, port), family=family) as listener:
        listener.settimeout(30)
        serve(listener)


def tcp_digest(here, there, address, seed):
    server = there.fork(lambda: listen(address, 5000 + seed))
    time.sleep(0.3)
    digest = here.call(send_all, address, 5000 + seed, seed)
    server.join(30)
    expect(digest == hashlib.sha256(data(seed)).hexdigest(), "other bytes arrived than were sent")


def tcp(netd, ends):
    """Bytes arrive as they were sent, in packets that nobody cut."""
    seed = 0
    for here, there in (ends, ends[::-1]):
        for address in (there.ipv4, there.ipv6):
            before = netd.statistics()[ends.index(here)]["to_switch"]
            tcp_digest(here, there, address, seed)
            after = netd.statistics()[ends.index(here)]["to_switch"]
            seed += 1
            frames = after["frames"] - before["frames"]
            longs = after["segmentation_offloads"] - before["segmentation_offloads"]
            expect(longs > 0 and frames < TCP_BYTES / 4000, f"{frames} frames, {longs} of them long")
    check_carried(netd, ends)


def iperf(here, there, *options):
    server = there.execute("iperf3", "--server", "--one-off", "--daemon")
    expect(server.returncode == 0, server.stderr)
    time.sleep(0.5)
    done = here.execute("iperf3", "--json", "--client", there.ipv4, "--time", IPERF_SECONDS, *options,
                        check=False)
    record = json.loads(done.stdout)
    expect("error" not in record, record.get("error", ""))
    return record["end"]


def iperf_tcp(netd, ends):
    for options in ([], ["--reverse"]):
        end = iperf(*ends, *options)
        rate = end["sum_received"]["bits_per_second"] / 1e9
        print(f"iperf3 TCP {' '.join(options)}: {rate:.2f} Gb/s (native, gate=local, shared CPUs)")
        expect(end["sum_received"]["bytes"] > 0, "nothing received")
    check_carried(netd, ends)


def iperf_udp(netd, ends):
    for options in ([], ["--reverse"]):
        total = iperf(*ends, "--udp", "--bitrate", "100M", *options)["sum"]
        expect(total["packets"] > 1000, f"{total['packets']} datagrams in {IPERF_SECONDS} s")
    check_carried(netd, ends)


def clean_end(netd, ends):
    """SIGTERM: last statistics, status 0, no interface."""
    expect(netd.end() == 0, f"status {netd.process.returncode}: {netd.said()}")
    expect(netd.read_statistics()[0]["to_switch"]["frames"] > 0, "no frames in the last statistics")
    for end in ends:
        expect(end.tap not in end.ip("link").stdout, f"{end.tap} is still there")


def check(name, function, *arguments):
    try:
        function(*arguments)
    except (Failure, OSError, ValueError) as failure:
        reason = re.sub(r"\s+", " ", f"{type(failure).__name__}: {failure}")
        print(f"FAIL netd.{name} {reason[:600]}", flush=True)
        return 1
    print(f"ok netd.{name}", flush=True)
    return 0


def main():
    failed = 0
    with two_ends() as ends:
        with joined(ends) as netd:
            netd.before = netd.statistics()
            for function in (ping, tcp, iperf_tcp, iperf_udp, clean_end):
                failed += check(function.__name__, function, netd, ends)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
