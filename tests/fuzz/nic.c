// SPDX-License-Identifier: BSD-3-Clause
/* nic.c - see nic.h. */
#include <string.h>

#include <elisa/hypercall.h>

#include "vswitch/uplink/burst.h"
#include "vswitch/uplink/pool.h"
#include "vswitch/uplink/thread.h"

#include "commands.h"
#include "frame.h"
#include "nic.h"

#define MBUFS 48u
#define DRIVER 7u

struct nic {
	struct elisa_pool *pool;
	struct rte_mempool mempool;
	struct rte_mbuf mbufs[MBUFS];
	struct rte_mbuf *wire[MBUFS];
	uint32_t nb_wire;
	uint32_t room; /* frames that it still takes */
	struct elisa_uplink *uplink;
};

static struct nic nics[WORLD_UPLINKS][NIC_QUEUES];
static bool inside;

void elisa_thread_enter(void)
{
	CHECK(!inside);
	inside = true;
}

void elisa_thread_leave(void)
{
	CHECK(inside);
	inside = false;
}

uint16_t elisa_burst_receive(uint32_t driver, const struct elisa_uplink_queue *queue,
			     struct rte_mbuf **mbufs, uint16_t nb)
{
	struct nic *nic = (struct nic *)(uintptr_t)queue->receive;

	CHECK(inside && driver == DRIVER && elisa_uplink_owner_vcpu(queue->owner) >= 0);
	nb = nb < nic->nb_wire ? nb : nic->nb_wire;
	memcpy(mbufs, nic->wire, nb * sizeof(*mbufs));
	nic->nb_wire -= nb;
	memmove(nic->wire, nic->wire + nb, nic->nb_wire * sizeof(*mbufs));
	return nb;
}

static void check_frame(const struct nic *nic, const struct rte_mbuf *mbuf)
{
	CHECK(mbuf->nb_segs == 1 && !mbuf->next && mbuf->refcnt == 1);
	CHECK(!mbuf->ol_flags && !mbuf->tx_offload && !mbuf->vlan_tci);
	CHECK(mbuf->data_off == RTE_PKTMBUF_HEADROOM);
	CHECK(mbuf->pkt_len == mbuf->data_len && mbuf->data_len >= 60);
	CHECK(mbuf->data_len <= NIC_ROOM);
	CHECK(mbuf->data_len == 60 || mbuf->data_len <= nic->uplink->mtu + ELISA_FRAME_OVERHEAD);
}

uint16_t elisa_burst_transmit(uint32_t driver, const struct elisa_uplink_queue *queue,
			      struct rte_mbuf **mbufs, uint16_t nb)
{
	struct nic *nic = (struct nic *)(uintptr_t)queue->transmit;

	CHECK(inside && driver == DRIVER && elisa_uplink_owner_vcpu(queue->owner) >= 0);
	nb = nb < nic->room ? nb : nic->room;
	nic->room -= nb;
	for (uint32_t i = 0; i < nb; i++) {
		check_frame(nic, mbufs[i]);
		CHECK(!elisa_pool_enqueue(&nic->mempool, (void **)&mbufs[i], 1));
	}
	return nb;
}

static void make_nic(struct nic *nic, struct elisa_uplink *uplink)
{
	memset(nic, 0, sizeof(*nic));
	nic->pool = calloc(1, sizeof(*nic->pool) + MBUFS * sizeof(void *));
	nic->pool->capacity = MBUFS;
	nic->mempool.pool_data = nic->pool;
	nic->room = 64;
	nic->uplink = uplink;
	for (uint32_t i = 0; i < MBUFS; i++) {
		struct rte_mbuf *mbuf = &nic->mbufs[i];

		mbuf->buf_addr = malloc(RTE_PKTMBUF_HEADROOM + NIC_ROOM);
		mbuf->buf_len = RTE_PKTMBUF_HEADROOM + NIC_ROOM;
		CHECK(!elisa_pool_enqueue(&nic->mempool, (void **)&mbuf, 1));
	}
}

