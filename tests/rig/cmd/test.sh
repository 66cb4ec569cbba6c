#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# ./run test [--list] [NAME…]: runs test groups and scenarios, ends with "N passed, N failed".
set -euo pipefail
rig=$(dirname "$0")/..
# shellcheck source=tests/rig/lib/command.sh
. "$rig/lib/command.sh"

GROUPS_TABLE=$RIG/groups.txt
HUGEPAGES=64	# of 2 MiB

if [ "${1:-}" = --list ]; then
	sed -n 's/^\([a-z][a-z0-9-]*\).*/\1/p' "$GROUPS_TABLE"
	"$RIG/runner.py" --list | sed 's/^/emulated scenario: /'
	exit 0
fi
require_machine test
plan_setup
plan_programs
# Images only where a scenario runs.
if "$RIG/tests.py" --needs-images "$@"; then
	plan_images
	plan_mutants
fi
run_plan
# For the tests of NICs' memory, which are skipped without.
pages=/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages
[ "$(cat $pages)" -ge $HUGEPAGES ] || echo $HUGEPAGES > $pages ||
	echo "no hugepages here: tests of NICs' memory are skipped" >&2
exec "$RIG/tests.py" "$@"
