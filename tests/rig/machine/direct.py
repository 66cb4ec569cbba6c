# SPDX-License-Identifier: BSD-3-Clause
"""This machine itself, where it has VT-x with VMFUNC: the same job, without an emulator."""
import os
import queue
import shutil
import subprocess
import threading

from . import job, process

NAME = "hardware"
HUGE = "/dev/hugepages"


class Machine:
    name = NAME

    def __init__(self, rig, build, scenarios, run_name, shell=None):
        if shell:
            raise SystemExit("this machine is the host: use its own shell")
        self.folder, self.lock = job.claim(build / "run", run_name)
        image = build / "image"
        self.tools = image / "tools"
        job.write(self.folder / "job", rig, scenarios, {
            "OUTPUT": self.folder / "output", "KERNEL": image / "vmlinux",
            "INITRD": image / "guest.cpio", "PAYLOAD": build / "payload" / "host", "HUGE": HUGE,
            "PLATFORM": NAME, "CPUS": min(2, os.cpu_count()), "STOCK": 1, "HUGEPAGES": 0, "SHELL": 0})
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
