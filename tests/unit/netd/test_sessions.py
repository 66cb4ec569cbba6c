#!/usr/bin/python3 -B
# SPDX-License-Identifier: BSD-3-Clause
"""namespaces.py, sockets.py: an elisa-netd that fails at its start is not left running, and is reported.

Instead of `ip` there is a script in its place, so that nothing is needed of the machine.
"""
import contextlib
import io
import os
import pathlib
import subprocess
import tempfile
import types
import unittest
from unittest import mock

import namespaces
import sockets

NOT_READY = "exec sleep 60\n"
READY = f"echo tapb: ready >&2\n{NOT_READY}"


def end(letter, take_interface):
    return types.SimpleNamespace(name=letter, tap=f"tap{letter}", take_interface=take_interface)


def refuse(_):
    raise namespaces.Failure("no interface")


class Sessions(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.ip = pathlib.Path(folder.name) / "ip"
        path = mock.patch.dict(os.environ, {"PATH": f"{folder.name}:{os.environ['PATH']}"})
        path.start()
        self.addCleanup(path.stop)
        self.started = []
        popen = mock.patch.object(subprocess, "Popen", self.start(subprocess.Popen))
        popen.start()
        self.addCleanup(popen.stop)

    def start(self, popen):
        def remember(*arguments, **options):
            self.started.append(popen(*arguments, **options))
            self.addCleanup(self.started[-1].kill)
            return self.started[-1]
        return remember

    def session(self, script, take_interface):
        """What is printed about one that has nothing to check."""
        self.ip.write_text(f"#!/bin/sh\n{script}", encoding="utf-8")
        self.ip.chmod(0o755)
        said = io.StringIO()
        ends = [end(letter, take_interface) for letter in "ab"]
        with contextlib.redirect_stdout(said):
            self.assertEqual(sockets.run_session("session", ends, []), 1)
        self.assertEqual(len(self.started), 1)
        self.assertIsNotNone(self.started[0].returncode, "it was left running")
        return said.getvalue()

    def test_does_not_become_ready(self):
        with mock.patch.object(namespaces, "START_SECONDS", 0.2):
            self.assertRegex(self.session(NOT_READY, None), "^FAIL netd.session .*not ready")

    def test_interface_is_not_taken(self):
        self.assertRegex(self.session(READY, refuse), "^FAIL netd.session .*no interface")

    def test_ends_without_statistics(self):
        """As a program does that does not know SIGUSR1."""
        self.assertRegex(self.session(READY, lambda _: None), "^FAIL netd.session JSONDecodeError")


if __name__ == "__main__":
    unittest.main()
