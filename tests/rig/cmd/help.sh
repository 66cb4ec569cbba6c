#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# ./run help
set -euo pipefail
cat <<'EOF'
usage: ./run COMMAND

  doctor [--json]     what this machine can do, what is missing, what to do about it
  setup               install the Debian packages, fetch DPDK's driver headers
  build               programs, kernel module, images of the emulated host and the guests
  demo [NAME]         two VMs exchange packets (or another demo); closing table,
                      build/results/NAME.json
  test [NAME…]        all tests, or some groups or scenarios (./run test --list);
                      two side by side, or RIG_JOBS=N ./run test
  bench               native speed with gate=local; build/results/bench.json
  shell               a console on the emulated host
  clean               remove build/
  help                this

Needs root on Debian 12. Everything made goes to build/: logs in build/logs/, results in
build/results/. setup and build happen by themselves where a command needs them.
EOF
