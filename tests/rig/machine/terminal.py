# SPDX-License-Identifier: BSD-3-Clause
"""A person's terminal on the emulated host's shell (com2)."""
import os
import select
import shutil
import sys
import termios
import tty


def interact(module, rig, build):
    """Boot without a scenario, connect the terminal; ends when the shell there is left."""
    if not sys.stdin.isatty():
        raise SystemExit("./run shell needs a terminal")
    machine = module.Machine(rig, build, [], "shell", shell=shutil.get_terminal_size())
    machine.console = lambda data: os.write(sys.stdout.fileno(), data)
    print("The emulated host boots (about 15 s). Leave with `exit`; Ctrl-] kills it.", flush=True)
    saved = termios.tcgetattr(sys.stdin)
    machine.start()
    try:
        tty.setraw(sys.stdin)
        while machine.running():
            if select.select([sys.stdin], [], [], 0.2)[0]:
                data = os.read(sys.stdin.fileno(), 1024)
                if b"\x1d" in data:
                    break
                machine.type(data)
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, saved)
        machine.stop()
    print()
    return 0
