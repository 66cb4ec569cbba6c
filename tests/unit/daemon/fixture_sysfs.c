// SPDX-License-Identifier: BSD-3-Clause
/* fixture_sysfs.c - see fixture_sysfs.h. */
#include "fixture_sysfs.h"

#include "cmocka_all.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char fixture_sysfs[64];

static void run(const char *format, const char *name)
{
	char command[256];

	snprintf(command, sizeof(command), format, fixture_sysfs, name);
	assert_int_equal(system(command), 0);
}

void fixture_sysfs_begin(void)
{
	strcpy(fixture_sysfs, "/tmp/elisa-test-sysfs-XXXXXX");
	assert_non_null(mkdtemp(fixture_sysfs));
}

void fixture_sysfs_end(void)
{
	run("rm -r %s%s", "");
}

void fixture_sysfs_device(const char *address, const char *class, const char *driver, bool iommu)
{
	char path[128], target[128];
	int fd;

	run("mkdir -p %s/bus/pci/devices/%s", address);
	snprintf(path, sizeof(path), "%s/bus/pci/devices/%s/class", fixture_sysfs, address);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_int_equal(write(fd, class, strlen(class)), strlen(class));
	close(fd);
	snprintf(path, sizeof(path), "%s/bus/pci/devices/%s/driver", fixture_sysfs, address);
	unlink(path);
	snprintf(target, sizeof(target), "../../../../bus/pci/drivers/%s", driver ? driver : "");
	if (driver)
		assert_int_equal(symlink(target, path), 0);
	if (iommu)
		run("mkdir -p %s/bus/pci/devices/%s/iommu_group", address);
}
