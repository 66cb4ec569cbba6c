#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# ./run setup: packages and headers. Does nothing, quickly, when all is there.
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

require_machine setup
plan_setup
run_plan
