// SPDX-License-Identifier: BSD-3-Clause
/* fake_nic.c - see fake_nic.h. */
#include <stdlib.h>

#include "fake_nic.h"

#include "vswitch/uplink/thread.h"

static int inside;

void elisa_thread_enter(void)
{
	assert_int_equal(inside++, 0);
}

void elisa_thread_leave(void)
{
	assert_int_equal(--inside, 0);
}

static void assert_taken(const struct fake_nic *nic)
{
	assert_int_equal(inside, 1);
	assert_true(elisa_uplink_owner_vcpu(*nic->owner) >= 0);
}

uint16_t elisa_burst_receive(uint32_t driver, const struct elisa_uplink_queue *queue,
			     struct rte_mbuf **mbufs, uint16_t nb)
{
	struct fake_nic *nic = (struct fake_nic *)(uintptr_t)queue->receive;

	assert_int_equal(driver, NIC_DRIVER);
	assert_taken(nic);
	nb = nb < nic->nb_wire ? nb : nic->nb_wire;
	memcpy(mbufs, nic->wire, nb * sizeof(*mbufs));
	nic->nb_wire -= nb;
	memmove(nic->wire, nic->wire + nb, nic->nb_wire * sizeof(*mbufs));
	return nb;
}

uint16_t elisa_burst_transmit(uint32_t driver, const struct elisa_uplink_queue *queue,
			      struct rte_mbuf **mbufs, uint16_t nb)
{
	struct fake_nic *nic = (struct fake_nic *)(uintptr_t)queue->transmit;

	assert_int_equal(driver, NIC_DRIVER);
	assert_taken(nic);
	nb = nb < nic->room ? nb : nic->room;
	/* Whoever stops for good from here on has nothing out there that is not counted. */
	assert_true(*nic->counted >= nic->nb_sent + nb);
	for (uint32_t i = 0; i < nb; i++) {
		struct rte_mbuf *mbuf = mbufs[i];
		struct nic_frame *frame = &nic->sent[nic->nb_sent++];

		assert_true(nic->nb_sent <= NIC_FRAMES);
		assert_int_equal(mbuf->nb_segs, 1);
		assert_int_equal(mbuf->refcnt, 1);
		assert_int_equal(mbuf->ol_flags, 0);
		assert_null(mbuf->next);
		assert_int_equal(mbuf->pkt_len, mbuf->data_len);
		assert_true(mbuf->data_len >= 60 && mbuf->data_len <= NIC_ROOM);
		frame->length = mbuf->data_len;
		memcpy(frame->bytes, (uint8_t *)mbuf->buf_addr + mbuf->data_off, mbuf->data_len);
		assert_int_equal(elisa_pool_enqueue(mbuf->pool, (void **)&mbuf, 1), 0);
	}
	nic->room -= nb;
	return nb;
}

static struct rte_mbuf *make_mbuf(struct rte_mempool *mempool)
{
	struct rte_mbuf *mbuf = calloc(1, sizeof(*mbuf));

	assert_non_null(mbuf);
	mbuf->buf_addr = malloc(RTE_PKTMBUF_HEADROOM + NIC_ROOM);
	assert_non_null(mbuf->buf_addr);
	/* What was in it before must never leave. */
	memset(mbuf->buf_addr, 0xee, RTE_PKTMBUF_HEADROOM + NIC_ROOM);
	mbuf->buf_len = RTE_PKTMBUF_HEADROOM + NIC_ROOM;
	mbuf->pool = mempool;
	mbuf->refcnt = 1;
	return mbuf;
}

