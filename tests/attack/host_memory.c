// SPDX-License-Identifier: BSD-3-Clause
/* host_memory.c - see host_memory.h. */
#include "host_memory.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "vmm.h"

uint64_t host_pinned_pages(void)
{
	struct elisa_info info = {.version = ELISA_UAPI_VERSION};
	int device = open("/dev/elisa", O_RDWR | O_CLOEXEC);

	if (device < 0 || ioctl(device, ELISA_IOC_INFO, &info))
		die("/dev/elisa");
	close(device);
	return info.pinned_pages;
}

uint64_t host_kernel_kib(void)
{
	FILE *file = fopen("/proc/meminfo", "re");
	unsigned long long kib, sum = 0;
	char line[128];

	if (!file)
		die("/proc/meminfo");
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "SUnreclaim: %llu", &kib) == 1 ||
		    sscanf(line, "VmallocUsed: %llu", &kib) == 1)
			sum += kib;
	}
	fclose(file);
	return sum;
}
