/* SPDX-License-Identifier: BSD-3-Clause */
/* fixture_sysfs.h - a directory that stands for /sys, with PCI devices as tests want them. */
#ifndef ELISA_TESTS_FIXTURE_SYSFS_H
#define ELISA_TESTS_FIXTURE_SYSFS_H

#include <stdbool.h>

extern char fixture_sysfs[];

void fixture_sysfs_begin(void);
void fixture_sysfs_end(void);

/* `class` is what the file says, "0x020000" for Ethernet; `driver` NULL: bound to none. */
void fixture_sysfs_device(const char *address, const char *class, const char *driver, bool iommu);

#endif
