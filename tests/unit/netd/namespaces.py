# SPDX-License-Identifier: BSD-3-Clause
"""Two network namespaces and one elisa-netd that joins them over a switch in its own process.

    namespace A: tap  <->  port a  |gate=local switch|  port b  <->  tap :namespace B

elisa-netd runs in A, so that B's interface is moved there from A. Needs root.
"""
import contextlib
import ctypes
import json
import multiprocessing
import os
import pathlib
import queue
import re
import signal
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent.parent
NETD = ROOT / "build" / "meson" / "guest-pmd" / "netd" / "elisa-netd"
START_SECONDS = 60
RESULT_SECONDS = 60
CLONE_NEWNET = 0x40000000


class Failure(Exception):
    """A sentence on what was seen."""


def expect(true, sentence):
    if not true:
        raise Failure(sentence)


def eventually(condition, sentence, seconds=20):
    """elisa-netd looks at settings once a second, and this machine may be busy."""
    deadline = time.monotonic() + seconds
    while not condition():
        expect(time.monotonic() < deadline, sentence)
        time.sleep(0.1)


def run(*command, check=True):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          timeout=120, check=False)
    if check and done.returncode:
        raise Failure(f"{' '.join(map(str, command))}: {done.stderr.strip() or done.stdout.strip()}")
    return done


class Namespace:
    """One end: interface `tap`, addresses 10.9.0.HOST and fd09::HOST."""

    def __init__(self, letter, host):
        self.name = f"elisa-netd-{os.getpid()}-{letter}"
        self.tap = f"tap{letter}{os.getpid()}"
        self.host = host
        self.ipv4, self.ipv6 = f"10.9.0.{host}", f"fd09::{host}"
        run("ip", "netns", "add", self.name)
        self.ip("link", "set", "lo", "up")

    def ip(self, *words):
        return run("ip", "-n", self.name, *words)

    def execute(self, *command, **options):
        return run("ip", "netns", "exec", self.name, *command, **options)

    def take_interface(self, other):
        """From the other namespace if it is not here: moving sets it down."""
        if other is not self:
            other.ip("link", "set", self.tap, "netns", self.name)
            self.ip("link", "set", self.tap, "up")
        self.ip("addr", "add", f"{self.ipv4}/24", "dev", self.tap)
        self.ip("addr", "add", f"{self.ipv6}/64", "dev", self.tap, "nodad")

    def call(self, function, *arguments):
        """The function's result, from a process in this namespace."""
        def ready_at_once(ready):
            ready.put(True)
            return function(*arguments)
        with self.background(ready_at_once) as result:
            return result()

    @contextlib.contextmanager
    def program(self, *command):
        """It runs beside what is done meanwhile, and is gone afterwards."""
        with subprocess.Popen(["ip", "netns", "exec", self.name, *command], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as child:
            try:
                yield
            finally:
                child.kill()

    @contextlib.contextmanager
    def background(self, function, *arguments, **settings):
        """function(*arguments, ready) in a process in this namespace; yields what waits for its result.

        It says ready.put(True) when the other end may begin.
        """
        context = multiprocessing.get_context("fork")
        ready, results = context.Queue(), context.Queue()

        def answer():
            try:
                results.put((True, function(*arguments, ready, **settings)))
            except (OSError, ValueError) as error:
                results.put((False, f"{function.__name__}: {error}"))

        def result():
            good, value = results.get(timeout=RESULT_SECONDS)
            expect(good, value)
            return value

        child = self.fork(answer)
        try:
            ready.get(timeout=10)
            yield result
        except queue.Empty as error:
            raise Failure(f"{function.__name__}: no answer") from error
        finally:
            child.kill()
            child.join()

    def fork(self, function):
        def inside():
            with open(f"/run/netns/{self.name}", "rb") as file:
                if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), CLONE_NEWNET):
                    raise OSError(ctypes.get_errno(), "setns")
            function()
        child = multiprocessing.get_context("fork").Process(target=inside, daemon=True)
        child.start()
        return child

    def checksum_errors(self):
        """Of all protocols together."""
        text = self.execute("cat", "/proc/net/snmp", "/proc/net/snmp6").stdout
        lines, total = text.splitlines(), 0
        for names, values in zip(lines, lines[1:]):
            if names.split(":")[0] == values.split(":")[0] and "InCsumErrors" in names:
                total += dict(zip(names.split(), values.split()))["InCsumErrors"] != "0"
        return total + sum(int(n) for n in re.findall(r"InCsumErrors\s+(\d+)", text))

    def close(self):
        run("ip", "netns", "del", self.name, check=False)


class Netd:
    """The program between two namespaces."""

    def __init__(self, ends, mtu=9216, queues=1):
        """Without an MTU of ours, it is the port's largest."""
        command = ["ip", "netns", "exec", ends[0].name, str(NETD), "--no-huge", "--queues", str(queues)]
        if mtu != 9216:
            command += ["--mtu", str(mtu)]
        self.mtu, self.queues = mtu, queues
        for end in ends:
            command += ["--port", f"gate=local,switch=s,port={end.tap}", "--interface", end.tap]
        self.ends = ends
        self.errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.errors, text=True)
        try:
            self.before = self.join()
        except BaseException:
            self.close()
            raise

    def join(self):
        """The statistics before there is anything to carry."""
        self.wait_until_ready()
        for end in self.ends:
            end.take_interface(self.ends[0])
        return self.settled_statistics()

    def said(self):
        self.errors.seek(0)
        return self.errors.read()

    def wait_until_ready(self):
        deadline = time.monotonic() + START_SECONDS
        while f"{self.ends[-1].tap}: " not in self.said():
            expect(self.process.poll() is None, f"elisa-netd ended: {self.said()}")
            expect(time.monotonic() < deadline, f"elisa-netd is not ready: {self.said()}")
            time.sleep(0.05)

    def statistics(self):
        """By end."""
        self.process.send_signal(signal.SIGUSR1)
        return self.read_statistics()

    def settled_statistics(self):
        """Twice the same: nothing is under way."""
        last = None
        for _ in range(50):
            now = self.statistics()
            if last and all(a[way] == b[way] for a, b in zip(last, now) for way in ("to_switch", "to_kernel")):
                return now
            last = now
            time.sleep(0.1)
        raise Failure("frames go on and on")

    def read_statistics(self):
        record = json.loads(self.process.stdout.readline())
        return [record[end.tap] for end in self.ends]

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        status = self.process.wait(START_SECONDS)
        return status

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.errors.close()


@contextlib.contextmanager
def two_ends():
    ends = []
    try:
        for host, letter in enumerate("ab", 1):
            ends.append(Namespace(letter, host))
        yield ends
    finally:
        for end in ends:
            end.close()


@contextlib.contextmanager
def joined(ends, **settings):
    netd = Netd(ends, **settings)
    try:
        yield netd
    finally:
        netd.close()
