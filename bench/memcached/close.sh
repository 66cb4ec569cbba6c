#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What ./run demo memcached prints after the scenario: close.sh RESULTS, the folder build/results.
set -euo pipefail
bench=$(cd "$(dirname "$0")/.." && pwd)
results=$1
kind=hardware
! grep -q '"platform": "emulated' "$results/memcached.json" || kind=emulated
files=()
for way in virtio vmfunc vmcall; do
	for file in "$results/memcached/$way"-*s.json; do
		name=${file##*/}
		files+=("${name%.json}=$file")
	done
done
status=0
node "$bench/memcached/report.mjs" $kind "$results/memcached-latency" "${files[@]}" || status=1
if [ $kind = hardware ]; then
	gnuplot -c "$bench/memcached/plot.gp" "$results/memcached-latency" "memcached, hardware" || status=1
fi
"$bench/side_by_side.py" "$results" memcached || status=1
exit $status
