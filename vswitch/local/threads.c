/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * threads.c - a thread of this process as a vCPU: its number in each switch, and grace periods.
 */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>

#include "vswitch/datapath/atomic.h"
#include "vswitch/local/switches.h"

/* The numbers that a thread has, one for each switch that it called. */
struct membership {
	struct membership *next;
	uint64_t switch_id;
	unsigned int vcpu;
};

static __thread struct membership *memberships;
static pthread_key_t exit_key;
static pthread_once_t exit_key_once = PTHREAD_ONCE_INIT;
static bool exit_key_works;

static void leave_all(void *first)
{
	struct membership *member = first;

	pthread_mutex_lock(&elisa_local_lock);
	memberships = NULL;
	while (member) {
		struct membership *next = member->next;
		struct local_switch *sw = elisa_local_switch_by_id(member->switch_id);

		if (sw)
			sw->threads[member->vcpu].used = false;
		free(member);
		member = next;
	}
	pthread_mutex_unlock(&elisa_local_lock);
}

static void make_exit_key(void)
{
	exit_key_works = !pthread_key_create(&exit_key, leave_all);
}

static int join(struct local_switch *sw)
{
	struct membership *member = malloc(sizeof(*member));
	unsigned int vcpu = 0;

	if (!member)
		return -ENODEV;
	pthread_once(&exit_key_once, make_exit_key);
	pthread_mutex_lock(&elisa_local_lock);
	while (vcpu < ELISA_MAX_VCPUS && sw->threads[vcpu].used)
		vcpu++;
	member->switch_id = sw->id;
	member->vcpu = vcpu;
	member->next = memberships;
	if (vcpu == ELISA_MAX_VCPUS || !exit_key_works || pthread_setspecific(exit_key, member)) {
		pthread_mutex_unlock(&elisa_local_lock);
		free(member);
		return -ENODEV;
	}
	sw->threads[vcpu].used = true;
	memberships = member;
	pthread_mutex_unlock(&elisa_local_lock);
	return vcpu;
}

int elisa_local_thread_vcpu(struct local_switch *sw)
{
	for (struct membership *member = memberships; member; member = member->next)
		if (member->switch_id == sw->id)
			return member->vcpu;
	return join(sw);
}

void elisa_local_grace_period(struct local_switch *sw)
{
	/* Orders the caller's changes to the maps before the look at who is inside. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	for (unsigned int vcpu = 0; vcpu < ELISA_MAX_VCPUS; vcpu++) {
		const uint64_t *sequence = &sw->threads[vcpu].sequence;
		uint64_t seen = __atomic_load_n(sequence, __ATOMIC_SEQ_CST);

		while (seen & 1 && elisa_load_acquire(sequence) == seen)
			sched_yield();
	}
}
