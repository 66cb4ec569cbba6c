/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * journal.c - the steps that journal.h explains.
 *
 * In the trusted image. elisa_journal_take(), _slot_is_left() and _finished() also serve the
 * daemon (control_finish.c), which reaches the ring in another way.
 */
#include "vswitch/datapath/journal.h"
#include "vswitch/datapath/mask.h"

uint64_t elisa_queue_open(struct elisa_receive_queue *queue, const struct elisa_queue_map *map)
{
	uint64_t word = elisa_load_acquire(&queue->word);

	if (elisa_unlikely(elisa_queue_epoch(word) != (map->epoch & 0xffff) ||
			   elisa_queue_owner(word) == ELISA_QUEUE_UNSTARTED)) {
		/* One of those who try wins; all of them then see the epoch they want. */
		elisa_replace(&queue->word, word,
			      elisa_queue_word(0, ELISA_QUEUE_NOBODY, map->epoch));
		word = elisa_load_acquire(&queue->word);
	}
	/*
	 * After the word, before the first claim of this epoch by this vCPU: a finisher that reads
	 * ring and size and then finds the epoch of its run in the word has read that epoch's.
	 * Not by the host: nobody has to finish its runs, and its address is of no use to others.
	 */
	if (elisa_unlikely(map->rx_ring && (elisa_load(&queue->ring) != map->rx_ring ||
					    elisa_load(&queue->size) != map->rx_size))) {
		elisa_store_release(&queue->ring, map->rx_ring);
		elisa_store_release(&queue->size, map->rx_size);
	}
	return word;
}

/* Step 2: the last owner's claim took place; say so before the proof of it is overwritten. */
static void help_owner(struct elisa_switch *sw, uint64_t word, const struct elisa_run *self)
{
	uint32_t owner = elisa_queue_owner(word) - 1;
	struct elisa_run run;
	uint64_t *journal;
	uint64_t seen;

	if (owner >= ELISA_MAX_VCPUS)
		return;
	owner &= elisa_below_mask(owner, ELISA_MAX_VCPUS);
	journal = &sw->journals[owner].word;
	seen = elisa_load_acquire(journal);
	if (elisa_journal_state(seen) != ELISA_JOURNAL_CLAIMING)
		return;
	run = elisa_journal_run(seen);
	if (run.port != self->port || run.queue != self->queue ||
	    run.epoch != (self->epoch & 0xfff) || run.first + run.count != self->first)
		return;
	elisa_replace(journal, seen, elisa_journal_with_state(seen, ELISA_JOURNAL_CLAIMED));
}

bool elisa_journal_claim(struct elisa_switch *sw, uint32_t vcpu, uint32_t sender, uint64_t word,
			 const struct elisa_run *run)
{
	struct elisa_journal *journal = &sw->journals[vcpu];
	uint64_t desired = elisa_queue_word(run->first + run->count, vcpu + 1, run->epoch);

	elisa_store(&journal->sender, sender);
	elisa_store_release(&journal->word, elisa_journal_word(ELISA_JOURNAL_CLAIMING, run));
	if (elisa_queue_owner(word) != vcpu + 1)
		help_owner(sw, word, run);
	return elisa_replace(&sw->queues[run->port][run->queue].word, word, desired);
}

void elisa_journal_idle(struct elisa_switch *sw, uint32_t vcpu)
{
	elisa_store_release(&sw->journals[vcpu].word, 0);
}

/* Did the claim that the journal word speaks of take place, on a ring that still is in use? */
static bool was_claimed(uint64_t journal, uint64_t queue_word, uint32_t vcpu,
			const struct elisa_run *run)
{
	if ((elisa_queue_epoch(queue_word) & 0xfff) != run->epoch ||
	    elisa_queue_owner(queue_word) == ELISA_QUEUE_UNSTARTED)
		return false;
	if (elisa_journal_state(journal) != ELISA_JOURNAL_CLAIMING)
		return true;
	return elisa_queue_owner(queue_word) == vcpu + 1 &&
	       elisa_queue_head(queue_word) == run->first + run->count;
}

bool elisa_journal_take(struct elisa_switch *sw, uint32_t vcpu, struct elisa_run *run)
{
	uint64_t *journal = &sw->journals[vcpu].word;

	/* Only a helper can be in between, once: CLAIMING -> CLAIMED. */
	for (;;) {
		uint64_t seen = __atomic_load_n(journal, __ATOMIC_SEQ_CST);
		uint64_t next = 0;
		uint64_t word;

		if (elisa_journal_state(seen) == ELISA_JOURNAL_IDLE)
			return false;
		*run = elisa_journal_run(seen);
		word = __atomic_load_n(&sw->queues[run->port][run->queue].word, __ATOMIC_SEQ_CST);
		if (was_claimed(seen, word, vcpu, run))
			next = elisa_journal_with_state(seen, ELISA_JOURNAL_RECOVERING);
		if (elisa_replace(journal, seen, next))
			return next != 0;
	}
}

bool elisa_journal_slot_is_left(const struct elisa_receive_queue *queue,
				const struct elisa_run *run, uint32_t slot, uint32_t size,
				uint64_t desc_word)
{
	uint16_t flags = desc_word >> 16;
	uint64_t word;

	if (flags != (ELISA_DESC_POSTED | elisa_slot_phase(slot, size)))
		return false;
	word = __atomic_load_n(&queue->word, __ATOMIC_SEQ_CST);
	return (elisa_queue_epoch(word) & 0xfff) == run->epoch &&
	       elisa_queue_head(word) - slot - 1 < size;
}

void elisa_journal_finished(struct elisa_switch *sw, uint32_t vcpu, const struct elisa_run *run,
			    uint32_t nb_slots)
{
	struct elisa_journal *journal = &sw->journals[vcpu];
	uint32_t sender = elisa_load(&journal->sender) & (ELISA_MAX_PORTS - 1);

	elisa_count(&sw->sent[sender].drops[ELISA_DROP_SENDER_LOST], nb_slots);
	elisa_count(&sw->received[run->port].drops[ELISA_DROP_SENDER_LOST], nb_slots);
	elisa_store_release(&journal->word, 0);
}

void elisa_journal_finish_own(struct elisa_switch *sw, uint32_t vcpu,
			      const struct elisa_port_map *maps)
{
	const struct elisa_queue_map *map;
	struct elisa_desc *ring;
	struct elisa_run run;
	uint32_t nb_slots = 0;
	uint32_t size;

	if (!elisa_journal_take(sw, vcpu, &run))
		return;
	map = &maps[run.port].queues[run.queue];
	size = elisa_load_acquire(&map->rx_size);
	if (!size || (elisa_load(&map->epoch) & 0xfff) != run.epoch) {
		elisa_journal_finished(sw, vcpu, &run, 0);
		return;
	}
	ring = (struct elisa_desc *)(uintptr_t)(elisa_load(&map->rx_ring) &
						elisa_below_mask(0, size));
	for (uint32_t slot = run.first; slot != run.first + run.count; slot++) {
		uint64_t *word = &ring[slot & (size - 1)].word;
		uint64_t seen = elisa_load_acquire(word);
		uint32_t flags =
			ELISA_DESC_DONE | ELISA_DESC_DROPPED | elisa_slot_phase(slot, size);

		if (elisa_journal_slot_is_left(&sw->queues[run.port][run.queue], &run, slot, size,
					       seen) &&
		    elisa_replace(word, seen, elisa_desc_word(0, flags)))
			nb_slots++;
	}
	elisa_journal_finished(sw, vcpu, &run, nb_slots);
}
