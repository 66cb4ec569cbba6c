// SPDX-License-Identifier: BSD-3-Clause
/* idle.c - see idle.h. */
#include "idle.h"

#include <poll.h>
#include <time.h>

#include <rte_common.h>
#include <rte_cycles.h>
#include <rte_pause.h>

#define SPIN_US 50u
#define LOOKS 8u /* the driver looks at the switch's uplinks with every eighth */
/* So much of the time without a packet: one that comes then waits for no longer than that. */
#define SLEEP_SHARE 4u
#define SLEEP_MIN_US 10u
#define SLEEP_MAX_US 2000u

void netd_idle_init(struct netd_idle *idle, bool own_cpu)
{
	*idle = (struct netd_idle){.spin = own_cpu ? rte_get_tsc_hz() / 1000000 * SPIN_US : 0};
}

static uint32_t sleep_length(uint64_t ticks)
{
	uint64_t us = ticks / SLEEP_SHARE / (rte_get_tsc_hz() / 1000000);

	return (uint32_t)RTE_MAX(RTE_MIN(us, SLEEP_MAX_US), SLEEP_MIN_US);
}

static void sleep_until_readable(uint32_t us, int fd)
{
	const struct timespec timeout = {.tv_nsec = us * 1000l};
	struct pollfd wait = {.fd = fd, .events = POLLIN};

	/* An error alone: the interface is gone, which netd_watch() is about to see. */
	if (ppoll(&wait, 1, &timeout, NULL) > 0 && !(wait.revents & POLLIN))
		nanosleep(&timeout, NULL);
}

bool netd_idle(struct netd_idle *idle, bool busy, int fd)
{
	uint64_t ticks;

	if (busy) {
		idle->looks = 0;
		idle->since = 0;
		return false;
	}
	if (++idle->looks < LOOKS)
		return false;
	if (!idle->since)
		idle->since = rte_rdtsc();
	ticks = rte_rdtsc() - idle->since;
	if (ticks < idle->spin) {
		rte_pause();
		return false;
	}
	idle->sleep_us = sleep_length(ticks);
	sleep_until_readable(idle->sleep_us, fd);
	idle->looks = 0;
	return true;
}
