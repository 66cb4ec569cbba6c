// SPDX-License-Identifier: BSD-3-Clause
/* eal.c - see eal.h. */
#include "eal.h"
#include "log.h"
#include "port.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include <rte_common.h>
#include <rte_eal.h>
#include <rte_errno.h>

#define PAGES_FOLDER "/sys/kernel/mm/hugepages/hugepages-2048kB/"
#define PAGE_MB 2u
#define OTHER_MB 16u /* DPDK's own, rings, parts of pages */

static uint32_t nb_workers(const struct netd_options *options)
{
	return options->nb_links * options->queues;
}

bool netd_eal_has_cpu_for_each(const struct netd_options *options)
{
	cpu_set_t cpus;

	return !sched_getaffinity(0, sizeof(cpus), &cpus) &&
	       (uint32_t)CPU_COUNT(&cpus) > nb_workers(options);
}

/* As in "(0-2)@(0,1,5)": each of three lcores may run on each of three CPUs. */
static void print_lcores(char *text, size_t size, uint32_t workers)
{
	size_t length = (size_t)snprintf(text, size, "(0-%u)@(", workers);
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	sched_getaffinity(0, sizeof(cpus), &cpus);
	for (uint32_t cpu = 0; cpu < CPU_SETSIZE && length < size; cpu++)
		if (CPU_ISSET(cpu, &cpus))
			length += (size_t)snprintf(text + length, size - length, "%u,", cpu);
	if (length < size)
		text[length - 1] = ')';
}

static long free_pages(void)
{
	FILE *file = fopen(PAGES_FOLDER "free_hugepages", "re");
	long count = 0;

	if (file && fscanf(file, "%ld", &count) != 1)
		count = 0;
	if (file)
		fclose(file);
	return count;
}

static int check_pages(uint32_t megabytes)
{
	long needed = (long)(megabytes + PAGE_MB - 1) / PAGE_MB;
	long there = free_pages();

	if (there >= needed)
		return 0;
	netd_error("needs %ld hugepages of 2 MiB, %ld are free: "
		   "echo %ld > " PAGES_FOLDER "nr_hugepages (more if others use some)",
		   needed, there, needed);
	return -ENOMEM;
}

int netd_eal_start(const struct netd_options *options)
{
	uint32_t megabytes = OTHER_MB + netd_port_megabytes() * nb_workers(options);
	char lcores[4096], memory[16];
	char *arguments[] = {"elisa-netd",
			     "--no-pci",
			     "--no-telemetry",
			     "--iova-mode=va",
			     "--log-level=*:warning",
			     "--log-level=lib.eal:error",
			     "--lcores",
			     lcores,
			     "-m",
			     memory,
			     options->no_huge ? "--no-shconf" : "--in-memory",
			     "--no-huge"};
	int count = RTE_DIM(arguments) - (options->no_huge ? 0 : 1);

	if (options->no_huge)
		megabytes *= 2; /* no two buffers share an ordinary page */
	else if (check_pages(megabytes))
		return -ENOMEM;
	print_lcores(lcores, sizeof(lcores), nb_workers(options));
	snprintf(memory, sizeof(memory), "%u", megabytes);
	if (rte_eal_init(count, arguments) < 0) {
		int error = rte_errno;

		netd_error("DPDK does not start: %s; see the lines above", rte_strerror(error));
		return -error;
	}
	return 0;
}
