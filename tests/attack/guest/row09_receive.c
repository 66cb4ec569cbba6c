// SPDX-License-Identifier: BSD-3-Clause
/* row09_receive.c - the hostile receiver's honest half: takes what came and posts anew. */
#include "attacker.h"

__attribute__((used)) uint64_t row09_packets, row09_dropped;

/* Returns the next slot of its ring. */
ATTACK_FUNCTION int64_t row09_take(void)
{
	const uint8_t *data;

	while (port_receive(&attacker_port, &data, &row09_dropped))
		row09_packets++;
	return (int64_t)attacker_port.next_slot;
}
