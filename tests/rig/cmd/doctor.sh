#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# ./run doctor [--json]: what this machine can do; also left in build/results/doctor.json.
set -euo pipefail
rig=$(cd "$(dirname "$0")/.." && pwd)
command -v python3 > /dev/null || {
	echo "MISSING  python3"
	echo "         -> apt-get install python3, or ./run setup"
	exit 1
}
exec python3 "$rig/doctor.py" "$@"
