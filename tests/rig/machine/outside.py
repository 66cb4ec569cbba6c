# SPDX-License-Identifier: BSD-3-Clause
"""The other end of the NIC's cable: an interface of the runner's private network, and the programs
that a scenario has there.

A scenario asks by a line "RIG outside FILE VERB NAME [COMMAND]" (lib.sh: outside); the answer, a line
with the status and then the end of what the program printed, becomes FILE on the host:

    start NAME COMMAND  run COMMAND (a line for sh) in the background; answered at once
    run NAME COMMAND    the same, answered when it has ended
    wait NAME           answered when NAME has ended
    stop NAME           interrupt NAME; answered when it has ended

Everything lands in build/results/SCENARIO/outside/: NAME.out, and far.pcap with every frame that
passed the interface.
"""
import os
import signal
import subprocess
import threading
import time

from . import process

ADDRESS = "198.51.100.1/24"
MAC = "52:e1:15:a0:ee:01"
CAPTURE = "far.pcap"
ANSWER_BYTES = 3000
STATUS_UNKNOWN = 127
CAPTURE_READY_LIMIT = 20    # seconds
# In immediate mode each frame takes that much of tcpdump's buffer, however short it is.
FRAME_BYTES = 2048
CAPTURE_KIB = 128 << 10


def ip(arguments):
    subprocess.run(["ip", *arguments.split()], check=True)


def set_up(interface):
    """Addresses; no IPv6 of its own, so that no frame passes that no scenario asked for."""
    ip(f"link set {interface} address {MAC}")
    ip(f"link set {interface} addrgenmode none")
    ip(f"address add {ADDRESS} dev {interface}")
    ip(f"link set {interface} up")


def make_tap(interface):
    ip(f"tuntap add dev {interface} mode tap")
    set_up(interface)


def remove_tap(interface):
    ip(f"link delete {interface}")


class Outside:
    """What one scenario has outside."""

    def __init__(self, folder, interface, answer):
        """answer(file, text) makes the file on the host."""
        self.folder, self.interface, self.answer = folder, interface, answer
        self.programs = {}

    def start(self):
        """Returns when frames are being captured."""
        self.launch("capture", f"exec tcpdump -i {self.interface} -n -U --immediate-mode -s {FRAME_BYTES} "
                               f"-B {CAPTURE_KIB} -Z root -w {CAPTURE}")
        until = time.monotonic() + CAPTURE_READY_LIMIT
        while "listening on" not in self.output("capture"):
            if time.monotonic() > until or self.programs["capture"].poll() is not None:
                raise SystemExit(f"tcpdump does not start: {self.output('capture')}")
            time.sleep(0.05)

    def launch(self, name, command):
        environment = dict(os.environ, FAR=self.interface)
        with open(self.folder / f"{name}.out", "wb") as out:
            self.programs[name] = process.start(["sh", "-c", command], cwd=self.folder, stdout=out,
                                                stderr=out, env=environment)

    def output(self, name):
        return (self.folder / f"{name}.out").read_text(errors="replace")

    def request(self, line):
        """Children start here, in the main thread: they die with the thread that started them."""
        file, verb, name, command = (line.split(" ", 3) + [""] * 3)[:4]
        if verb in ("start", "run"):
            self.launch(name, command)
        if name not in self.programs or verb not in ("start", "run", "wait", "stop"):
            self.answer(file, f"{STATUS_UNKNOWN}\nno program {name}, or no verb {verb}\n")
            return
        if verb == "start":
            self.answer(file, "0\n")
            return
        if verb == "stop":
            self.interrupt(name)
        threading.Thread(target=self.answer_at_end, args=(file, name), daemon=True).start()

    def interrupt(self, name):
        if self.programs[name].poll() is None:
            os.killpg(self.programs[name].pid, signal.SIGINT)

    def answer_at_end(self, file, name):
        status = self.programs[name].wait()
        status = status if status >= 0 else 128 - status
        self.answer(file, f"{status}\n{self.output(name)[-ANSWER_BYTES:]}")

    def stop(self):
        """tcpdump writes its file to the end when it is interrupted. Returns what went wrong, or None."""
        for name, program in self.programs.items():
            self.interrupt(name)
            try:
                program.wait(5)
            except subprocess.TimeoutExpired:
                pass
            process.end(program)
        if "\n0 packets dropped by kernel" not in self.output("capture"):
            return "tcpdump did not see every frame: " + self.output("capture").replace("\n", ", ")
        return None
