# SPDX-License-Identifier: BSD-3-Clause
"""This machine itself, where it has VT-x with VMFUNC: the same job, without an emulator.

A NIC for scenarios that want one is lent by the environment: RIG_UPLINK="PCI-ADDRESS INTERFACE", the NIC
and the interface of this machine at the other end of its cable. The interface is moved into the
runner's private network, where nobody else meets it, and comes back by itself when the runner ends.
"""
import os
import pathlib
import queue
import shutil
import subprocess
import threading
import time

from . import job, outside, process

NAME = "hardware"
HUGE = "/dev/hugepages"
NEWER_CPU = ("smap", "la57")                # of /proc/cpuinfo
NEWER_KVM = ("enable_apicv", "pml")         # parameters of kvm_intel that say Y


def missing(wanted, _build):
    """Why this scenario cannot run; None if it can."""
    if wanted.nic and len(os.environ.get("RIG_UPLINK", "").split()) != 2:
        return 'no NIC to use: set RIG_UPLINK="PCI-ADDRESS INTERFACE", see docs/emulated-host.md'
    return newer_cpu_missing() if wanted.newer_cpu() else None


def newer_cpu_missing():
    flags = pathlib.Path("/proc/cpuinfo").read_text().split()
    parameters = pathlib.Path("/sys/module/kvm_intel/parameters")
    lacking = [flag for flag in NEWER_CPU if flag not in flags]
    lacking += [name for name in NEWER_KVM if (parameters / name).read_text().strip() != "Y"]
    return f"this CPU or its kvm_intel has no {', '.join(lacking)}" if lacking else None


def take_interface(interface):
    """From the network of process 1 into a private one."""
    process.private_network()
    subprocess.run(["nsenter", "-t", "1", "-n", "ip", "link", "set", interface, "netns", str(os.getpid())],
                   check=True)
    outside.set_up(interface)


class Machine:
    name = NAME

    def __init__(self, rig, build, scenarios, run_name, shell=None):
        if shell:
            raise SystemExit("this machine is the host: use its own shell")
        self.folder, self.lock = job.claim(build / "run", run_name)
        image = build / "image"
        nic, self.far_interface = "", None
        if scenarios[0].nic:
            nic, self.far_interface = os.environ["RIG_UPLINK"].split()
            take_interface(self.far_interface)
        self.tools = image / "tools"
        job.write(self.folder / "job", rig, scenarios, {
            "OUTPUT": self.folder / "output", "KERNEL": image / "vmlinux",
            "INITRDS": image, "PAYLOAD": build / "payload" / "host", "HUGE": HUGE,
            "PLATFORM": NAME, "CPUS": min(2, os.cpu_count()), "STOCK": 1, "HUGEPAGES": 0, "SHELL": 0,
            "NIC": nic})
        self.lines = queue.Queue()
        self.process = None

    def start(self):
        (self.folder / "output").mkdir()
        self.process = process.start(
            ["busybox", "sh", str(self.folder / "job" / "job.sh")], text=True,
            env=dict(os.environ, RIG_JOB=str(self.folder / "job"),
                     PATH=f"{self.tools}:{os.environ['PATH']}"),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.lines.put(("com1", line.rstrip("\n")))

    def next_line(self, timeout):
        try:
            return self.lines.get(timeout=timeout)
        except queue.Empty:
            return None

    def running(self):
        return self.process.poll() is None

    def clock(self):
        """Seconds for limits."""
        return time.monotonic()

    def answer(self, path, text):
        """A file on the host, there at once as a whole: the answer to a request of a scenario."""
        new = pathlib.Path(path + ".new")
        new.write_text(text)
        new.rename(path)

    def state(self):
        return subprocess.run("dmesg | tail -n 30; ps -ef | grep [q]emu-system", shell=True,
                              capture_output=True, text=True).stdout.splitlines()

    def stop(self):
        process.end(self.process)

    def collect(self, target):
        dmesg = subprocess.run(["dmesg"], capture_output=True, text=True).stdout
        begin = dmesg.rfind("rig: job begins")
        (self.folder / "output" / "dmesg").write_text(dmesg[max(begin, 0):])
        shutil.copytree(self.folder / "output", target, dirs_exist_ok=True)
        return True

    def figures(self):
        return {}
