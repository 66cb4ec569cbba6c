# SPDX-License-Identifier: BSD-3-Clause
"""Runs Debian's own dpdk-testpmd with librte_net_elisa.so, for the scripts beside this file."""
import os
import re
import shutil
import subprocess
import tempfile
import time

SMALL_PAGES = ["--no-huge", "-m", "160"]
HUGEPAGES = ["--in-memory"]


def run(driver, eal, options, steps):
    """Types the steps' lines, sleeps for their numbers (seconds); returns what testpmd printed.

    DPDK loads no driver from a folder below one that everybody may write to, such as /tmp.
    """
    with tempfile.TemporaryDirectory(dir="/run") as folder:
        command = ["dpdk-testpmd", "--no-pci", "--no-telemetry", f"--file-prefix=elisa-testpmd-{os.getpid()}",
                   "-d", shutil.copy(driver, folder), *eal, "--", "-i", "--no-mlockall", *options]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True)
        try:
            for step in steps:
                if isinstance(step, str):
                    process.stdin.write(step + "\n")
                    process.stdin.flush()
                else:
                    time.sleep(step)
            output, _ = process.communicate("quit\n", timeout=30)
        finally:
            process.kill()
    if process.returncode != 0:
        raise RuntimeError(f"dpdk-testpmd ended with {process.returncode}:\n{output}")
    return output


def port_statistics(output):
    """{port: {name: value}} of the last 'show port stats all'; rates are since the one before."""
    ports = {}
    for block in re.split(r"#+ NIC statistics for port ", output)[1:]:
        number = int(block.split()[0])
        ports[number] = {name: int(value) for name, value
                         in re.findall(r"([RT][Xx]-[a-z]+): +(\d+)", re.split("#{9,}", block)[1])}
    return ports
