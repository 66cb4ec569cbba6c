// SPDX-License-Identifier: BSD-3-Clause
/*
 * owner.c - see owner.h. In the trusted image.
 */
#include "owner.h"

#define VCPU_MASK 0xffffull
#define ONE_TIME 0x10000ull
#define WAIT_TRIES 2000u /* each a PAUSE and a look */

bool elisa_owner_take_queue(struct elisa_uplink *uplink, uint32_t index, uint32_t vcpu)
{
	struct elisa_uplink_queue *queue = &uplink->queues[index];
	uint64_t owner = elisa_load(&queue->owner);

	if (owner & VCPU_MASK || !elisa_replace(&queue->owner, owner, owner + ONE_TIME + vcpu + 1))
		return false;
	/*
	 * The daemon takes the uplink down first and looks at the owners then: one of the two sees
	 * the other, both accesses being sequentially consistent.
	 */
	if (__atomic_load_n(&uplink->state, __ATOMIC_SEQ_CST) == ELISA_UPLINK_UP)
		return true;
	elisa_owner_give(queue);
	return false;
}

struct elisa_uplink_queue *elisa_owner_take(struct elisa_uplink *uplink, uint32_t vcpu)
{
	uint32_t nb_queues = elisa_load(&uplink->nb_queues);

	if (!nb_queues || nb_queues > ELISA_UPLINK_QUEUES)
		return NULL;
	for (uint32_t i = 0; i < nb_queues; i++) {
		uint32_t index = (vcpu + i) % nb_queues;

		if (elisa_owner_take_queue(uplink, index, vcpu))
			return &uplink->queues[index];
	}
	return NULL;
}

struct elisa_uplink_queue *elisa_owner_wait(struct elisa_uplink *uplink, uint32_t vcpu)
{
	struct elisa_uplink_queue *queue = NULL;

	for (unsigned int i = 0; i < WAIT_TRIES && !queue; i++) {
		__builtin_ia32_pause();
		if (elisa_load(&uplink->state) != ELISA_UPLINK_UP)
			return NULL;
		queue = elisa_owner_take(uplink, vcpu);
	}
	return queue;
}

void elisa_owner_give(struct elisa_uplink_queue *queue)
{
	elisa_store_release(&queue->owner, elisa_load(&queue->owner) & ~VCPU_MASK);
}
