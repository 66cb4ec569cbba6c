# SPDX-License-Identifier: BSD-3-Clause
"""The real servers of the tests in this folder, on loopback, and how such tests are run."""
import pathlib
import shutil
import socket
import subprocess
import time
import traceback

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent.parent


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return str(probe.getsockname()[1])


class Server:
    """Started by `with`, on the port `port`."""

    command = ()

    def __enter__(self):
        self.port = free_port()
        self.process = subprocess.Popen([*self.command, "-p", self.port], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        # Not by connecting: iperf3 serves one client, and that would be it.
        listening = f"0100007F:{int(self.port):04X} 00000000:0000 0A"
        for _ in range(200):
            if listening in pathlib.Path("/proc/net/tcp").read_text():
                return self
            time.sleep(0.05)
        self.__exit__()
        raise AssertionError(f"{self.command[0]} does not listen")

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


class Iperf(Server):
    command = ("iperf3", "-s", "-B", "127.0.0.1")


class Memcached(Server):
    command = (shutil.which("memcached", path=f"{ROOT}/build/unpacked/usr/bin") or "memcached",
               "-u", "root", "-l", "127.0.0.1", "-U", "0", "-m", "64")

    def say(self, request):
        with socket.create_connection(("127.0.0.1", int(self.port))) as connection:
            connection.sendall(request)
            return connection.recv(65536)


def run_tests(names):
    """Runs the functions test_... of a module's names; the exit status."""
    failed = 0
    for name, test in list(names.items()):
        if not name.startswith("test_"):
            continue
        try:
            test()
            print(f"[       OK ] {name}", flush=True)
        except Exception:    # pylint: disable=broad-except
            traceback.print_exc()
            print(f"[  FAILED  ] {name}", flush=True)
            failed += 1
    return 1 if failed else 0
