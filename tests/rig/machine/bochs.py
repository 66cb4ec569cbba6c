# SPDX-License-Identifier: BSD-3-Clause
"""The emulated host: Bochs as an Intel CPU with VT-x, EPT and VMFUNC.

The emulator is the one that make/emulator.sh built; where it could not, and for two CPUs, Debian's binary.

com1 brings the host's console, com2 is a shell; both are sockets on a private loopback. The job goes
in as a tar at the start of the second disk, the results come back as a tar at 16 MiB of it. A NIC,
where a scenario wants one, is an e1000 whose cable ends in a tap device of the private network.
"""
import base64
import io
import os
import pathlib
import queue
import re
import resource
import socket
import tarfile
import threading
import time

from . import job, outside, process, scenario

NAME = "emulated (Bochs)"
CYLINDER = 516096
JOB_CYLINDERS = 128
RESULT_OFFSET = 16 << 20
CONFIG = """\
display_library: rfb, options="timeout=0"
memory: guest=2048, host=2048
cpu: model={model}, {cpu}, reset_on_triple_fault=0, ignore_bad_msrs=1
romimage: file=/usr/share/bochs/BIOS-bochs-latest, options=fastboot
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=disk, path="{folder}/host.iso", mode=flat, cylinders={cylinders}, heads=16, spt=63
ata1: enabled=1, ioaddr1=0x170, ioaddr2=0x370, irq=15
ata1-master: type=disk, path="{folder}/job.img", mode=flat, cylinders={job_cylinders}, heads=16, spt=63
boot: disk
com1: enabled=1, mode=socket-client, dev=127.0.0.1:{com1}
com2: enabled=1, mode=socket-client, dev=127.0.0.1:{com2}
log: "{folder}/bochs.log"
panic: action=fatal
error: action=ignore
info: action=ignore
debug: action=ignore
clock: sync=none, time0=1700000000
plugin_ctrl: speaker=0
"""
NIC_CONFIG = """\
pci: enabled=1, chipset=i440fx, slot1=e1000
e1000: card=0, enabled=1, mac={mac}, ethmod=tuntap, ethdev=/dev/net/tun:{interface}
"""
NIC_ADDRESS = "0000:00:02.0"
NIC_MAC = "52:e1:15:a0:ee:00"
FAR_INTERFACE = "tap0"
SLOWEST = 4             # on a busy machine the emulator has a CPU for that part of the time, at least
# Two CPUs share one thread of the emulator: half the instructions a second for each.
CPU = {1: "count=1, ips=200000000", 2: "count=2, ips=100000000, quantum=32"}
SETTINGS = {"OUTPUT": "/tmp/output", "KERNEL": "/boot/vmlinux", "INITRDS": "/boot",
            "PAYLOAD": "/opt/elisa", "HUGE": "/huge"}


def built(build):
    return build / "emulator" / "bochs"


def missing(wanted, build):
    """Why this scenario cannot run; None if it can."""
    if wanted.nic and not os.path.exists("/dev/net/tun"):
        return "no /dev/net/tun: modprobe tun"
    if wanted.newer_cpu() and not built(build).exists():
        return f"Debian's emulator has no {wanted.model}, and why none was built is in build/logs/emulator.log"
    return None


