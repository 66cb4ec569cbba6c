/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * offload.h - what is still to be done to a packet: the kernel's words for it, and DPDK's.
 *
 * Called by the workers for each packet. Both sides leave the same things undone: the TCP or UDP
 * checksum, and the cutting of a long TCP packet. So nothing is computed here but the sum of the
 * pseudo header, which the kernel wants in the checksum field and the switch does not keep.
 */
#ifndef NETD_OFFLOAD_H
#define NETD_OFFLOAD_H

#include <linux/virtio_net.h>
#include <stdbool.h>

#include <rte_mbuf.h>

/* Returns false if the header cannot be right: the packet is to be dropped. */
bool netd_offload_to_switch(struct rte_mbuf *packet, const struct virtio_net_hdr *header);
bool netd_offload_to_kernel(struct rte_mbuf *packet, struct virtio_net_hdr *header);

#endif
