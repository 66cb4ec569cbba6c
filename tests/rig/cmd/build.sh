#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# ./run build: programs, kernel module, images.
set -euo pipefail
rig=$(dirname "$0")/..
# shellcheck source=tests/rig/lib/command.sh
. "$rig/lib/command.sh"

require_machine build
plan_setup
plan_build
run_plan
