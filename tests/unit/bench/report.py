#!/usr/bin/python3 -B
# SPDX-License-Identifier: BSD-3-Clause
"""The scripts that sum up: report.mjs on known latencies, iperf-tests.sh and summary.py on loopback.

Prints `[       OK ] NAME` or `[  FAILED  ] NAME` for each test, as cmocka does.
"""
import base64
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import zlib

import servers

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent.parent
REPORT = ROOT / "bench" / "memcached" / "report.mjs"
PLOT = ROOT / "bench" / "memcached" / "plot.gp"
IPERF = ROOT / "bench" / "iperf"


def run(*command, status=0, **settings):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=60,
                          check=False, env=dict(os.environ, **settings))
    assert done.returncode == status, f"status {done.returncode}: {done.stdout}{done.stderr}"
    return done.stdout


def measured(folder, latencies, errors=0):
    """A file as elisa-memload writes it."""
    step = {"rate": 1000.0, "sent": 1000, "stored": 100, "hits": 900, "misses": 0, "bytes_out": 1,
            "bytes_in": 2, "lag_us": 0, "measured_s": 1.0, "errors": {"bytes": errors},
            "latencies_us": latencies}
    path = pathlib.Path(folder) / "memload.json"
    path.write_text(json.dumps({"settings": {"duration_s": 1.0}, "fill": dict(step, errors={}),
                                "steps": [step], "errors": errors}))
    return path


def test_percentiles():
    """980 of 1 ms, 15 of 10 ms, 5 of 100 ms: three digits of each value are kept."""
    with tempfile.TemporaryDirectory() as folder:
        path = measured(folder, [[1000, 980], [10000, 15], [100000, 5]])
        run("node", REPORT, "native", folder, f"x={path}")
        step = json.loads((pathlib.Path(folder) / "latency.json").read_text())["steps"][0]
        assert step["latencies"] == 1000 and step["requests_per_s"] == 1000
        for name, wanted in {"p50": 1000, "p99": 10000, "p99_9": 100000, "max": 100000}.items():
            assert wanted <= step[f"{name}_us"] < wanted * 1.001, (name, step)
        assert "[Max     =   100" in (pathlib.Path(folder) / "x-1000.hgrm").read_text()
        # HdrHistogram's compressed form: a cookie, a length, zlib.
        packed = base64.b64decode(step["histogram_us"])
        assert packed[:3] == bytes.fromhex("1c8493") and zlib.decompress(packed[8:])
        run("gnuplot", "-c", PLOT, folder, "title")
        assert "x p99.9" in (pathlib.Path(folder) / "latency.svg").read_text()


def test_emulated_has_no_times():
    with tempfile.TemporaryDirectory() as folder:
        path = measured(folder, [[1000, 5]])
        printed = run("node", REPORT, "emulated", folder, f"x={path}")
        assert "times mean nothing" in printed
        written = json.loads((pathlib.Path(folder) / "latency.json").read_text())
        assert written["kind"] == "emulated" and written["steps"][0]["latencies"] == 5
        assert not [key for key in written["steps"][0] if key.startswith("p") or key.endswith("_s")]
        assert sorted(os.listdir(folder)) == ["latency.json", "memload.json"]


def test_errors_fail():
    with tempfile.TemporaryDirectory() as folder:
        path = measured(folder, [[1000, 5]], errors=1)
        run("node", REPORT, "native", folder, f"x={path}", status=1)
        run("node", REPORT, "sometimes", folder, f"x={path}", status=2)


def test_iperf():
    with tempfile.TemporaryDirectory() as folder:
        with servers.Iperf() as server:
            run(IPERF / "iperf-tests.sh", "127.0.0.1", folder, MEGABYTES="2", WINDOW="64K",
                IPERF_PORT=server.port)
        printed = run(IPERF / "summary.py", "native", f"{folder}/out/all.json", f"lo={folder}")
        rows = {row["test"]: row
                for row in json.loads(pathlib.Path(folder, "out", "all.json").read_text())["tests"]}
        assert sorted(rows) == sorted(run(IPERF / "iperf-tests.sh", "--list").split())
        for name, row in rows.items():
            assert row["errors"] == 0 and row["sent_bytes"] >= 2 << 20, row
            assert row["received_bytes"] >= 1 << 20, row
            assert row["connections"] == (4 if "parallel" in name else 1), row
            assert ("lost_packets" in row) == ("udp" in name), row
            assert name in printed
        run(IPERF / "summary.py", "emulated", f"{folder}/out/all.json", f"lo={folder}")
        assert "mbit" not in pathlib.Path(folder, "out", "all.json").read_text()


def test_iperf_without_a_server():
    with tempfile.TemporaryDirectory() as folder:
        run(IPERF / "iperf-tests.sh", "127.0.0.1", folder, "tcp", IPERF_PORT=servers.free_port(),
            status=1)
        run(IPERF / "summary.py", "native", f"{folder}/out.json", f"lo={folder}", status=1)
        row = json.loads(pathlib.Path(folder, "out.json").read_text())["tests"][0]
        assert row["errors"] == 1 and "refused" in row["error"], row


def write_marks(folder, name, factor):
    """A run that took 1000 instructions and 3 exits to start, and for each 100 bytes from A to B
    500 more, 2 exits, one copy by the host, and 1000 ticks of idle time."""
    marks = {"exits_A": 1 + factor, "exits_B": 2 + factor, "now_ns": 10000 + 15000 * factor,
             "idle_ns": 10000 * factor, "tsc": 1000 + 1500 * factor, "received_A": 0,
             "received_B": 100 * factor, "sent_A": 100 * factor, "sent_B": 0}
    way = name.split("-")[0]
    marks.update({"vhost_waysA": 100 * factor, "vhost_waysB": 100 * factor} if way == "virtio" else
                 {"switch_p0": 0, "switch_p1": 100 * factor})
    for end, lines in (("begin", {key: 7 for key in marks}),
                       ("end", {key: 7 + value for key, value in marks.items()})):
        (folder / f"{name}.{end}").write_text("".join(f"{k} {v}\n" for k, v in lines.items()))


def test_side_by_side():
    with tempfile.TemporaryDirectory() as results:
        results = pathlib.Path(results)
        (results / "x").mkdir()
        for platform in ("emulated (Bochs)", "hardware"):
            (results / "x.json").write_text(json.dumps({"platform": platform}))
            for way in ("virtio", "vmfunc", "vmcall"):
                write_marks(results / "x", f"{way}-tcp-1", 10)
                write_marks(results / "x", f"{way}-tcp-5", 50)
            printed = run(ROOT / "bench" / "side_by_side.py", results, "x")
            ways = json.loads((results / "x-ways.json").read_text())["tests"]["tcp"]
            for way, figures in ways.items():
                assert figures["moved_bytes"] == 4000
                assert figures["exits_per_mb"] == 20000, figures
                assert figures["host_copies"] == (2 if way == "virtio" else 1), figures
                assert figures["netd_copies"] == (0 if way == "virtio" else 2), figures
                # Ticks minus idle ones, 500 for 100 bytes; the start's 1000 are not in it.
                wanted = 5000000 if platform != "hardware" else None
                assert figures["instructions_per_mb"] == wanted, figures
            assert ("5,000,000" in printed) == (platform != "hardware")
        (results / "x" / "vmcall-tcp-5.begin").unlink()
        run(ROOT / "bench" / "side_by_side.py", results, "x", status=1)


if __name__ == "__main__":
    sys.exit(servers.run_tests(globals()))
