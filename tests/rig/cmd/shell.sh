#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# ./run shell: a console on the emulated host; /opt/elisa and lib.sh's guest_… functions are there.
set -euo pipefail
rig=$(dirname "$0")/..
# shellcheck source=tests/rig/lib/command.sh
. "$rig/lib/command.sh"

require_machine shell
plan_setup
plan_build
run_plan
exec "$RIG/runner.py" --shell
