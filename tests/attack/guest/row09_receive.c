// SPDX-License-Identifier: BSD-3-Clause
/* row09_receive.c - the hostile receiver's honest half: takes what came and posts anew. */
#include "attacker.h"

__attribute__((used)) uint64_t row09_packets, row09_dropped;

/* Returns the next slot of its ring. */
ATTACK_FUNCTION int64_t row09_take(void)
{
	const struct elisa_desc *ring = port_ring(&attacker_port);
	const uint8_t *data;

	while (port_receive(&attacker_port, &data, &row09_dropped)) {
		const struct elisa_desc *last = &ring[(attacker_port.next_slot - 1) % PORT_RX_SIZE];

		/* One in several slots counts with its last. */
		row09_packets += !(last->word >> 16 & ELISA_DESC_MORE);
	}
	return (int64_t)attacker_port.next_slot;
}
