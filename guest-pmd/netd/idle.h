/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * idle.h - what a worker does when there is nothing to do: it polls on for a while, then sleeps.
 *
 * A port has no interrupts, so it is looked at again after a short time; what the kernel sends ends
 * the sleep at once. A worker that has no CPU for itself must not poll on: those whose packets it
 * waits for want to run.
 */
#ifndef NETD_IDLE_H
#define NETD_IDLE_H

#include <stdbool.h>
#include <stdint.h>

struct netd_idle {
	uint64_t spin;     /* TSC ticks to poll on after the last packet */
	uint64_t since;    /* TSC when there was nothing to do for the first time; 0: there was */
	uint32_t looks;    /* in a row that found nothing, since the last sleep */
	uint32_t sleep_us; /* the last sleep's longest */
};

/* own_cpu: there are more CPUs than workers. */
void netd_idle_init(struct netd_idle *idle, bool own_cpu);

/* After each look. Sleeps if it is time to, until `fd` can be read (-1: none). True if it slept. */
bool netd_idle(struct netd_idle *idle, bool busy, int fd);

#endif