class Machine:
    name = NAME

    def __init__(self, rig, build, scenarios, run_name, shell=None):
        self.folder, self.lock = job.claim(build / "run", run_name)
        first = scenarios[0] if scenarios else None
        self.far_interface = FAR_INTERFACE if first and first.nic else None
        self.cpus = first.cpus if first else 1
        self.built = built(build) if built(build).exists() and self.cpus == 1 else None
        self.model = first.model if first and self.built else scenario.OLDEST_MODEL
        stock = bool(first and first.stock)
        self.iso = build / "image" / ("host-stock.iso" if stock else "host.iso")
        settings = dict(SETTINGS, PLATFORM=NAME, CPUS=self.cpus, STOCK=int(stock),
                        HUGEPAGES=first.hugepages if first else 352, SHELL=0,
                        NIC=NIC_ADDRESS if self.far_interface else "")
        if shell:
            settings.update(SHELL=1, ROWS=shell.lines, COLUMNS=shell.columns)
        job.write(self.folder / "job", rig, scenarios, settings)
        self.lines = queue.Queue()
        self.connected = {"com1": threading.Event(), "com2": threading.Event()}
        self.sockets = {}
        self.process = None

    def start(self):
        self.write_disk()
        ports = {}
        for line in ("com1", "com2"):
            server = socket.create_server(("127.0.0.1", 0))
            ports[line] = server.getsockname()[1]
            threading.Thread(target=self.serve, args=(line, server), daemon=True).start()
        # The emulator locks a disk by a file beside it; this name is the run's own.
        (self.folder / "host.iso").symlink_to(self.iso)
        config = CONFIG.format(model=self.model, cpu=CPU[self.cpus], folder=self.folder,
                               cylinders=self.iso.stat().st_size // CYLINDER,
                               job_cylinders=JOB_CYLINDERS, **ports)
        if self.far_interface:
            outside.make_tap(self.far_interface)
            config += NIC_CONFIG.format(mac=NIC_MAC, interface=self.far_interface)
        (self.folder / "bochsrc").write_text(config)
        self.began = time.monotonic()
        with open(self.folder / "bochs.out", "wb") as out:
            self.process = process.start(
                self.emulator() + ["-q", "-unlock", "-f", self.folder / "bochsrc"], stdout=out, stderr=out)

    def emulator(self):
        if self.built:
            return [self.built]
        # Debian's has the debugger, which waits to be told to begin.
        (self.folder / "commands").write_text("continue\n")
        return ["bochs", "-rc", self.folder / "commands"]

    def write_disk(self):
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            archive.add(self.folder / "job", "job")
        if packed.tell() > RESULT_OFFSET:
            raise SystemExit("the job is larger than its place on the job disk")
        with open(self.folder / "job.img", "wb") as disk:
            disk.write(packed.getvalue())
            disk.truncate(JOB_CYLINDERS * CYLINDER)

    def serve(self, line, server):
        connection, _ = server.accept()
        self.sockets[line] = connection
        self.connected[line].set()
        rest = b""
        with open(self.folder / f"{line}.log", "w") as log:
            began = time.monotonic()
            while True:
                try:
                    data = connection.recv(65536)
                except OSError:
                    break
                if not data:
                    break
                if line == "com2" and self.console:
                    self.console(data)
                    continue
                *whole, rest = (rest + data).split(b"\n")
                for text in whole:
                    text = text.decode("latin1").rstrip("\r")
                    log.write(f"{time.monotonic() - began:8.2f} {text}\n")
                    log.flush()
                    self.lines.put((line, text))
            if rest:
                log.write(rest.decode("latin1") + "\n")
                self.lines.put((line, rest.decode("latin1")))

    console = None

    def next_line(self, timeout):
        """("com1" or "com2", text), or None: nothing came in that time."""
        try:
            return self.lines.get(timeout=timeout)
        except queue.Empty:
            return None

    def running(self):
        return self.process.poll() is None

    def clock(self):
        """Seconds for limits: the emulator's CPU time, so that no other work on this machine fails a test;
        and a part of the wall clock, for an emulator that does nothing."""
        wall = (time.monotonic() - self.began) / SLOWEST
        try:
            status = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text()
        except OSError:
            return wall
        ticks = sum(int(field) for field in status.rpartition(")")[2].split()[11:13])
        return max(ticks / os.sysconf("SC_CLK_TCK"), wall)

    def type(self, data):
        """To the shell on com2."""
        if self.connected["com2"].wait(5):
            self.sockets["com2"].sendall(data)

    def answer(self, path, text):
        """A file on the host, there at once as a whole: the answer to a request of a scenario."""
        packed = base64.b64encode(text.encode()).decode()
        self.type(f"echo {packed} | base64 -d > {path}.new; mv {path}.new {path}\n".encode())

    def state(self):
        """Lines about a machine that hangs, if its shell still answers."""
        self.type(b"/boot/state; /boot/save\n")
        lines, until = [], time.monotonic() + 45
        while time.monotonic() < until and self.running():
            line, text = self.next_line(1) or ("", "")
            if line == "com2" and text == "RIG saved":
                return lines
            if line == "com2":
                lines.append(text)
        return lines + ["(the emulated host's shell does not answer)"]

    def stop(self):
        process.end(self.process)
        if self.far_interface:
            outside.remove_tap(self.far_interface)
        for lock in self.folder.glob("*.lock"):
            lock.unlink()

    def collect(self, target):
        """Unpack the results; False when there are none."""
        with open(self.folder / "job.img", "rb") as disk:
            disk.seek(RESULT_OFFSET)
            try:
                with tarfile.open(fileobj=disk, mode="r|") as archive:
                    for member in archive:
                        plain = member.isfile() or member.isdir()
                        if plain and ".." not in member.name and not member.name.startswith("/"):
                            archive.extract(member, target)
            except tarfile.TarError:
                return False
        return True

    def figures(self):
        text = (self.folder / "bochs.log").read_text(errors="replace")
        ticks = re.findall(r"^(\d+)\S* .*Shutdown port: shutdown requested", text, re.M)
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        figures = {"boot_cpu_s": round(used.ru_utime + used.ru_stime, 1)}
        if ticks:
            figures["emulated_instructions"] = int(ticks[-1])
        return figures
