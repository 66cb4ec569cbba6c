#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Builds igb_uio.ko in build/igb-uio against the kernel that the rig boots: the driver by which DPDK
# gets at the emulated host's NIC. (uio_pci_generic and VFIO refuse it: it cannot mask its interrupt, and
# there is no IOMMU.)
set -euo pipefail
# shellcheck source=tests/rig/lib/paths.sh
. "$(dirname "$0")/../lib/paths.sh"
# shellcheck source=tests/rig/lib/kernel.sh
. "$RIG/lib/kernel.sh"

mkdir -p "$IGB_UIO_DIR"
cp -u "$UNPACKED"/usr/src/dpdk-kmods-*/{Kbuild,compat.h,igb_uio.c} "$IGB_UIO_DIR/"
make -C "/usr/src/linux-headers-$(target_kernel)" M="$IGB_UIO_DIR" modules
