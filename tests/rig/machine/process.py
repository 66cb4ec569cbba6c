# SPDX-License-Identifier: BSD-3-Clause
"""Children that die with the runner, and a private network for them."""
import ctypes
import os
import signal
import subprocess

PR_SET_PDEATHSIG = 1
CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent():
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def private_network():
    """Enter a network namespace that has its own loopback only: the emulator's VNC port and the
    serial lines' sockets are then seen by nobody else, and two runs cannot meet."""
    if libc.unshare(CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), "unshare")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def start(command, **options):
    """Popen in a process group of its own; killed when the runner dies, however it dies."""
    return subprocess.Popen(command, stdin=options.pop("stdin", subprocess.DEVNULL),
                            preexec_fn=die_with_parent, start_new_session=True, **options)


def ask_to_end(process):
    """Its group, so that no child of it is left; who is in a session of its own is its parent's business."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)


def end(process):
    """Kill the whole group and reap."""
    if process.poll() is None:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    process.wait()
