#!/usr/bin/python3 -B
# SPDX-License-Identifier: BSD-3-Clause
"""elisa-memload against Debian's memcached, and against servers that stall, lie or go away.

memload.py PROGRAM. Prints `[       OK ] NAME` or `[  FAILED  ] NAME` for each test, as cmocka does.
"""
import json
import subprocess
import sys

import fake_server
import servers

PROGRAM = sys.argv[1] if len(sys.argv) > 1 else sys.exit(__doc__)
QUICK = ["--keys", "100", "--warm-up", "0.1", "--duration", "0.5", "--connections", "3"]


def memload(port, *options, status=0):
    command = [PROGRAM, "--host", "127.0.0.1", "--port", str(port), *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == status, f"status {done.returncode}: {done.stderr}"
    return json.loads(done.stdout)


def percentile(step, share):
    """In milliseconds."""
    count = sum(n for _, n in step["latencies_us"])
    for latency, n in step["latencies_us"]:
        count -= n
        if count <= (1 - share) * sum(n for _, n in step["latencies_us"]):
            return latency / 1000
    raise AssertionError("no latency")


def errors(step):
    return {name: n for name, n in step["errors"].items() if n}


def test_memcached():
    with servers.Memcached() as server:
        result = memload(server.port, *QUICK, "--rate", "500,2000", "--set-percent", "30")
        stats = server.say(b"stats\r\n").decode()
    assert result["errors"] == 0, result
    assert result["fill"]["stored"] == 100
    assert [step["rate"] for step in result["steps"]] == [500, 2000]
    for step in result["steps"]:
        assert step["misses"] == 0 and not errors(step), step
        assert step["stored"] + step["hits"] == step["sent"]
        # Poisson counts in 0.6 s, within five standard deviations; a third of them SET, as well.
        mean = 0.6 * step["rate"]
        assert abs(step["sent"] - mean) < 5 * mean ** 0.5, step["sent"]
        assert abs(step["stored"] - 0.3 * mean) < 5 * (0.3 * mean) ** 0.5, step["stored"]
        assert 0 < sum(n for _, n in step["latencies_us"]) < step["sent"]
    # The server's own count.
    assert f"STAT cmd_get {sum(step['hits'] for step in result['steps'])}\r" in stats, stats


def test_large_values_and_many_connections():
    with servers.Memcached() as server:
        result = memload(server.port, "--keys", "20", "--value-size", "100000", "--key-size", "250",
                         "--connections", "50", "--rate", "400", "--fixed", "--warm-up", "0",
                         "--duration", "0.5", "--set-percent", "50")
    assert result["errors"] == 0
    step = result["steps"][0]
    assert step["sent"] == 199, step["sent"]     # one gap after the start to before the end
    assert step["bytes_out"] > 100000 * step["stored"] and step["bytes_in"] > 100000 * step["hits"]


def test_evicted_keys_are_misses():
    class Forgetful(fake_server.Server):
        def get(self, words):
            super().get(words)
            return b"END\r\n"

    with Forgetful() as server:
        result = memload(server.port, *QUICK, "--rate", "500", "--set-percent", "0")
    step = result["steps"][0]
    assert step["misses"] == step["sent"] and not step["hits"] and not errors(step)


def test_stall_of_100_ms_shows_in_p99():
    """1000 a second for 1 s: the stall meets 100 requests, 10 %. Measured from when they were sent
    in a closed loop, it would have met one for each connection, 0.2 %."""
    with fake_server.Server(fake_server.stall_once(500, 0.1)) as server:
        result = memload(server.port, "--keys", "50", "--rate", "1000", "--fixed", "--warm-up", "0",
                         "--duration", "1", "--connections", "2", "--set-percent", "0")
    step = result["steps"][0]
    assert result["errors"] == 0 and step["sent"] == 999
    late = sum(n for latency, n in step["latencies_us"] if latency >= 20000)
    assert late >= 80, f"only {late} of the 80 requests due in the first 80 ms were late"
    assert percentile(step, 0.99) >= 85, percentile(step, 0.99)
    assert percentile(step, 0.5) < 50, percentile(step, 0.5)


def test_same_without_a_stall():
    with fake_server.Server() as server:
        result = memload(server.port, "--keys", "50", "--rate", "1000", "--fixed", "--warm-up", "0",
                         "--duration", "1", "--connections", "2", "--set-percent", "0")
    assert percentile(result["steps"][0], 0.5) < 50


def fault_counts_as(change, **wanted):
    with fake_server.Server(fake_server.at_number(20, change)) as server:
        result = memload(server.port, *QUICK, "--rate", "500", "--timeout", "0.3", "--set-percent", "0",
                         status=1)
    got = errors(result["steps"][0])
    assert set(got) == set(wanted), got
    for name, exact in wanted.items():
        assert exact in (got[name], None), got
    return result["steps"][0]


def test_wrong_byte():
    """The last one of the value."""
    step = fault_counts_as(lambda _s, _k, answer: answer[:-8] + bytes([answer[-8] ^ 1]) + answer[-7:],
                           bytes=1)
    assert step["hits"] + step["stored"] == step["sent"] - 1


def test_value_of_another_key():
    def other(server, key, answer):
        value = next(v for k, v in server.values.items() if k != key)
        return answer.split(b"\r\n")[0] + b"\r\n" + value + b"\r\nEND\r\n"
    fault_counts_as(other, bytes=1)


def test_old_version():
    """A value that was right once."""
    class Stale(fake_server.Server):
        def get(self, words):
            answer = super().get(words)
            old = self.versions[words[1]]
            if self.gets < 100 or len(old) < 3:
                return answer
            return answer.replace(old[-1], old[0])

    with Stale() as server:
        result = memload(server.port, "--keys", "5", "--rate", "1000", "--warm-up", "0",
                         "--duration", "0.5", "--set-percent", "30", status=1)
    assert set(errors(result["steps"][0])) == {"version"}


def test_error_line_is_a_protocol_error():
    fault_counts_as(lambda *_: b"SERVER_ERROR out of memory\r\n", protocol=None)


def test_silence_is_a_timeout():
    class Silent(fake_server.Server):
        def get(self, words):
            answer = super().get(words)
            return answer if self.gets < 20 else b""

    with Silent() as server:
        result = memload(server.port, *QUICK, "--rate", "500", "--timeout", "0.3", "--set-percent", "0",
                         status=1)
    got = errors(result["steps"][0])
    assert got["timeout"] > 100 and set(got) <= {"timeout", "unsent"}, got


def test_closed_connection():
    def close(*_):
        raise StopIteration
    step = fault_counts_as(close, closed=None)
    assert step["hits"] > 100, "the other connections did not go on"


def test_nobody_listens():
    result = memload(servers.free_port(), *QUICK, "--rate", "100", status=1)
    assert errors(result["fill"]) == {"connect": 3, "unsent": 100}
    assert set(errors(result["steps"][0])) == {"unsent"}


def test_bad_options():
    for bad in (["--rate", "x"], ["--rate", "0"], ["--rate", "1", "--keys", "0"], ["--rate", "1,"],
                ["--rate", "1", "--theta", "-1"], ["--rate", "1", "--value-size", "7"],
                ["--rate", "1", "--bogus"], ["--rate", "1", "more"], []):
        done = subprocess.run([PROGRAM, "--host", "127.0.0.1", *bad], capture_output=True, text=True,
                              timeout=10, check=False)
        assert done.returncode == 2 and done.stderr and not done.stdout, (bad, done)


if __name__ == "__main__":
    sys.exit(servers.run_tests(globals()))
