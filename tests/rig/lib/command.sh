# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash disable=SC2154
# What a command that builds something needs of this folder. Sourced by tests/rig/cmd/*.sh, which
# set `rig` to tests/rig.

# shellcheck source=tests/rig/lib/paths.sh
. "$rig/lib/paths.sh"
# shellcheck source=tests/rig/lib/machine.sh
. "$rig/lib/machine.sh"
# shellcheck source=tests/rig/lib/packages.sh
. "$rig/lib/packages.sh"
# shellcheck source=tests/rig/lib/steps.sh
. "$rig/lib/steps.sh"
# shellcheck source=tests/rig/lib/plans.sh
. "$rig/lib/plans.sh"
