// SPDX-License-Identifier: BSD-3-Clause
/* world_capture.c - capture rings of a world (world.h): made, and checked after a call. */
#include <string.h>

#include "vswitch/datapath/capture.h"
#include "world.h"

#define BYTES (ELISA_CAPTURE_RINGS_AT + WORLD_VCPUS * ELISA_CAPTURE_RING)

static _Alignas(4096) uint8_t memory[BYTES];
static struct elisa_capture *const rings = (struct elisa_capture *)memory;

/* Before the call. */
static uint64_t passed[WORLD_ALL_PORTS];
static uint64_t lost[WORLD_ALL_PORTS];

struct elisa_capture *world_capture_make(void)
{
	memset(rings, 0, sizeof(*rings));
	return rings;
}

void world_capture(struct elisa_switch *sw, uint32_t port, uint32_t bytes, uint32_t nb_rings,
		   uint32_t before_end)
{
	elisa_switch_port_set_capture(sw, port, bytes);
	if (nb_rings > rings->nb_rings)
		rings->nb_rings = nb_rings;
	for (uint32_t i = 0; i < WORLD_VCPUS; i++) {
		struct elisa_capture_ring *ring = &rings->rings[i];

		ring->head += 2 * ELISA_CAPTURE_RING - ring->head % ELISA_CAPTURE_RING -
			      before_end * ELISA_CAPTURE_ALIGN % ELISA_CAPTURE_RING;
		ring->tail = ring->head;
	}
}

static uint64_t count_passed(const struct elisa_switch *sw, uint32_t port)
{
	return sw->sent[port].packets + sw->received[port].packets;
}

static uint64_t count_lost(uint32_t port)
{
	uint64_t sum = rings->no_ring[port];

	for (uint32_t i = 0; i < WORLD_VCPUS; i++)
		sum += rings->rings[i].lost[port];
	return sum;
}

void world_capture_remember(const struct elisa_switch *sw)
{
	for (uint32_t port = 0; port < WORLD_ALL_PORTS; port++) {
		passed[port] = count_passed(sw, port);
		lost[port] = count_lost(port);
	}
}

/* One record of a ring at `place`, with `left` bytes up to the head. Counts its packet. */
static uint32_t check_record(const struct elisa_switch *sw, const uint8_t *bytes, uint32_t place,
			     uint64_t left, uint64_t *nb)
{
	const struct elisa_capture_record *record = (const void *)(bytes + place);

	CHECK(record->size && record->size % ELISA_CAPTURE_ALIGN == 0 && record->size <= left);
	CHECK(place + record->size <= ELISA_CAPTURE_RING && !record->consumer);
	if (record->kind == ELISA_CAPTURE_FILL) {
		CHECK(place + record->size == ELISA_CAPTURE_RING);
		return record->size;
	}
	CHECK(record->kind == ELISA_CAPTURE_IN || record->kind == ELISA_CAPTURE_OUT);
	CHECK(record->port < WORLD_ALL_PORTS);
	CHECK(record->captured <= record->length && record->captured <= ELISA_MAX_FRAME);
	/* Too long for any port, and dropped: it is in the sender's counters, and so it is here. */
	CHECK(record->length <= ELISA_MAX_SEGMENTS * UINT16_MAX);
	CHECK(record->captured <= sw->config[record->port].capture);
	CHECK(sizeof(*record) + record->captured <= record->size);
	nb[record->port]++;
	return record->size;
}

void world_capture_check(const struct elisa_switch *sw, uint32_t vcpu)
{
	uint64_t nb[WORLD_ALL_PORTS] = {0};

	for (uint32_t i = 0; i < WORLD_VCPUS; i++) {
		struct elisa_capture_ring *ring = &rings->rings[i];
		uint64_t at = ring->tail;

		CHECK(ring->head - ring->tail <= ELISA_CAPTURE_RING);
		CHECK(i == vcpu || ring->head == ring->tail);
		while (at != ring->head)
			at += check_record(sw, elisa_capture_bytes(rings, i),
					   at % ELISA_CAPTURE_RING, ring->head - at, nb);
		ring->tail = ring->head;
	}
	for (uint32_t port = 0; port < WORLD_ALL_PORTS; port++)
		if (sw->config[port].capture)
			CHECK(nb[port] + count_lost(port) - lost[port] ==
			      count_passed(sw, port) - passed[port]);
		else
			CHECK(!nb[port]);
}
