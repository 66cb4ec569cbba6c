#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# ./run bench: native speed of the switch with gate=local; leaves build/results/bench.json.
set -euo pipefail
rig=$(dirname "$0")/..
# shellcheck source=tests/rig/lib/command.sh
. "$rig/lib/command.sh"

require_machine bench
plan_setup
plan_programs
run_plan
echo "five runs with testpmd on two cores (about 40 s)"
exec "$ROOT/bench/forward_rate.py" "$MESON_DIR/guest-pmd/librte_net_elisa.so" \
	--json "$RESULTS/bench.json"
