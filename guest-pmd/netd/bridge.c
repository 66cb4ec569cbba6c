// SPDX-License-Identifier: BSD-3-Clause
/* bridge.c - see bridge.h. */
#include "bridge.h"

#include <sys/prctl.h>

#define TIMER_SLACK_NS 1000ul /* the usual 50 us would be more than most sleeps */

/* What the switch does not take now waits without the interface being read: its queue fills up. */
int netd_bridge_run(void *opaque)
{
	struct netd_worker *worker = opaque;

	prctl(PR_SET_TIMERSLACK, TIMER_SLACK_NS);
	while (!__atomic_load_n(worker->stop, __ATOMIC_RELAXED)) {
		bool busy = netd_to_kernel(worker);

		busy |= netd_to_switch(worker);
		if (netd_idle(&worker->idle, busy, worker->nb_held ? -1 : worker->tap))
			netd_count(worker, NETD_SLEEPS, 1);
	}
	return 0;
}
