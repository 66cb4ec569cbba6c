/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * journal.h - how many vCPUs fill one receive ring, each of which may stop at any instruction.
 *
 * For each receive ring one trusted word says where the next claim begins, and who claimed last:
 *
 *	queue word	head:32 | owner:16 | epoch:16
 *
 * head counts slots and wraps at 2^32; slot i of lap n is head n * size + i. owner is vCPU + 1;
 * NOBODY after a restart, UNSTARTED (the whole word is 0) before the first. epoch is that of the
 * queue map; a sender that finds another one restarts the ring at head 0 (elisa_queue_open).
 *
 * For each vCPU one trusted word, its journal, says what it has in flight, one run at a time:
 *
 *	journal word	state:3 | epoch:12 | port:6 | queue:3 | count-1:8 | first:32
 *
 * A sender, to fill `count` slots from head `first` on, after it saw them all POSTED:
 *	1. journal := CLAIMING{run}
 *	2. if the queue word names another owner: journal of the owner, if it is CLAIMING a run that
 *	   ends at this head: CLAIMING -> CLAIMED (compare-and-swap)
 *	3. queue word: {first, owner} -> {first + count, self} (compare-and-swap); if it fails: again
 *	4. copy; each slot := DONE (store-release: the receiver's load-acquire sees the data), in
 *	   order but for the slots of the first packet, which come last
 *	5. journal := IDLE (store-release, after the slots)
 *
 * Whoever finishes the run of a stopped vCPU must know whether step 3 took place. It did if the
 * journal is CLAIMED, or is CLAIMING and the queue word is {first + count, that vCPU}. Nobody
 * can replace such a queue word without step 2, so a finisher that reads the journal (CLAIMING),
 * then the queue word (another), then moves the journal on by compare-and-swap, cannot be wrong:
 * had the claim taken place, the journal would have changed to CLAIMED in between.
 *
 * The finisher moves the journal to RECOVERING, then replaces each slot of the run that still is
 * POSTED with the run's phase by DONE|DROPPED, then moves the journal to IDLE. It can be stopped
 * and begun again anywhere: a slot handed back twice is prevented by the order
 *	read the slot's word -> read the queue word -> compare-and-swap the slot's word
 * A slot that was DONE is POSTED with the same phase again only two laps later, and then the head
 * is more than a lap past it. Finishers of one journal: the vCPU itself at its next call, or the
 * daemon while that vCPU cannot enter; never both.
 * A ring that was set up again has words like those of the run, and its queue word is of the epoch
 * before until somebody sends. So the finisher also asks the port's map for the epoch: the vCPU once,
 * for no ring is set up while it is inside; the daemon with each exchange (struct elisa_ring_word).
 *
 * So a stopped sender leaves whole packets, beginnings of packets that end with a DROPPED slot, and
 * DROPPED slots; a receiver throws away the beginning when it meets DROPPED in the middle of a chain.
 *
 * Partners: 1 and 3 with the finisher's reads of the journal, then the queue word; 2 with 1 of the
 * owner; 3 with 3 of all others; 4 with the receiver; 5 with the finisher's slots.
 *
 * Not covered: a vCPU that sleeps between reading the queue word and step 3 while exactly 2^32 slots
 * go by and it was the last owner on both occasions. Its claim then succeeds on addresses from
 * before: they are still inside the receiver's regions, and only that receiver sees wrong data.
 */
#ifndef ELISA_VSWITCH_DATAPATH_JOURNAL_H
#define ELISA_VSWITCH_DATAPATH_JOURNAL_H

#include "vswitch/datapath/atomic.h"
#include "vswitch/datapath/desc.h"
#include "vswitch/datapath/switch.h"

enum elisa_journal_state {
	ELISA_JOURNAL_IDLE = 0,
	ELISA_JOURNAL_CLAIMING,
	ELISA_JOURNAL_CLAIMED,
	ELISA_JOURNAL_RECOVERING,
};

#define ELISA_QUEUE_NOBODY 0xffffu
#define ELISA_QUEUE_UNSTARTED 0u

static inline uint64_t elisa_queue_word(uint32_t head, uint32_t owner, uint32_t epoch)
{
	return (uint64_t)head << 32 | (uint64_t)(owner & 0xffff) << 16 | (epoch & 0xffff);
}

static inline uint32_t elisa_queue_head(uint64_t word)
{
	return word >> 32;
}

static inline uint32_t elisa_queue_owner(uint64_t word)
{
	return word >> 16 & 0xffff;
}

static inline uint32_t elisa_queue_epoch(uint64_t word)
{
	return word & 0xffff;
}

/* Slots first .. first + count - 1 of a receive ring. */
struct elisa_run {
	uint32_t port;
	uint32_t queue;
	uint32_t first;
	uint32_t count; /* 1..256 */
	uint32_t epoch; /* 12 bits are kept */
};

static inline uint64_t elisa_journal_word(enum elisa_journal_state state,
					  const struct elisa_run *run)
{
	return (uint64_t)state << 61 | (uint64_t)(run->epoch & 0xfff) << 49 |
	       (uint64_t)run->port << 43 | (uint64_t)run->queue << 40 |
	       (uint64_t)(run->count - 1) << 32 | run->first;
}

static inline enum elisa_journal_state elisa_journal_state(uint64_t word)
{
	return (enum elisa_journal_state)(word >> 61);
}

static inline uint64_t elisa_journal_with_state(uint64_t word, enum elisa_journal_state state)
{
	return (word & ~(7ull << 61)) | (uint64_t)state << 61;
}

static inline struct elisa_run elisa_journal_run(uint64_t word)
{
	struct elisa_run run = {
		.port = word >> 43 & 0x3f,
		.queue = word >> 40 & 7,
		.first = (uint32_t)word,
		.count = (word >> 32 & 0xff) + 1,
		.epoch = word >> 49 & 0xfff,
	};

	return run;
}

/*
 * The queue word of a ring that `map` (a private copy) describes, restarted if it is of another
 * epoch. rx_ring 0: the caller never stops half-way, its runs need no finisher.
 */
uint64_t elisa_queue_open(struct elisa_receive_queue *queue, const struct elisa_queue_map *map);

/* Steps 1 to 3. `word` is the queue word that the slots were looked at with. False: lost a race. */
bool elisa_journal_claim(struct elisa_switch *sw, uint32_t vcpu, uint32_t sender, uint64_t word,
			 const struct elisa_run *run);

/* Step 5. */
void elisa_journal_idle(struct elisa_switch *sw, uint32_t vcpu);

/*
 * The finisher's first half: true if a run was claimed and must be finished (the journal is
 * RECOVERING then), false if there is nothing to do (the journal is IDLE then).
 */
bool elisa_journal_take(struct elisa_switch *sw, uint32_t vcpu, struct elisa_run *run);

/* May the finisher replace this word, which it has just read from slot `slot` of the run's ring? */
bool elisa_journal_slot_is_left(const struct elisa_receive_queue *queue,
				const struct elisa_run *run, uint32_t slot, uint32_t size,
				uint64_t desc_word);

/* The finisher's last step: count what it handed back, and let the journal be IDLE. */
void elisa_journal_finished(struct elisa_switch *sw, uint32_t vcpu, const struct elisa_run *run,
			    uint32_t nb_slots);

/*
 * A vCPU finishes its own journal, reaching the ring directly. The map is of the run's port: a ring
 * that was released since is not touched. Leaves the journal IDLE. In the trusted context.
 */
void elisa_journal_finish_own(struct elisa_switch *sw, uint32_t vcpu,
			      const struct elisa_port_map *maps);

#endif
