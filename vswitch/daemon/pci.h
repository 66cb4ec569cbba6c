/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pci.h - PCI addresses as people write them, and whether a device is ready for DPDK: what sysfs says.
 *
 * Reads files only. Any thread.
 */
#ifndef ELISA_DAEMON_PCI_H
#define ELISA_DAEMON_PCI_H

#include "failure.h"

#include <elisa/types.h>

#define ELISA_PCI_SIZE 16 /* "0000:03:00.0" */
#define ELISA_KERNEL_DRIVER_SIZE 32

/* "0000:03:00.0" or "03:00.0", any case, into the first form in lower case. */
bool elisa_pci_parse(const char *text, char address[ELISA_PCI_SIZE]);

/*
 * Whether the device is there, is a NIC, and is bound to a driver of the kernel that leaves it to
 * DPDK, whose name goes to `driver`. `sysfs` is "/sys". -ENODEV, -EBUSY, -ENOTSUP; the message says
 * how to bind it.
 */
int elisa_pci_check(const char *sysfs, const char *address, char driver[ELISA_KERNEL_DRIVER_SIZE],
		    struct elisa_failure *failure);

#endif
