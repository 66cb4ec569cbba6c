// SPDX-License-Identifier: BSD-3-Clause
/*
 * receive.c - frames that a NIC received, into the switch.
 *
 * In the trusted image. The mbufs are the queue's own: guests read and write none of them. What came
 * from the wire is checked as what came from a guest is.
 */
#include "burst.h"
#include "owner.h"
#include "pool.h"
#include "thread.h"

#include "vswitch/datapath/mask.h"
#include "vswitch/datapath/route.h"
#include "vswitch/datapath/uplink.h"

#define GOOD (RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD)

/* One whole frame in one mbuf, no shorter and no longer than Ethernet and the uplink allow. */
static bool is_frame(const struct elisa_uplink *uplink, const struct rte_mbuf *mbuf)
{
	uint32_t max = elisa_load(&uplink->mtu) + ELISA_FRAME_OVERHEAD;
	uint32_t room = elisa_load(&uplink->room);
	uint32_t length = mbuf->data_len;

	return mbuf->nb_segs == 1 && mbuf->pkt_len == length && length >= ELISA_MIN_FRAME &&
	       length <= max && length <= room && mbuf->data_off == RTE_PKTMBUF_HEADROOM;
}

static void add_packet(struct elisa_batch *batch, const struct elisa_uplink *uplink,
		       const struct rte_mbuf *mbuf)
{
	struct elisa_packet *packet = &batch->packets[batch->nb_packets++];
	const uint8_t *data = (const uint8_t *)mbuf->buf_addr + RTE_PKTMBUF_HEADROOM;
	uint32_t length = mbuf->data_len;
	uint32_t take = length < ELISA_HEADER_SIZE ? length : ELISA_HEADER_SIZE;

	packet->length = 0;
	packet->header_length = 0;
	packet->first_segment = batch->nb_segments;
	packet->nb_segments = 0;
	packet->first_desc = 0;
	packet->flags = 0;
	packet->meta = 0;
	packet->reason = ELISA_DROP_UPLINK_ERROR;
	if (elisa_unlikely(!is_frame(uplink, mbuf)))
		return;
	packet->reason = ELISA_DROP_NONE;
	if ((mbuf->ol_flags & GOOD) == GOOD)
		packet->flags = ELISA_DESC_GOOD;
	packet->length = length;
	packet->header_length = take;
	elisa_copy(packet->header, data, take);
	if (length > take) {
		struct elisa_segment *segment = &batch->segments[batch->nb_segments++];

		segment->address = (uintptr_t)(data + take);
		segment->length = length - take;
		packet->nb_segments = 1;
	}
}

static uint32_t receive_batch(struct elisa_sender *sender, const struct elisa_uplink *uplink,
			      const struct elisa_uplink_queue *queue, uint32_t budget)
{
	struct rte_mempool *pool = (struct rte_mempool *)(uintptr_t)queue->pool;
	struct elisa_batch *batch = &sender->workspace->batch;
	struct rte_mbuf *mbufs[ELISA_BATCH_PACKETS];
	uint32_t nb = budget < ELISA_BATCH_PACKETS ? budget : ELISA_BATCH_PACKETS;

	nb = elisa_burst_receive(uplink->driver, queue, mbufs, nb);
	if (!nb)
		return 0;
	batch->nb_packets = 0;
	batch->nb_segments = 0;
	for (uint32_t i = 0; i < nb; i++)
		add_packet(batch, uplink, mbufs[i]);
	elisa_route(sender, batch);
	elisa_pool_enqueue(pool, (void *const *)mbufs, nb);
	return nb;
}

static uint32_t receive(const struct elisa_context *context, struct elisa_uplink *uplink,
			uint32_t index, uint32_t budget)
{
	const struct elisa_uplink_queue *queue = &uplink->queues[index];
	uint32_t port = elisa_load(&uplink->port) % ELISA_MAX_PORTS;
	struct elisa_sender sender;
	uint32_t taken = 0;
	uint32_t nb;

	elisa_sender_begin(&sender, context, port, index);
	/* Who has a queue waits for no other: two could wait for each other. */
	sender.waited = true;
	do {
		nb = receive_batch(&sender, uplink, queue, budget - taken);
		taken += nb;
	} while (nb == ELISA_BATCH_PACKETS && taken < budget);
	if (taken)
		elisa_send_counters_add(&context->sw->sent[port], &sender.counters);
	return taken;
}

uint32_t elisa_uplink_poll(const struct elisa_context *context, uint32_t index, uint32_t budget)
{
	uint32_t masked = index & elisa_below_mask(index, ELISA_MAX_UPLINKS);
	struct elisa_uplink *uplink = &context->sw->uplinks[masked];
	uint32_t vcpu = elisa_load(&context->identity->vcpu);
	uint32_t nb_queues = elisa_load(&uplink->nb_queues);
	uint32_t taken = 0;

	if (elisa_load_acquire(&uplink->state) != ELISA_UPLINK_UP ||
	    nb_queues > ELISA_UPLINK_QUEUES)
		return 0;
	elisa_thread_enter();
	for (uint32_t i = 0; i < nb_queues && taken < budget; i++) {
		uint32_t queue = (vcpu + i) % nb_queues;

		if (!elisa_owner_take_queue(uplink, queue, vcpu))
			continue;
		taken += receive(context, uplink, queue, budget - taken);
		elisa_owner_give(&uplink->queues[queue]);
	}
	elisa_thread_leave();
	return taken;
}
