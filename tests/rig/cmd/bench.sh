#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# ./run bench: native speed of the switch with gate=local; leaves build/results/bench.json.
set -euo pipefail
# shellcheck source=tests/rig/lib/paths.sh
. "$(dirname "$0")/../lib/paths.sh"
# shellcheck source=tests/rig/lib/machine.sh
. "$RIG/lib/machine.sh"
# shellcheck source=tests/rig/lib/packages.sh
. "$RIG/lib/packages.sh"
# shellcheck source=tests/rig/lib/steps.sh
. "$RIG/lib/steps.sh"
# shellcheck source=tests/rig/lib/plans.sh
. "$RIG/lib/plans.sh"

require_machine bench
plan_setup
plan_programs
run_plan
echo "five runs with testpmd on two cores (about 40 s)"
exec "$ROOT/bench/forward_rate.py" "$MESON_DIR/guest-pmd/librte_net_elisa.so" \
	--json "$RESULTS/bench.json"
