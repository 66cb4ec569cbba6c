// SPDX-License-Identifier: BSD-3-Clause
/* idle.c - see idle.h. */
#include "idle.h"

#include <poll.h>
#include <time.h>

#include <rte_cycles.h>
#include <rte_pause.h>

#define SPIN_US 50u
#define LOOKS 8u /* the driver looks at the switch's uplinks with every eighth */
#define SLEEP_MIN_US 10u
#define SLEEP_MAX_US 200u

void netd_idle_init(struct netd_idle *idle, bool own_cpu)
{
	*idle = (struct netd_idle){
		.spin = own_cpu ? rte_get_tsc_hz() / 1000000 * SPIN_US : 0,
		.sleep_us = SLEEP_MIN_US,
	};
}

static void sleep_until_readable(uint32_t us, int fd)
{
	struct timespec timeout = {.tv_nsec = us * 1000l};
	struct pollfd wait = {.fd = fd, .events = POLLIN};

	ppoll(&wait, 1, &timeout, NULL);
}

bool netd_idle(struct netd_idle *idle, bool busy, int fd)
{
	if (busy) {
		idle->looks = 0;
		idle->since = 0;
		idle->sleep_us = SLEEP_MIN_US;
		return false;
	}
	if (++idle->looks < LOOKS)
		return false;
	if (idle->spin) {
		if (!idle->since)
			idle->since = rte_rdtsc();
		if (rte_rdtsc() - idle->since < idle->spin) {
			rte_pause();
			return false;
		}
	}
	sleep_until_readable(idle->sleep_us, fd);
	idle->looks = 0;
	idle->sleep_us *= 2;
	if (idle->sleep_us > SLEEP_MAX_US)
		idle->sleep_us = SLEEP_MAX_US;
	return true;
}
