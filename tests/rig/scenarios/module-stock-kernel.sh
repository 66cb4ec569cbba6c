# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# rig: seconds=32 limit=400 cmdline=stock
# common/module.sh on the kernel's stock command line: mitigations, read-only kernel data, no time savers.

. "$RIG_JOB/scenarios/common/module.sh"
