# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash disable=SC2034
# Where things are. Sourced by every script of the rig; sets variables, does nothing else.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
RIG=$ROOT/tests/rig
BUILD=$ROOT/build
LOGS=$BUILD/logs
RESULTS=$BUILD/results
IMAGE=$BUILD/image
PAYLOAD=$BUILD/payload
DPDK_HEADERS=$BUILD/dpdk-headers
MESON_DIR=$BUILD/meson
KMOD_DIR=$BUILD/kmod
IGB_UIO_DIR=$BUILD/igb-uio
UNPACKED=$BUILD/unpacked
MUTANTS_DIR=$BUILD/mutants
EMULATOR=$BUILD/emulator
