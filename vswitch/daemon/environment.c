// SPDX-License-Identifier: BSD-3-Clause
/* environment.c - see environment.h. */
#include "environment.h"

#include <rte_eal.h>
#include <rte_errno.h>

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#define ARGUMENTS_MAX 24

/* A list of allowed devices with one that there is not: none is touched before it is asked for. */
#define NO_DEVICE "ffff:ff:1f.7"

static bool started;

struct arguments {
	char *list[ARGUMENTS_MAX];
	int count;
};

static void add(struct arguments *arguments, char *argument)
{
	arguments->list[arguments->count++] = argument;
}

/*
 * One logical core on a CPU this process may use, no files shared with secondary processes. DPDK
 * ties the calling thread to that CPU: undone by the caller.
 */
static int start(const struct elisa_options *options, int cpu)
{
	char prefix[ELISA_NAME_SIZE + 8], lcores[32];
	struct arguments arguments = {0};

	snprintf(prefix, sizeof(prefix), "elisa-%s", options->switch_name);
	snprintf(lcores, sizeof(lcores), "0@%d", cpu);
	add(&arguments, "elisa-switchd");
	if (options->uplink_memory) {
		add(&arguments, "--in-memory");
		add(&arguments, "-a");
		add(&arguments, NO_DEVICE);
	} else {
		add(&arguments, "--no-huge");
		add(&arguments, "--no-shconf");
		add(&arguments, "--no-pci");
		add(&arguments, "-m");
		add(&arguments, "2");
	}
	if (!options->telemetry)
		add(&arguments, "--no-telemetry");
	add(&arguments, "--lcores");
	add(&arguments, lcores);
	add(&arguments, "--file-prefix");
	add(&arguments, prefix);
	add(&arguments, "--log-level");
	add(&arguments, "lib.eal:warning");
	add(&arguments, "--log-level");
	add(&arguments, "lib.telemetry:error");
	return rte_eal_init(arguments.count, arguments.list);
}

static int first_cpu(const cpu_set_t *cpus)
{
	int cpu = 0;

	while (cpu < CPU_SETSIZE - 1 && !CPU_ISSET(cpu, cpus))
		cpu++;
	return cpu;
}

int elisa_environment_start(const struct elisa_options *options, struct elisa_failure *failure)
{
	cpu_set_t cpus;
	int result;

	if (sched_getaffinity(0, sizeof(cpus), &cpus) < 0)
		return elisa_fail(failure, -ENOTSUP, "the CPUs of this process are unknown: %s",
				  strerror(errno));
	result = start(options, first_cpu(&cpus));
	sched_setaffinity(0, sizeof(cpus), &cpus);
	if (result < 0)
		return elisa_fail(failure, -ENOTSUP,
				  "DPDK's environment does not start: %s; its own lines above say "
				  "why%s",
				  rte_strerror(rte_errno),
				  options->uplink_memory
					  ? ". --uplink-memory needs root and free hugepages of 2 "
					    "MiB (/sys/kernel/mm/hugepages/hugepages-2048kB/"
					    "nr_hugepages)"
					  : "");
	started = true;
	return 0;
}

void elisa_environment_stop(void)
{
	if (started)
		rte_eal_cleanup();
	started = false;
}
