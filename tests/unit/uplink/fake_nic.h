/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fake_nic.h - a NIC for the tests of vswitch/uplink/: burst functions that keep what is sent and hand
 * out what a test put on the wire, and a thread block of which only the order is checked.
 */
#ifndef ELISA_TEST_UPLINK_FAKE_NIC_H
#define ELISA_TEST_UPLINK_FAKE_NIC_H

#include "../datapath/world.h"

#include "vswitch/uplink/burst.h"
#include "vswitch/uplink/drivers.h"
#include "vswitch/uplink/owner.h"
#include "vswitch/uplink/pool.h"

#define NIC_MBUFS 64u
#define NIC_ROOM 2048u
#define NIC_FRAMES 4096u
#define NIC_PORT 40u /* the first uplink's port number */
#define NIC_DRIVER 1000u

struct nic_frame {
	uint32_t length;
	uint8_t bytes[NIC_ROOM];
};

/* One queue. */
struct fake_nic {
	struct elisa_pool *pool;
	struct rte_mempool mempool;
	struct rte_mbuf *mbufs[NIC_MBUFS];
	struct rte_mbuf *wire[NIC_MBUFS]; /* came in, not taken yet */
	uint32_t nb_wire;
	uint32_t room; /* frames that transmit still takes */
	struct nic_frame *sent;
	uint32_t nb_sent;
	const uint64_t *owner;   /* is it taken whenever a burst function runs? */
	const uint64_t *counted; /* packets of the port: is each counted before it is sent? */
};

/* Uplink `uplink` of the world's switch, on port NIC_PORT + uplink, up, with `nb_queues` NICs. */
void nics_make(struct world *world, unsigned int uplink, struct fake_nic *nics, uint32_t nb_queues,
	       bool backpressure);

/* Every mbuf is back in its pool, no queue is taken, the thread block was left. */
void nics_free(struct world *world, unsigned int uplink, struct fake_nic *nics, uint32_t nb_queues);

/* A frame comes from the wire; the mbuf can be spoilt before it is taken. */
struct rte_mbuf *nic_put(struct fake_nic *nic, uint64_t destination, uint64_t source,
			 uint32_t length, uint32_t seed);

/* A gate call to poll, by a vCPU that may use `guest`'s port. */
int64_t guest_poll(struct world *world, const struct guest *guest, uint64_t budget);

struct elisa_port_stats nic_stats(const struct world *world, unsigned int uplink);

#endif
