#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# ./run shell: a console on the emulated host; /opt/elisa and lib.sh's guest_… functions are there.
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

require_machine shell
plan_setup
plan_build
run_plan
exec "$RIG/runner.py" --shell
