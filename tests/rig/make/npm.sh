#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Puts the npm packages that bench/memcached/report.mjs needs into build/npm, as its lock file says.
set -euo pipefail
# shellcheck source=tests/rig/lib/paths.sh
. "$(dirname "$0")/../lib/paths.sh"
# shellcheck source=tests/rig/lib/stamp.sh
. "$RIG/lib/stamp.sh"

hash=$(inputs "$ROOT/bench/memcached/package.json" "$ROOT/bench/memcached/package-lock.json")
fresh "$BUILD/npm.stamp" "$hash" && { echo "npm packages: unchanged"; exit 0; }
rm -rf "$BUILD/npm"
mkdir -p "$BUILD/npm"
cp "$ROOT"/bench/memcached/package{,-lock}.json "$BUILD/npm/"
npm ci --prefix "$BUILD/npm" --ignore-scripts --no-audit --no-fund
keep "$BUILD/npm.stamp" "$hash"
