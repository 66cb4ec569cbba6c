// SPDX-License-Identifier: BSD-3-Clause
/*
 * to_kernel.c - what the switch delivered: written to the interface, which takes it synchronously.
 *
 * Called by the queue's worker (bridge.h).
 */
#include "bridge.h"
#include "offload.h"

#include <errno.h>
#include <sys/uio.h>

#include <rte_ethdev.h>

#include <elisa/ring.h>

static enum netd_counter drop_reason(int error)
{
	switch (error) {
	case EIO:
		return NETD_TO_KERNEL_DOWN;
	case EAGAIN:
		return NETD_TO_KERNEL_FULL;
	case ENOMEM:
	case ENOBUFS:
		return NETD_TO_KERNEL_NO_MEMORY;
	default:
		return NETD_TO_KERNEL_MALFORMED;
	}
}

static void write_packet(struct netd_worker *worker, struct rte_mbuf *packet)
{
	struct virtio_net_hdr header;
	struct iovec places[ELISA_MAX_SEGMENTS + 1] = {{&header, sizeof(header)}};
	int count = 1;

	if (packet->nb_segs > ELISA_MAX_SEGMENTS || !netd_offload_to_kernel(packet, &header)) {
		netd_count(worker, NETD_TO_KERNEL_MALFORMED, 1);
		return;
	}
	for (struct rte_mbuf *segment = packet; segment; segment = segment->next)
		places[count++] =
			(struct iovec){rte_pktmbuf_mtod(segment, void *), segment->data_len};
	if (writev(worker->tap, places, count) < 0) {
		netd_count(worker, drop_reason(errno), 1);
		return;
	}
	netd_count(worker, NETD_TO_KERNEL_FRAMES, 1);
	netd_count(worker, NETD_TO_KERNEL_BYTES, packet->pkt_len);
	netd_count(worker, NETD_TO_KERNEL_CHECKSUMS, header.flags != 0);
	netd_count(worker, NETD_TO_KERNEL_LONG, header.gso_type != VIRTIO_NET_HDR_GSO_NONE);
}

bool netd_to_kernel(struct netd_worker *worker)
{
	struct rte_mbuf *packets[NETD_BURST];
	uint16_t received = rte_eth_rx_burst(worker->port, worker->queue, packets, NETD_BURST);

	for (uint16_t i = 0; i < received; i++)
		write_packet(worker, packets[i]);
	rte_pktmbuf_free_bulk(packets, received);
	return received != 0;
}