void nics_make(struct world *world)
{
	for (uint32_t i = 0; i < WORLD_UPLINKS; i++) {
		struct elisa_uplink_params params = {.port = WORLD_PORTS + i,
						     .driver = DRIVER,
						     .mtu = 1500,
						     .room = NIC_ROOM,
						     .nb_queues = NIC_QUEUES};

		CHECK(!elisa_switch_uplink_add(world->sw, i, &params));
		for (uint32_t queue = 0; queue < NIC_QUEUES; queue++) {
			struct nic *nic = &nics[i][queue];

			make_nic(nic, &world->sw->uplinks[i]);
			CHECK(!elisa_switch_uplink_set_queue(world->sw, i, queue, (uintptr_t)nic,
							     (uintptr_t)nic,
							     (uintptr_t)&nic->mempool));
		}
		CHECK(!elisa_switch_uplink_set_link(world->sw, i, true));
		CHECK(!elisa_switch_uplink_set_state(world->sw, i, ELISA_UPLINK_UP));
	}
}

void nics_free(struct world *world)
{
	CHECK(!inside);
	for (uint32_t i = 0; i < WORLD_UPLINKS; i++)
		for (uint32_t queue = 0; queue < NIC_QUEUES; queue++) {
			struct nic *nic = &nics[i][queue];
			uint64_t owner = world->sw->uplinks[i].queues[queue].owner;

			/* Whom nic_set() gave it to still has it. */
			CHECK(elisa_uplink_owner_vcpu(owner) < 0 ||
			      elisa_uplink_owner_vcpu(owner) == WORLD_VCPUS);
			CHECK(nic->pool->nb + nic->nb_wire == MBUFS);
			for (uint32_t k = 0; k < MBUFS; k++)
				free(nic->mbufs[k].buf_addr);
			free(nic->pool);
		}
}

static void fill(uint8_t *bytes, struct input *input, uint32_t length)
{
	uint64_t destination = command_take_mac(input), source = command_take_mac(input);

	memset(bytes, 0x5a, length);
	frame_shape(bytes, take(input, 1));
	elisa_mac_from_number(destination, bytes);
	elisa_mac_from_number(source, bytes + 6);
}

void nic_receive(struct input *input)
{
	uint32_t index = take(input, 1) % WORLD_UPLINKS, queue = take(input, 1) % NIC_QUEUES;
	struct nic *nic = &nics[index][queue];
	uint32_t choice = take(input, 1), length = take(input, 2);
	struct rte_mbuf *mbuf;

	if (elisa_pool_dequeue(&nic->mempool, (void **)&mbuf, 1))
		return;
	fill((uint8_t *)mbuf->buf_addr + RTE_PKTMBUF_HEADROOM, input, NIC_ROOM);
	mbuf->data_off = choice & 1 ? take(input, 2) : RTE_PKTMBUF_HEADROOM;
	mbuf->data_len = length;
	mbuf->pkt_len = choice & 2 ? take(input, 4) : length;
	mbuf->nb_segs = choice & 4 ? take(input, 2) : 1;
	mbuf->next = choice & 8 ? &nic->mbufs[take(input, 1) % MBUFS] : NULL;
	mbuf->ol_flags = choice & 16 ? take(input, 8) : 0;
	mbuf->refcnt = choice & 32 ? take(input, 2) : 1;
	mbuf->vlan_tci = choice & 64 ? take(input, 2) : 0;
	nic->wire[nic->nb_wire++] = mbuf;
}

void nic_set(struct world *world, struct input *input)
{
	uint32_t index = take(input, 1) % WORLD_UPLINKS, queue = take(input, 1) % NIC_QUEUES;
	uint32_t choice = take(input, 1), mtu = ELISA_MIN_MTU + take(input, 2);
	struct elisa_uplink *uplink = &world->sw->uplinks[index];

	elisa_switch_uplink_set_state(world->sw, index,
				      choice & 1 ? ELISA_UPLINK_DOWN : ELISA_UPLINK_UP);
	elisa_switch_uplink_set_link(world->sw, index, !(choice & 2));
	/* Another vCPU has the queue for the rest of the input, or it is free. */
	uplink->queues[queue].owner = choice & 4 ? WORLD_VCPUS + 1 : 0;
	uplink->mtu = mtu % (NIC_ROOM - ELISA_FRAME_OVERHEAD + 1);
	world->sw->config[uplink->port].backpressure = choice & 8 ? 1 : 0;
	nics[index][queue].room = take(input, 1);
}
