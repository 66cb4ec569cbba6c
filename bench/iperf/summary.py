#!/usr/bin/python3 -B
# SPDX-License-Identifier: BSD-3-Clause
"""Sums up what iperf-tests.sh left: summary.py KIND OUTPUT LABEL=FOLDER...

KIND is native, emulated, hardware or modelled. Writes OUTPUT (JSON) and prints a table: bytes,
connections, retransmits, lost datagrams, errors, and Mbit/s where times mean something
(not emulated). Exit status 0: no errors.
"""
import json
import pathlib
import sys

KINDS = ("native", "emulated", "hardware", "modelled")
COLUMNS = ("label", "test", "connections", "sent_bytes", "received_bytes", "retransmits", "packets",
           "lost_packets", "errors")
WIDTH = {"label": 12, "test": 22, "connections": 13, "errors": 8, "packets": 10}


def figures(kind, label, path):
    """One test. What iperf3 could not do is an error; a lost datagram is none, that is UDP's right."""
    row = {"label": label, "test": path.stem, "connections": 0, "sent_bytes": 0, "received_bytes": 0,
           "errors": 1}
    try:
        record = json.loads(path.read_text())
    except ValueError:
        return dict(row, error="no JSON")
    if "error" in record:
        return dict(row, error=record["error"])
    sent, received = record["end"]["sum_sent"], record["end"]["sum_received"]
    row.update(connections=len(record["start"]["connected"]), sent_bytes=sent["bytes"],
               received_bytes=received["bytes"])
    if record["start"]["test_start"]["protocol"] == "UDP":
        row.update(packets=record["end"]["sum"]["packets"],
                   lost_packets=record["end"]["sum"]["lost_packets"])
    else:
        row.update(retransmits=sent.get("retransmits", 0))
    if kind != "emulated":
        row.update(mbit_per_s=round(received["bits_per_second"] / 1e6, 1))
    wanted = record["start"]["test_start"]["num_streams"]
    if row["connections"] != wanted:
        row["error"] = f"{row['connections']} connections instead of {wanted}"
    elif not received["bytes"]:
        row["error"] = "nothing was received"
    row["errors"] = int("error" in row)
    return row


def print_table(kind, rows):
    columns = COLUMNS if kind == "emulated" else (*COLUMNS, "mbit_per_s")
    print(f"iperf3, {kind}" + (": times mean nothing" if kind == "emulated" else ""))
    for row in [{name: name.replace("_", " ") for name in columns}, *rows]:
        print("  " + "".join(f"{row.get(name, '-'):>{WIDTH.get(name, 16)}}" for name in columns))
    for row in rows:
        if "error" in row:
            print(f"{row['label']} {row['test']}: {row['error']}", file=sys.stderr)


def main():
    if len(sys.argv) < 4 or sys.argv[1] not in KINDS or not all("=" in a for a in sys.argv[3:]):
        sys.exit(__doc__)
    kind, rows = sys.argv[1], []
    for argument in sys.argv[3:]:
        label, _, folder = argument.partition("=")
        files = sorted(pathlib.Path(folder).glob("*.json"))
        if not files:
            sys.exit(f"no JSON of iperf3 in {folder}")
        rows += [figures(kind, label, path) for path in files]
    errors = sum(row["errors"] for row in rows)
    output = pathlib.Path(sys.argv[2])
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps({"kind": kind, "errors": errors, "tests": rows}, indent=1) + "\n")
    print_table(kind, rows)
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
