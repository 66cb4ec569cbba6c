/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_bridge.c - frames between a kernel that is a socket pair and a port that is a pair of rings.
 */
#include "packets.h"

#include <linux/virtio_net.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <rte_bus_vdev.h>
#include <rte_cycles.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>

#include "guest-pmd/netd/bridge.h"

#define RING_SIZE 8u
#define TAP_BUFFERS 63u
#define NEVER_US 60000u /* longer than a worker waits for a switch that takes nothing */

static struct rte_mempool *buffers;

struct bench {
	struct netd_worker worker;
	int kernel;             /* the other end of worker.tap */
	struct rte_ring *sent;  /* what the worker transmitted */
	struct rte_ring *comes; /* what it will receive */
};

static void start_port(uint16_t port, struct rte_mempool *pool)
{
	const struct rte_eth_conf conf = {0};

	assert_int_equal(rte_eth_dev_configure(port, 1, 1, &conf), 0);
	assert_int_equal(rte_eth_rx_queue_setup(port, 0, RING_SIZE, SOCKET_ID_ANY, NULL, pool), 0);
	assert_int_equal(rte_eth_tx_queue_setup(port, 0, RING_SIZE, SOCKET_ID_ANY, NULL), 0);
	assert_int_equal(rte_eth_dev_start(port), 0);
}

static int set_up(void **state)
{
	static struct bench bench;
	int pair[2];

	memset(&bench, 0, sizeof(bench));
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
	bench.kernel = pair[1];
	bench.sent = rte_ring_create("sent", RING_SIZE, SOCKET_ID_ANY, RING_F_EXACT_SZ);
	bench.comes = rte_ring_create("comes", RING_SIZE, SOCKET_ID_ANY, RING_F_EXACT_SZ);
	bench.worker.tap = pair[0];
	bench.worker.port =
		(uint16_t)rte_eth_from_rings("rings", &bench.comes, 1, &bench.sent, 1, 0);
	bench.worker.tap_pool = rte_pktmbuf_pool_create("tap", TAP_BUFFERS, 0, 0,
							NETD_TAP_ROOM + RTE_PKTMBUF_HEADROOM, 0);
	assert_non_null(bench.worker.tap_pool);
	assert_int_equal(netd_to_switch_open(&bench.worker), 0);
	start_port(bench.worker.port, bench.worker.tap_pool);
	*state = &bench;
	return 0;
}

/* Every buffer is back. */
static int tear_down(void **state)
{
	struct bench *bench = *state;

	netd_to_switch_close(&bench->worker);
	assert_int_equal(rte_mempool_avail_count(bench->worker.tap_pool), TAP_BUFFERS);
	rte_mempool_free(bench->worker.tap_pool);
	rte_eth_dev_stop(bench->worker.port);
	assert_int_equal(rte_vdev_uninit("net_ring_rings"), 0);
	rte_ring_free(bench->sent);
	rte_ring_free(bench->comes);
	close(bench->worker.tap);
	close(bench->kernel);
	return 0;
}

/* The next packet that the worker transmitted. */
static struct rte_mbuf *next_sent(const struct bench *bench)
{
	void *packet = NULL;

	assert_int_equal(rte_ring_dequeue(bench->sent, &packet), 0);
	return packet;
}

static uint8_t byte_at(uint32_t i)
{
	return (uint8_t)(i * 13 + (i >> 8));
}

static void kernel_sends(const struct bench *bench, uint32_t length)
{
	static uint8_t frame[sizeof(struct virtio_net_hdr) + 70000];

	memset(frame, 0, sizeof(struct virtio_net_hdr));
	for (uint32_t i = 0; i < length; i++)
		frame[sizeof(struct virtio_net_hdr) + i] = byte_at(i);
	length += sizeof(struct virtio_net_hdr);
	assert_int_equal(send(bench->kernel, frame, length, 0), length);
}

static void lengths_to_switch(void **state)
{
	const uint32_t lengths[] = {14, 60, 1514, NETD_TAP_ROOM, NETD_TAP_ROOM + 1, 65557};
	struct bench *bench = *state;

	for (size_t i = 0; i < RTE_DIM(lengths); i++)
		kernel_sends(bench, lengths[i]);
	assert_true(netd_to_switch(&bench->worker));
	assert_false(netd_to_switch(&bench->worker));
	assert_int_equal(bench->worker.counters[NETD_TO_SWITCH_FRAMES], RTE_DIM(lengths));
	for (size_t i = 0; i < RTE_DIM(lengths); i++) {
		static uint8_t space[70000];
		struct rte_mbuf *packet;
		const uint8_t *bytes;

		packet = next_sent(bench);
		assert_int_equal(rte_mbuf_check(packet, 1, &(const char *){NULL}), 0);
		assert_int_equal(packet->pkt_len, lengths[i]);
		bytes = rte_pktmbuf_read(packet, 0, lengths[i], space);
		for (uint32_t at = 0; at < lengths[i]; at++)
			assert_int_equal(bytes[at], byte_at(at));
		rte_pktmbuf_free(packet);
	}
}

