#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# ./run bench: native speed of the switch with gate=local, and what a flooding neighbour takes of it;
# leaves build/results/bench.json and bench-neighbour.json.
set -euo pipefail
rig=$(dirname "$0")/..
# shellcheck source=tests/rig/lib/command.sh
. "$rig/lib/command.sh"

require_machine bench
plan_setup
plan_programs
run_plan
echo "five runs with testpmd on two cores (about 40 s)"
"$ROOT/bench/forward_rate.py" "$MESON_DIR/guest-pmd/librte_net_elisa.so" --json "$RESULTS/bench.json"
echo "a flooding neighbour, on two cores (about 40 s)"
exec "$MESON_DIR/bench/neighbour/elisa-neighbour" 0.5 5 "$RESULTS/bench-neighbour.json"
