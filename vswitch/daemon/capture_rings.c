// SPDX-License-Identifier: BSD-3-Clause
/* capture_rings.c - see capture_rings.h. */
#include "capture_rings.h"

#include "log.h"

#include <stdlib.h>

#define GONE \
	1u /* in elisa_capture_record.consumer: handed over; else the time, or 0: not seen yet */

static bool is_whole(const struct elisa_capture_record *record, uint64_t left, uint32_t to_end)
{
	if (record->size < sizeof(*record) || record->size % ELISA_CAPTURE_ALIGN ||
	    record->size > left || record->size > to_end)
		return false;
	if (record->kind == ELISA_CAPTURE_FILL)
		return true;
	return (record->kind == ELISA_CAPTURE_IN || record->kind == ELISA_CAPTURE_OUT) &&
	       record->port < ELISA_MAX_PORTS && record->captured <= record->length &&
	       record->captured <= record->size - sizeof(*record);
}

/* The record at `place`; NULL: the ring is damaged. */
static struct elisa_capture_record *record_at(struct elisa_capture *memory, uint32_t vcpu,
					      uint64_t place, uint64_t head)
{
	uint32_t at = place % ELISA_CAPTURE_RING;
	struct elisa_capture_record *record = (void *)(elisa_capture_bytes(memory, vcpu) + at);

	return is_whole(record, head - place, ELISA_CAPTURE_RING - at) ? record : NULL;
}

static bool add_entry(struct elisa_capture_rings *rings, struct elisa_capture_record *record)
{
	if (rings->nb == rings->room) {
		size_t room = rings->room ? 2 * rings->room : 1024;
		struct elisa_capture_entry *bigger =
			realloc(rings->entries, room * sizeof(*bigger));

		if (!bigger)
			return false;
		rings->entries = bigger;
		rings->room = room;
	}
	rings->entries[rings->nb] = (struct elisa_capture_entry){
		.record = record, .ns = record->consumer, .number = rings->nb};
	rings->nb++;
	return true;
}

/* Only the daemon and the trusted context write there. Whatever did this, go on with what comes. */
static void skip_damage(struct elisa_capture_ring *ring, uint32_t vcpu, uint64_t head)
{
	elisa_log_limited(ELISA_LOG_ERROR,
			  "the capture ring of vCPU %u is damaged: what was in it is lost; "
			  "please report this",
			  vcpu);
	__atomic_store_n(&ring->tail, head, __ATOMIC_RELEASE);
}

/* Enter what one vCPU published up to `head`. */
static void find_records(struct elisa_capture_rings *rings, struct elisa_capture *memory,
			 uint32_t vcpu, uint64_t head, const struct elisa_clock *clock,
			 const struct elisa_capture_reader *reader)
{
	struct elisa_capture_ring *ring = &memory->rings[vcpu];
	size_t first = rings->nb;
	uint64_t offset = 0;
	bool known = ring->tail != head && reader->offset(reader->context, vcpu, &offset);

	for (uint64_t place = ring->tail; place != head;) {
		struct elisa_capture_record *record = record_at(memory, vcpu, place, head);

		if (!record) {
			skip_damage(ring, vcpu, head);
			rings->nb = first;
			return;
		}
		place += record->size;
		if (record->kind == ELISA_CAPTURE_FILL)
			record->consumer = GONE;
		else if (!record->consumer)
			record->consumer = known ? elisa_clock_ns(clock, record->stamp - offset)
						 : clock->now.ns;
		if (record->consumer != GONE && !add_entry(rings, record))
			return;
	}
}

static int compare(const void *a, const void *b)
{
	const struct elisa_capture_entry *one = a, *other = b;

	if (one->ns != other->ns)
		return one->ns < other->ns ? -1 : 1;
	return one->number < other->number ? -1 : 1;
}

/* Give the producer the room up to the first record that stays. */
static void give_back(struct elisa_capture *memory, uint32_t vcpu, uint64_t head)
{
	struct elisa_capture_ring *ring = &memory->rings[vcpu];
	uint64_t tail = ring->tail;

	while (tail != head) {
		const struct elisa_capture_record *record = record_at(memory, vcpu, tail, head);

		if (record->consumer != GONE)
			break;
		tail += record->size;
	}
	__atomic_store_n(&ring->tail, tail, __ATOMIC_RELEASE);
}

void elisa_capture_rings_read(struct elisa_capture_rings *rings, struct elisa_capture *memory,
			      struct elisa_clock *clock, uint64_t hold_ns,
			      const struct elisa_capture_reader *reader)
{
	uint64_t heads[ELISA_MAX_VCPUS], until;

	/* Heads first: what was published by then is stamped with what the clock then knows. */
	for (uint32_t i = 0; i < memory->nb_rings; i++)
		heads[i] = __atomic_load_n(&memory->rings[i].head, __ATOMIC_ACQUIRE);
	elisa_clock_update(clock, elisa_clock_read());
	until = clock->now.ns - hold_ns;
	rings->nb = 0;
	for (uint32_t i = 0; i < memory->nb_rings; i++)
		find_records(rings, memory, i, heads[i], clock, reader);
	if (rings->nb)
		qsort(rings->entries, rings->nb, sizeof(rings->entries[0]), compare);
	for (size_t i = 0; i < rings->nb && rings->entries[i].ns <= until; i++) {
		struct elisa_capture_entry *entry = &rings->entries[i];

		reader->sink(reader->context, entry->ns + clock->now.to_utc, entry->record);
		entry->record->consumer = GONE;
	}
	for (uint32_t i = 0; i < memory->nb_rings; i++)
		give_back(memory, i, heads[i]);
}

uint64_t elisa_capture_lost(const struct elisa_capture *memory, uint32_t port)
{
	uint64_t lost = __atomic_load_n(&memory->no_ring[port], __ATOMIC_RELAXED);

	for (uint32_t i = 0; i < memory->nb_rings; i++)
		lost += __atomic_load_n(&memory->rings[i].lost[port], __ATOMIC_RELAXED);
	return lost;
}