static void nic_make(struct fake_nic *nic)
{
	memset(nic, 0, sizeof(*nic));
	nic->pool = calloc(1, sizeof(*nic->pool) + NIC_MBUFS * sizeof(void *));
	nic->sent = calloc(NIC_FRAMES, sizeof(*nic->sent));
	assert_non_null(nic->pool);
	assert_non_null(nic->sent);
	nic->pool->capacity = NIC_MBUFS;
	nic->mempool.pool_data = nic->pool;
	nic->room = NIC_FRAMES;
	for (uint32_t i = 0; i < NIC_MBUFS; i++)
		nic->mbufs[i] = make_mbuf(&nic->mempool);
	assert_int_equal(elisa_pool_enqueue(&nic->mempool, (void **)nic->mbufs, NIC_MBUFS), 0);
}

void nics_make(struct world *world, unsigned int uplink, struct fake_nic *nics, uint32_t nb_queues,
	       bool backpressure)
{
	struct elisa_uplink_params params = {.port = NIC_PORT + uplink,
					     .driver = NIC_DRIVER,
					     .mtu = 1500,
					     .room = NIC_ROOM,
					     .nb_queues = nb_queues,
					     .backpressure = backpressure};

	assert_int_equal(elisa_switch_uplink_add(world->sw, uplink, &params), 0);
	for (uint32_t i = 0; i < nb_queues; i++) {
		nic_make(&nics[i]);
		nics[i].owner = &world->sw->uplinks[uplink].queues[i].owner;
		nics[i].counted = &world->sw->received[NIC_PORT + uplink].packets;
		assert_int_equal(elisa_switch_uplink_set_queue(
					 world->sw, uplink, i, (uintptr_t)&nics[i],
					 (uintptr_t)&nics[i], (uintptr_t)&nics[i].mempool),
				 0);
	}
	assert_int_equal(elisa_switch_uplink_set_link(world->sw, uplink, true), 0);
	assert_int_equal(elisa_switch_uplink_set_state(world->sw, uplink, ELISA_UPLINK_UP), 0);
}

void nics_free(struct world *world, unsigned int uplink, struct fake_nic *nics, uint32_t nb_queues)
{
	assert_int_equal(inside, 0);
	for (uint32_t i = 0; i < nb_queues; i++) {
		struct fake_nic *nic = &nics[i];

		assert_int_equal(
			elisa_uplink_owner_vcpu(elisa_switch_uplink_owner(world->sw, uplink, i)),
			-1);
		assert_int_equal(nic->pool->nb + nic->nb_wire, NIC_MBUFS);
		for (uint32_t k = 0; k < NIC_MBUFS; k++) {
			free(nic->mbufs[k]->buf_addr);
			free(nic->mbufs[k]);
		}
		free(nic->pool);
		free(nic->sent);
	}
}

struct rte_mbuf *nic_put(struct fake_nic *nic, uint64_t destination, uint64_t source,
			 uint32_t length, uint32_t seed)
{
	struct rte_mbuf *mbuf;
	uint8_t *bytes;

	assert_int_equal(elisa_pool_dequeue(&nic->mempool, (void **)&mbuf, 1), 0);
	mbuf->data_off = RTE_PKTMBUF_HEADROOM;
	mbuf->data_len = length;
	mbuf->pkt_len = length;
	mbuf->nb_segs = 1;
	mbuf->next = NULL;
	mbuf->ol_flags = 0;
	bytes = (uint8_t *)mbuf->buf_addr + mbuf->data_off;
	make_bytes(bytes, destination, source, length, seed);
	nic->wire[nic->nb_wire++] = mbuf;
	return mbuf;
}

int64_t guest_poll(struct world *world, const struct guest *guest, uint64_t budget)
{
	struct elisa_identity identity = {.magic = ELISA_IDENTITY_MAGIC,
					  .abi = ELISA_IMAGE_ABI,
					  .vcpu = guest->vcpu,
					  .features = guest->features,
					  .ports = 1ull << guest->port};

	return world_call(world, &identity, ELISA_CALL_POLL, guest->port, budget);
}

struct elisa_port_stats nic_stats(const struct world *world, unsigned int uplink)
{
	struct elisa_port_stats stats;

	assert_int_equal(elisa_switch_port_stats(world->sw, NIC_PORT + uplink, &stats), 0);
	return stats;
}
