#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# ./run setup: packages and headers. Does nothing, quickly, when all is there.
set -euo pipefail
rig=$(dirname "$0")/..
# shellcheck source=tests/rig/lib/command.sh
. "$rig/lib/command.sh"

require_machine setup
plan_setup
run_plan
