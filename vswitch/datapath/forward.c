/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * forward.c - the switch's decision on one packet, made on its private header.
 *
 * In the trusted image. Touches no guest memory.
 */
#include "vswitch/datapath/fdb.h"
#include "vswitch/datapath/forward.h"

static uint32_t lookup(struct elisa_sender *sender, uint64_t destination)
{
	if (destination != sender->last_destination) {
		sender->last_port = elisa_fdb_lookup(sender->sw, destination);
		sender->last_destination = destination;
	}
	return sender->last_port;
}

void elisa_forward(struct elisa_sender *sender, struct elisa_packet *packet)
{
	uint64_t destination = elisa_packet_destination(packet);
	uint64_t source = elisa_packet_source(packet);

	if (source != sender->last_source) {
		if (!source || source & ELISA_MAC_MULTICAST_BIT) {
			packet->reason = ELISA_DROP_BAD_SOURCE;
			return;
		}
		if (elisa_likely(elisa_fdb_learn(sender->sw, source, sender->port))) {
			sender->last_source = source;
			/* What was just learned may be what was not found before. */
			sender->last_destination = ELISA_NO_MAC;
		} else {
			sender->counters.unlearned++;
		}
	}
	packet->port = ELISA_FDB_NONE;
	if (!(destination & ELISA_MAC_MULTICAST_BIT))
		packet->port = lookup(sender, destination);
	if (packet->port == sender->port)
		packet->reason = ELISA_DROP_NO_DESTINATION;
}

uint32_t elisa_forward_filter(const struct elisa_sender *sender, const struct elisa_batch *batch,
			      uint32_t mask, uint32_t port, uint32_t port_flags)
{
	uint64_t mac = elisa_load(&sender->sw->config[port].mac);
	uint32_t wanted = 0;

	if (port_flags & ELISA_PORT_PROMISCUOUS)
		return mask;
	for (uint32_t rest = mask; rest; rest &= rest - 1) {
		uint32_t i = __builtin_ctz(rest);
		uint64_t destination = elisa_packet_destination(&batch->packets[i]);

		if (destination == mac || destination == ELISA_MAC_BROADCAST ||
		    (destination & ELISA_MAC_MULTICAST_BIT && port_flags & ELISA_PORT_ALLMULTICAST))
			wanted |= 1u << i;
	}
	return wanted;
}
