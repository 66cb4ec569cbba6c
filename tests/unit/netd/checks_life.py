# SPDX-License-Identifier: BSD-3-Clause
"""Checks of elisa-netd's life: settings that change, ends of all kinds, refusals."""
import re
import signal
import subprocess

from namespaces import NETD, ROOT, Namespace, eventually, expect, joined


def is_reached(here, there, size=56):
    return here.execute("ping", "-c", 2, "-i", 0.1, "-W", 1, "-M", "do", "-s", size, there.ipv4,
                        check=False).returncode == 0


def interface_mtu(end):
    return int(end.ip("-o", "link", "show", end.tap).stdout.split("mtu ")[1].split()[0])


def mtu_followed(netd, ends):
    """The port has the interface's MTU; what the port does not take, the interface does not get."""
    a, b = ends
    usual = interface_mtu(a)
    expect(is_reached(b, a, 1400), "1400 bytes do not arrive")
    a.ip("link", "set", a.tap, "mtu", "1000")
    eventually(lambda: not is_reached(b, a, 1400), "1400 bytes arrive at a port of MTU 1000")
    a.ip("link", "set", a.tap, "mtu", "12000")
    eventually(lambda: interface_mtu(a) == 1000, f"MTU {interface_mtu(a)}")
    expect("set back to 1000" in netd.said(), f"it said {netd.said()}")
    a.ip("link", "set", a.tap, "mtu", str(usual))
    eventually(lambda: is_reached(b, a, 1400), "1400 bytes do not arrive any more")


def interface_down(netd, ends):
    """What arrives for an interface that is down is dropped, and counted as that."""
    a, b = ends
    a.ip("neigh", "replace", b.ipv4, "dev", a.tap, "lladdr",
         b.ip("-o", "link", "show", b.tap).stdout.split("link/ether ")[1][:17])
    b.ip("link", "set", b.tap, "down")
    before = netd.statistics()[1]["to_kernel"]["drops"]["interface_down"]
    expect(not is_reached(a, b), "it answers")
    after = netd.statistics()[1]["to_kernel"]["drops"]["interface_down"]
    expect(after - before >= 2, f"{after - before} drops of interface_down")
    b.ip("link", "set", b.tap, "up")
    expect(is_reached(a, b), "it does not answer after it came up")


def has_interfaces(ends):
    return [end.tap for end in ends if end.tap in end.ip("link").stdout]


def clean_end(netd, ends):
    """SIGTERM: last statistics, status 0, no interface."""
    expect(netd.end() == 0, f"status {netd.process.returncode}: {netd.said()}")
    expect(netd.read_statistics()[0]["to_switch"]["frames"] > 0, "no frames in the last statistics")
    eventually(lambda: not has_interfaces(ends), f"{has_interfaces(ends)} are still there")


def killed(ends):
    """SIGKILL takes the interfaces away; it starts again as if nothing had been."""
    with joined(ends) as netd:
        expect(netd.end(signal.SIGKILL) == -signal.SIGKILL, f"status {netd.process.returncode}")
        eventually(lambda: not has_interfaces(ends), f"{has_interfaces(ends)} are still there")
    with joined(ends):
        expect(is_reached(*ends), "no answer after it was started again")


def removed(ends):
    a = ends[0]
    a.ip("link", "del", a.tap)


def namespace_removed(ends):
    """Of an interface that was moved to it."""
    b, other = ends[1], Namespace("c", 3)
    try:
        b.ip("link", "set", b.tap, "netns", other.name)
    finally:
        other.close()


def interface_gone(ends):
    """Status 1 when it is taken away, and a sentence with its name."""
    for end, take_away in zip(ends, (removed, namespace_removed)):
        with joined(ends) as netd:
            take_away(ends)
            eventually(lambda: netd.process.poll() is not None, f"{take_away.__name__}: it runs on")
            expect(netd.process.returncode == 1, f"status {netd.process.returncode}: {netd.said()}")
            expect(f"error: {end.tap} was removed" in netd.said(), netd.said())


NO_HUGEPAGES = ["unshare", "-m", "sh", "-c", 'mount -t tmpfs none /sys/kernel/mm && exec "$@"', "sh"]
LOCAL = ["--no-huge", "--port", "gate=local,switch=s,port=a"]
# What it is given, what the machine is made to lack, status, what the last line has.
REFUSALS = {
    "name_taken": ([*LOCAL, "--interface", "lo"], [], 1, "give another name with --interface"),
    "port_busy": ([*LOCAL, "--port", "gate=local,switch=s,port=a"], [], 1, "in use by another"),
    "bad_device": (["--no-huge", "--port", "gate=nonsense"], [], 1, "vmfunc, vmcall or local"),
    "no_tun": (LOCAL, ["unshare", "-m", "sh", "-c", 'mount -t tmpfs none /dev/net && exec "$@"', "sh"], 1,
               "modprobe tun"),
    "no_rights": (LOCAL, ["setpriv", "--bounding-set=-net_admin"], 1, "CAP_NET_ADMIN"),
    "no_hugepages": (LOCAL[1:], NO_HUGEPAGES, 1, "nr_hugepages"),
    "too_many_queues": (["--queues", "9"], [], 2, "1 to 8"),
    "too_large_mtu": (["--mtu", "9217"], [], 2, "68 to 9216"),
}


def refusal(end, options, without, status, text):
    """One sentence says why, and what to do; nothing stays."""
    done = end.execute("timeout", "30", *without, NETD, *options, check=False)
    expect(done.returncode == status, f"status {done.returncode}: {done.stderr}")
    expect(text in done.stderr, done.stderr)
    links = subprocess.run(["ip", "-n", end.name, "-o", "link"], capture_output=True, text=True, check=True)
    expect(len(links.stdout.splitlines()) == 1, links.stdout)


def numbers(pattern, text):
    found = re.search(pattern, text)
    expect(found, f"{pattern} is not in: {text[-400:]}")
    return [int(number) for number in found.groups()]


def hugepages(end):
    """It asks for as many as its manual page says."""
    manual = (ROOT / "docs" / "man" / "elisa-netd.8").read_text(encoding="utf-8")
    first, *more = numbers(r"(\d+) for one queue, (\d+) or (\d+) more for each", manual)
    asked = []
    for queues in range(1, 9):
        said = end.execute(*NO_HUGEPAGES, NETD, "--queues", queues, *LOCAL[1:], check=False).stderr
        asked += numbers(r"needs (\d+) hugepages", said)
    expect(asked[0] == first and {b - a for a, b in zip(asked, asked[1:])} == set(more), f"it asks for {asked}")


CHECKS = (mtu_followed, interface_down, clean_end)
