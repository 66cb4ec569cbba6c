// SPDX-License-Identifier: BSD-3-Clause
/*
 * to_switch.c - what the kernel sends: read into buffers that the switch copies from.
 *
 * Called by the queue's worker (bridge.h).
 */
#include "bridge.h"
#include "offload.h"

#include <errno.h>
#include <sys/uio.h>

#include <rte_cycles.h>
#include <rte_ethdev.h>

#define HOLD_US 10000u /* a receiver that pushes back for longer is not waited for */

int netd_to_switch_open(struct netd_worker *worker)
{
	return rte_mempool_get_bulk(worker->tap_pool, (void **)worker->spare, NETD_TAP_SEGMENTS);
}

void netd_to_switch_close(struct netd_worker *worker)
{
	rte_mempool_put_bulk(worker->tap_pool, (void **)worker->spare, NETD_TAP_SEGMENTS);
	rte_pktmbuf_free_bulk(worker->held, worker->nb_held);
	worker->nb_held = 0;
}

/* A packet of the first buffers, which hold `length` bytes; others stand in their places. */
static struct rte_mbuf *make_packet(struct netd_worker *worker, uint32_t length)
{
	uint32_t count = (length + NETD_TAP_ROOM - 1) / NETD_TAP_ROOM;
	struct rte_mbuf *fresh[NETD_TAP_SEGMENTS];
	struct rte_mbuf *packet = worker->spare[0];

	if (rte_mempool_get_bulk(worker->tap_pool, (void **)fresh, count))
		return NULL;
	for (uint32_t i = 0; i < count; i++) {
		struct rte_mbuf *segment = worker->spare[i];

		rte_pktmbuf_reset(segment);
		segment->data_len = (uint16_t)RTE_MIN(length, NETD_TAP_ROOM);
		length -= segment->data_len;
		packet->pkt_len += i ? segment->data_len : 0;
		segment->next = i + 1 < count ? worker->spare[i + 1] : NULL;
		worker->spare[i] = fresh[i];
	}
	packet->pkt_len += packet->data_len;
	packet->nb_segs = (uint16_t)count;
	return packet;
}

/* Length of the frame, 0 if there is none. */
static uint32_t read_frame(struct netd_worker *worker, struct virtio_net_hdr *header)
{
	struct iovec places[NETD_TAP_SEGMENTS + 1] = {{header, sizeof(*header)}};
	ssize_t length;

	for (uint32_t i = 0; i < NETD_TAP_SEGMENTS; i++) {
		places[i + 1].iov_base =
			(uint8_t *)worker->spare[i]->buf_addr + RTE_PKTMBUF_HEADROOM;
		places[i + 1].iov_len = NETD_TAP_ROOM;
	}
	length = readv(worker->tap, places, NETD_TAP_SEGMENTS + 1);
	return length > (ssize_t)sizeof(*header) ? (uint32_t)(length - sizeof(*header)) : 0;
}

/* False: there is no more to read. */
static bool take_frame(struct netd_worker *worker)
{
	struct virtio_net_hdr header;
	uint32_t length = read_frame(worker, &header);
	struct rte_mbuf *packet;

	if (!length)
		return false;
	packet = make_packet(worker, length);
	if (!packet) {
		netd_count(worker, NETD_TO_SWITCH_NO_MEMORY, 1);
		return true;
	}
	if (!netd_offload_to_switch(packet, &header)) {
		netd_count(worker, NETD_TO_SWITCH_MALFORMED, 1);
		rte_pktmbuf_free(packet);
		return true;
	}
	worker->held[worker->nb_held++] = packet;
	return true;
}

/* Before the call: the packets are gone after it. */
struct tally {
	uint64_t bytes, checksums, longs;
};

static struct tally tally(struct rte_mbuf *const *packets, uint32_t count)
{
	struct tally sum = {0};

	for (uint32_t i = 0; i < count; i++) {
		sum.bytes += packets[i]->pkt_len;
		sum.checksums += (packets[i]->ol_flags & RTE_MBUF_F_TX_L4_MASK) != 0;
		sum.longs += (packets[i]->ol_flags & RTE_MBUF_F_TX_TCP_SEG) != 0;
	}
	return sum;
}

/* Returns how many were taken; the others move to the front. */
static uint32_t send_held(struct netd_worker *worker)
{
	struct tally all = tally(worker->held, worker->nb_held);
	uint16_t sent = rte_eth_tx_burst(worker->port, worker->queue, worker->held,
					 (uint16_t)worker->nb_held);
	struct tally rest = tally(worker->held + sent, worker->nb_held - sent);

	netd_count(worker, NETD_TO_SWITCH_FRAMES, sent);
	netd_count(worker, NETD_TO_SWITCH_BYTES, all.bytes - rest.bytes);
	netd_count(worker, NETD_TO_SWITCH_CHECKSUMS, all.checksums - rest.checksums);
	netd_count(worker, NETD_TO_SWITCH_LONG, all.longs - rest.longs);
	worker->nb_held -= sent;
	for (uint32_t i = 0; sent && i < worker->nb_held; i++)
		worker->held[i] = worker->held[i + sent];
	return sent;
}

bool netd_to_switch(struct netd_worker *worker)
{
	uint32_t sent;

	if (!worker->nb_held) {
		for (uint32_t i = 0; i < NETD_BURST && take_frame(worker); i++)
			;
		if (!worker->nb_held)
			return false;
		worker->held_until = 0;
	}
	sent = send_held(worker);
	if (!worker->nb_held)
		return true;
	if (sent || !worker->held_until) {
		worker->held_until = rte_rdtsc() + rte_get_tsc_hz() / 1000000 * HOLD_US;
	} else if (rte_rdtsc() > worker->held_until) {
		netd_count(worker, NETD_TO_SWITCH_NOT_TAKEN, worker->nb_held);
		rte_pktmbuf_free_bulk(worker->held, worker->nb_held);
		worker->nb_held = 0;
	}
	return sent != 0;
}
