// SPDX-License-Identifier: BSD-3-Clause
/* producer.c - see producer.h. */
#include "producer.h"

#include "fake_module.h"

#include "cmocka_all.h"

struct elisa_capture *producer_memory(void)
{
	return fake_module_mapped(ELISA_OFFSET_CAPTURE);
}

uint8_t producer_byte(uint32_t seed, uint32_t i)
{
	if (i == 12)
		return 0x08;
	if (i == 13)
		return seed % 2 ? 0x00 : 0x06;
	return (uint8_t)(seed * 17 + i * 3);
}

/* The place at the head, after what is left before the ring's end if that is too short. */
static struct elisa_capture_record *place(struct elisa_capture *memory, uint32_t vcpu,
					  uint32_t size)
{
	struct elisa_capture_ring *ring = &memory->rings[vcpu];
	uint32_t at = ring->head % ELISA_CAPTURE_RING;
	struct elisa_capture_record *record = (void *)(elisa_capture_bytes(memory, vcpu) + at);

	if (at + size <= ELISA_CAPTURE_RING)
		return record;
	record->size = ELISA_CAPTURE_RING - at;
	record->kind = ELISA_CAPTURE_FILL;
	record->consumer = 0;
	ring->head += record->size;
	return (void *)elisa_capture_bytes(memory, vcpu);
}

void producer_packet(uint32_t vcpu, uint32_t port, enum elisa_capture_kind kind, uint64_t stamp,
		     uint32_t seed, uint32_t length)
{
	struct elisa_capture *memory = producer_memory();
	uint32_t size = (uint32_t)(sizeof(struct elisa_capture_record) + length + 31) / 32 * 32;
	struct elisa_capture_record *record;
	struct elisa_capture_ring *ring;
	uint8_t *bytes;

	assert_non_null(memory);
	assert_in_range(vcpu, 0, memory->nb_rings - 1);
	assert_non_null(fake_module_mapped(ELISA_OFFSET_CAPTURE + ELISA_CAPTURE_RINGS_AT +
					   (uint64_t)(vcpu + 1) * ELISA_CAPTURE_RING - 1));
	ring = &memory->rings[vcpu];
	record = place(memory, vcpu, size);
	assert_true(ring->head + size - __atomic_load_n(&ring->tail, __ATOMIC_ACQUIRE) <=
		    ELISA_CAPTURE_RING);
	*record = (struct elisa_capture_record){
		.stamp = stamp,
		.size = size,
		.length = length,
		.captured = length,
		.port = (uint16_t)port,
		.kind = (uint16_t)kind,
	};
	bytes = (uint8_t *)(record + 1);
	for (uint32_t i = 0; i < length; i++)
		bytes[i] = producer_byte(seed, i);
	__atomic_store_n(&ring->head, ring->head + size, __ATOMIC_RELEASE);
}

void producer_now(uint32_t vcpu, uint32_t port, enum elisa_capture_kind kind, uint32_t seed,
		  uint32_t length)
{
	producer_packet(vcpu, port, kind, __builtin_ia32_rdtsc(), seed, length);
}
