#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What ./run demo iperf prints after the scenario: close.sh RESULTS, the folder build/results.
set -euo pipefail
bench=$(cd "$(dirname "$0")/.." && pwd)
results=$1
kind=hardware
! grep -q '"platform": "emulated' "$results/iperf.json" || kind=emulated
folders=()
for way in virtio vmfunc vmcall; do
	for folder in "$results/iperf/$way"-*M; do
		folders+=("${folder##*/}=$folder")
	done
done
status=0
"$bench/iperf/summary.py" $kind "$results/iperf-tests.json" "${folders[@]}" || status=1
"$bench/side_by_side.py" "$results" iperf || status=1
exit $status
