// SPDX-License-Identifier: BSD-3-Clause
/* tapped.c - see tapped.h. */
#include <stdlib.h>
#include <sys/mman.h>

#include "tapped.h"

static struct frame frame;

int tapped_setup(void **state)
{
	struct world *world;

	world_setup(state, 4, TAPPED_RX_RING, 2048);
	world = *state;
	world->capture = mmap(NULL, ELISA_CAPTURE_MAX, PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert_true(world->capture != MAP_FAILED);
	world->capture->nb_rings = 4;
	return 0;
}

int tapped_teardown(void **state)
{
	struct world *world = *state;

	munmap(world->capture, ELISA_CAPTURE_MAX);
	return world_teardown(state);
}

void tap_port(struct world *world, uint32_t port, uint32_t bytes)
{
	assert_int_equal(elisa_switch_port_set_capture(world->sw, port, bytes), 0);
}

const struct elisa_capture_record *tapped_peek(struct world *world, uint32_t vcpu)
{
	struct elisa_capture_ring *ring = &world->capture->rings[vcpu];
	uint64_t head = __atomic_load_n(&ring->head, __ATOMIC_ACQUIRE);
	const struct elisa_capture_record *record;
	uint32_t place;

	assert_true(head - ring->tail <= ELISA_CAPTURE_RING);
	while (ring->tail != head) {
		place = ring->tail % ELISA_CAPTURE_RING;
		record = (void *)(elisa_capture_bytes(world->capture, vcpu) + place);
		assert_true(record->size && record->size % ELISA_CAPTURE_ALIGN == 0);
		assert_true(place + record->size <= ELISA_CAPTURE_RING);
		assert_true(record->size <= head - ring->tail);
		assert_int_equal(record->consumer, 0);
		if (record->kind != ELISA_CAPTURE_FILL)
			return record;
		assert_int_equal(place + record->size, ELISA_CAPTURE_RING);
		ring->tail += record->size;
	}
	return NULL;
}

void tapped_take(struct world *world, uint32_t vcpu)
{
	world->capture->rings[vcpu].tail += tapped_peek(world, vcpu)->size;
}

void assert_tapped(struct world *world, const struct guest *from, uint32_t port, uint32_t kind,
		   uint64_t destination, uint32_t length, uint32_t captured, uint32_t seed)
{
	const struct elisa_capture_record *record = tapped_peek(world, from->vcpu);

	assert_non_null(record);
	assert_int_equal(record->port, port);
	assert_int_equal(record->kind, kind);
	assert_int_equal(record->length, length);
	assert_int_equal(record->captured, captured);
	assert_true(record->size >= sizeof(*record) + captured);
	guest_expect(&frame, from, destination, length, seed);
	assert_memory_equal(record + 1, frame.bytes, captured);
	tapped_take(world, from->vcpu);
}

void assert_nothing_tapped(struct world *world)
{
	for (uint32_t i = 0; i < world->nb_guests; i++) {
		assert_null(tapped_peek(world, i));
		for (uint32_t j = 0; j < ELISA_MAX_PORTS; j++)
			assert_int_equal(world->capture->rings[i].lost[j], 0);
	}
}