/* What the switch does not take is offered again, in order; nothing is read meanwhile. */
static void switch_pushes_back(void **state)
{
	struct bench *bench = *state;
	struct rte_mbuf *packet;
	uint32_t seen = 0;

	for (uint32_t i = 0; i < 2 * RING_SIZE; i++)
		kernel_sends(bench, 100 + i);
	assert_true(netd_to_switch(&bench->worker));
	assert_int_equal(bench->worker.nb_held, RING_SIZE);
	kernel_sends(bench, 999);
	assert_false(netd_to_switch(&bench->worker));
	for (; seen < 2 * RING_SIZE; seen++) {
		if (rte_ring_empty(bench->sent))
			netd_to_switch(&bench->worker);
		packet = next_sent(bench);
		assert_int_equal(packet->pkt_len, 100 + seen);
		rte_pktmbuf_free(packet);
	}
	assert_true(netd_to_switch(&bench->worker));
	packet = next_sent(bench);
	assert_int_equal(packet->pkt_len, 999);
	rte_pktmbuf_free(packet);
	assert_int_equal(bench->worker.counters[NETD_TO_SWITCH_FRAMES], 2 * RING_SIZE + 1);
	assert_int_equal(bench->worker.counters[NETD_TO_SWITCH_NOT_TAKEN], 0);
}

static void switch_stays_full(void **state)
{
	struct bench *bench = *state;

	for (uint32_t i = 0; i < RING_SIZE + 3; i++)
		kernel_sends(bench, 100);
	assert_true(netd_to_switch(&bench->worker));
	assert_int_equal(bench->worker.nb_held, 3);
	assert_false(netd_to_switch(&bench->worker));
	assert_int_equal(bench->worker.nb_held, 3);
	rte_delay_us_block(NEVER_US);
	assert_false(netd_to_switch(&bench->worker));
	assert_int_equal(bench->worker.nb_held, 0);
	assert_int_equal(bench->worker.counters[NETD_TO_SWITCH_NOT_TAKEN], 3);
	assert_int_equal(bench->worker.counters[NETD_TO_SWITCH_FRAMES], RING_SIZE);
	while (!rte_ring_empty(bench->sent))
		rte_pktmbuf_free(next_sent(bench));
}

/* The switch keeps no mbuf, but it may be slow: what is read then is dropped, and reading goes on. */
static void no_buffers(void **state)
{
	struct bench *bench = *state;
	struct rte_mbuf *taken[TAP_BUFFERS - NETD_TAP_SEGMENTS];
	struct rte_mbuf *packet;

	assert_int_equal(
		rte_mempool_get_bulk(bench->worker.tap_pool, (void **)taken, RTE_DIM(taken)), 0);
	kernel_sends(bench, 100);
	assert_false(netd_to_switch(&bench->worker));
	assert_int_equal(bench->worker.counters[NETD_TO_SWITCH_NO_MEMORY], 1);
	rte_mempool_put_bulk(bench->worker.tap_pool, (void **)taken, RTE_DIM(taken));
	kernel_sends(bench, 101);
	assert_true(netd_to_switch(&bench->worker));
	packet = next_sent(bench);
	assert_int_equal(packet->pkt_len, 101);
	rte_pktmbuf_free(packet);
}

static struct rte_mbuf *chain(uint32_t nb_segments, uint16_t segment)
{
	struct rte_mbuf *packet = NULL;

	for (uint32_t i = 0; i < nb_segments; i++) {
		struct rte_mbuf *mbuf = rte_pktmbuf_alloc(buffers);
		uint8_t *bytes = (uint8_t *)rte_pktmbuf_append(mbuf, segment);

		for (uint32_t at = 0; at < segment; at++)
			bytes[at] = byte_at(i * segment + at);
		if (packet)
			assert_int_equal(rte_pktmbuf_chain(packet, mbuf), 0);
		else
			packet = mbuf;
	}
	return packet;
}

static void chains_to_kernel(void **state)
{
	static uint8_t frame[sizeof(struct virtio_net_hdr) + 70000];
	const uint32_t counts[] = {1, 2, 33};
	struct bench *bench = *state;

	for (size_t i = 0; i < RTE_DIM(counts); i++)
		assert_int_equal(rte_ring_enqueue(bench->comes, chain(counts[i], 1984)), 0);
	assert_true(netd_to_kernel(&bench->worker));
	for (size_t i = 0; i < RTE_DIM(counts); i++) {
		uint32_t length = counts[i] * 1984;

		assert_int_equal(recv(bench->kernel, frame, sizeof(frame), 0),
				 sizeof(struct virtio_net_hdr) + length);
		for (uint32_t at = 0; at < length; at++)
			assert_int_equal(frame[sizeof(struct virtio_net_hdr) + at], byte_at(at));
	}
	assert_int_equal(bench->worker.counters[NETD_TO_KERNEL_FRAMES], RTE_DIM(counts));
	assert_int_equal(bench->worker.counters[NETD_TO_KERNEL_BYTES], (1 + 2 + 33) * 1984);
	assert_int_equal(rte_mempool_in_use_count(buffers), 0);
}

static void kernel_is_full(void **state)
{
	struct bench *bench = *state;
	struct netd_worker *worker = &bench->worker;
	uint32_t sent = 0;

	for (; !worker->counters[NETD_TO_KERNEL_FULL]; sent++) {
		assert_true(sent < 10000);
		assert_int_equal(rte_ring_enqueue(bench->comes, chain(1, 1000)), 0);
		assert_true(netd_to_kernel(worker));
	}
	assert_int_equal(worker->counters[NETD_TO_KERNEL_FULL], 1);
	assert_int_equal(worker->counters[NETD_TO_KERNEL_FRAMES], sent - 1);
	assert_int_equal(rte_mempool_in_use_count(buffers), 0);
}

int test_bridge(struct rte_mempool *pool)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(lengths_to_switch, set_up, tear_down),
		cmocka_unit_test_setup_teardown(switch_pushes_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(switch_stays_full, set_up, tear_down),
		cmocka_unit_test_setup_teardown(no_buffers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(chains_to_kernel, set_up, tear_down),
		cmocka_unit_test_setup_teardown(kernel_is_full, set_up, tear_down),
	};

	buffers = pool;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
