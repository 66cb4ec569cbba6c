/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * control_finish.c - the daemon finishes what a lost vCPU had in flight (journal.h).
 *
 * Not in the trusted image. Guest memory is reached only through the caller's function.
 */
#include <errno.h>

#include "vswitch/datapath/journal.h"
#include "vswitch/datapath/switch.h"

/* 1: handed back; 0: it was done, or the ring is not there any more. */
static uint32_t finish_slot(const struct elisa_receive_queue *queue, const struct elisa_run *run,
			    uint32_t slot, elisa_cmpxchg64 cmpxchg, void *context)
{
	struct elisa_ring_word word = {
		.address = elisa_load_acquire(&queue->ring) + offsetof(struct elisa_desc, word),
		.port = run->port,
		.queue = run->queue,
		.epoch = run->epoch,
	};
	uint32_t size = elisa_load_acquire(&queue->size);
	uint32_t flags = ELISA_DESC_DONE | ELISA_DESC_DROPPED | elisa_slot_phase(slot, size);
	uint64_t found;
	uint64_t seen;

	if (!size)
		return 0;
	word.address += (slot & (size - 1)) * sizeof(struct elisa_desc);
	/* 0 by 0: only to read it. */
	if (cmpxchg(context, &word, 0, 0, &seen))
		return 0;
	if (!elisa_journal_slot_is_left(queue, run, slot, size, seen))
		return 0;
	if (cmpxchg(context, &word, seen, elisa_desc_word(0, flags), &found))
		return 0;
	return found == seen;
}

int elisa_switch_vcpu_finish(struct elisa_switch *sw, unsigned int vcpu, elisa_cmpxchg64 cmpxchg,
			     void *context)
{
	const struct elisa_receive_queue *queue;
	struct elisa_run run;
	uint32_t nb_slots = 0;

	if (vcpu >= ELISA_MAX_VCPUS)
		return -ERANGE;
	if (!elisa_journal_take(sw, vcpu, &run))
		return 0;
	queue = &sw->queues[run.port][run.queue];
	for (uint32_t slot = run.first; slot != run.first + run.count; slot++)
		nb_slots += finish_slot(queue, &run, slot, cmpxchg, context);
	elisa_journal_finished(sw, vcpu, &run, nb_slots);
	return nb_slots;
}
