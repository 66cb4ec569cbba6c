// SPDX-License-Identifier: BSD-3-Clause
/* pci.c - see pci.h. */
#include "pci.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NETWORK_CLASS 0x02u

/* One hexadecimal number of `digits` digits, then `end`. Returns what comes behind, or NULL. */
static const char *take_number(const char *text, int digits, char end, unsigned int *number)
{
	*number = 0;
	for (int i = 0; i < digits; i++, text++) {
		if (*text >= '0' && *text <= '9')
			*number = *number << 4 | (unsigned int)(*text - '0');
		else if (*text >= 'a' && *text <= 'f')
			*number = *number << 4 | (unsigned int)(*text - 'a' + 10);
		else if (*text >= 'A' && *text <= 'F')
			*number = *number << 4 | (unsigned int)(*text - 'A' + 10);
		else
			return NULL;
	}
	return *text == end ? text + 1 : NULL;
}

bool elisa_pci_parse(const char *text, char address[ELISA_PCI_SIZE])
{
	unsigned int domain = 0, bus, device, function;
	const char *rest = take_number(text, 4, ':', &domain);

	if (!rest) {
		domain = 0;
		rest = text;
	}
	rest = take_number(rest, 2, ':', &bus);
	rest = rest ? take_number(rest, 2, '.', &device) : NULL;
	rest = rest ? take_number(rest, 1, '\0', &function) : NULL;
	if (!rest || device > 31 || function > 7)
		return false;
	snprintf(address, ELISA_PCI_SIZE, "%04x:%02x:%02x.%x", domain, bus, device, function);
	return true;
}

static unsigned int class_of(const char *sysfs, const char *address)
{
	char path[PATH_MAX];
	unsigned int class = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/bus/pci/devices/%s/class", sysfs, address);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (fscanf(file, "%x", &class) != 1)
		class = 0;
	fclose(file);
	return class >> 16;
}

static bool read_driver(const char *sysfs, const char *address,
			char driver[ELISA_KERNEL_DRIVER_SIZE])
{
	char path[PATH_MAX], target[PATH_MAX];
	const char *name;
	ssize_t length;

	snprintf(path, sizeof(path), "%s/bus/pci/devices/%s/driver", sysfs, address);
	length = readlink(path, target, sizeof(target) - 1);
	if (length <= 0)
		return false;
	target[length] = '\0';
	name = strrchr(target, '/');
	snprintf(driver, ELISA_KERNEL_DRIVER_SIZE, "%.31s", name ? name + 1 : target);
	return true;
}

#define BIND                                                                             \
	"'modprobe vfio-pci', 'dpdk-devbind.py --bind=vfio-pci %s' (or echo vfio-pci > " \
	"/sys/bus/pci/devices/%s/driver_override, unbind it and echo its address > "     \
	"/sys/bus/pci/drivers_probe)"

static int check_driver(const char *sysfs, const char *address, const char *driver,
			struct elisa_failure *failure)
{
	char path[PATH_MAX];

	if (!strcmp(driver, "igb_uio") || !strcmp(driver, "uio_pci_generic"))
		return 0;
	if (strcmp(driver, "vfio-pci"))
		return elisa_fail(failure, -EBUSY,
				  "NIC %s belongs to the kernel's driver %s; take it out of use "
				  "there and bind it: " BIND,
				  address, driver, address, address);
	snprintf(path, sizeof(path), "%s/bus/pci/devices/%s/iommu_group", sysfs, address);
	if (!access(path, F_OK))
		return 0;
	return elisa_fail(
		failure, -ENOTSUP,
		"NIC %s is bound to vfio-pci, which needs an IOMMU, and this host has none "
		"in use; turn it on in the firmware and with intel_iommu=on on the "
		"kernel's command line, or bind the NIC to igb_uio",
		address);
}

int elisa_pci_check(const char *sysfs, const char *address, char driver[ELISA_KERNEL_DRIVER_SIZE],
		    struct elisa_failure *failure)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/bus/pci/devices/%s", sysfs, address);
	if (access(path, F_OK))
		return elisa_fail(failure, -ENODEV,
				  "this host has no PCI device %s; 'lspci -D' shows those it has",
				  address);
	if (class_of(sysfs, address) != NETWORK_CLASS)
		return elisa_fail(failure, -ENOTSUP,
				  "PCI device %s is no NIC; 'lspci -D' shows which are (Ethernet "
				  "controller)",
				  address);
	if (!read_driver(sysfs, address, driver))
		return elisa_fail(failure, -EBUSY,
				  "NIC %s has no driver of the kernel that leaves it to DPDK; bind "
				  "it: " BIND,
				  address, address, address);
	return check_driver(sysfs, address, driver, failure);
}
