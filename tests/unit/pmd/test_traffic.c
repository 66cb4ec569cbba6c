/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_traffic.c - packets from port a to port b: every one, every byte, and every mbuf back.
 */
#include "rig.h"

#include <pthread.h>
#include <sched.h>

#include <elisa/ring.h>

#define MAX_BURST 1024u

static const struct rig_options plain;

static void exact_lengths(void **state)
{
	static const uint32_t lengths[] = {14, 15, 60, 61, 64, 65, 127, 128, 1499, 1514, 1522};
	struct rte_mbuf *packet, *received[2];
	struct rte_eth_stats stats;
	uint64_t bytes = 0;
	struct rig rig;
	unsigned int i;

	(void)state;
	rig_up(&rig, &plain);
	for (i = 0; i < RTE_DIM(lengths); i++) {
		packet = rig_packet(&rig, rig.a, rig.b, lengths[i], 2048, i);
		assert_int_equal(rte_eth_tx_burst(rig.a, 0, &packet, 1), 1);
		assert_int_equal(rte_eth_rx_burst(rig.b, 0, received, 2), 1);
		rig_assert_packet(received[0], rig.a, rig.b, lengths[i], i);
		rte_pktmbuf_free(received[0]);
		bytes += lengths[i];
	}
	assert_int_equal(rte_eth_stats_get(rig.a, &stats), 0);
	assert_int_equal(stats.opackets, RTE_DIM(lengths));
	assert_int_equal(stats.obytes, bytes);
	assert_int_equal(rte_eth_stats_get(rig.b, &stats), 0);
	assert_int_equal(stats.ipackets, RTE_DIM(lengths));
	assert_int_equal(stats.ibytes, bytes);
	assert_int_equal(rte_eth_rx_burst(rig.a, 0, received, 2), 0);
	rig_down(&rig);
}

/* Sends `count` packets of 64 bytes in one burst, receives them in order, all bytes. */
static void send_burst(const struct rig *rig, uint16_t count, uint32_t seed)
{
	struct rte_mbuf *packets[MAX_BURST];
	uint16_t i;

	for (i = 0; i < count; i++)
		packets[i] = rig_packet(rig, rig->a, rig->b, 64, 2048, seed + i);
	assert_int_equal(rte_eth_tx_burst(rig->a, 0, packets, count), count);
	assert_int_equal(rte_eth_rx_burst(rig->b, 0, packets, MAX_BURST), count);
	for (i = 0; i < count; i++)
		rig_assert_packet(packets[i], rig->a, rig->b, 64, seed + i);
	rte_pktmbuf_free_bulk(packets, count);
}

/* All burst sizes to twice a gate call's, over many laps of the ring, in no more calls than needed. */
static void burst_sizes(void **state)
{
	uint64_t calls = 0;
	struct rig rig;
	uint16_t count;

	(void)state;
	rig_up(&rig, &plain);
	for (count = 1; count <= 512; count++) {
		send_burst(&rig, count, count);
		calls += (count + 255) / 256;
	}
	assert_int_equal(rig_xstat(rig.a, "tx_gate_calls"), calls);
	assert_int_equal(rig_xstat(rig.a, "tx_gate_call_packets"), 512 * 513 / 2);
	assert_int_equal(rig_xstat(rig.a, "tx_short_calls"), 0);
	rig_down(&rig);
}

static void smallest_rings(void **state)
{
	const struct rig_options options = {.rx_size = 8, .tx_size = 8};
	struct rig rig;
	uint32_t lap;

	(void)state;
	rig_up(&rig, &options);
	for (lap = 0; lap < 1000; lap++)
		send_burst(&rig, 1 + lap % 4, lap);
	rig_down(&rig);
}

static void fast_free(void **state)
{
	const struct rig_options options = {.tx_offloads = RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE};
	struct rte_mbuf *packet;
	struct rig rig;
	uint32_t round;

	(void)state;
	rig_up(&rig, &options);
	for (round = 0; round < 100; round++)
		send_burst(&rig, 200, round);
	packet = rig_packet(&rig, rig.a, rig.b, 300, 100, 1);
	assert_int_equal(rte_eth_tx_burst(rig.a, 0, &packet, 1), 1);
	assert_int_equal(rte_mempool_avail_count(rig.tx_pool), RIG_POOL_SIZE);
	rig_down(&rig);
}

/* A buffer that the application still refers to is not given back. */
static void kept_packet(void **state)
{
	struct rte_mbuf *packet;
	struct rig rig;

	(void)state;
	rig_up(&rig, &plain);
	packet = rig_packet(&rig, rig.a, rig.b, 64, 2048, 1);
	rte_mbuf_refcnt_update(packet, 1);
	assert_int_equal(rte_eth_tx_burst(rig.a, 0, &packet, 1), 1);
	assert_int_equal(rte_mbuf_refcnt_read(packet), 1);
	assert_int_equal(rte_mempool_avail_count(rig.tx_pool), RIG_POOL_SIZE - 1);
	rte_pktmbuf_free(packet);
	rig_down(&rig);
}

/* Sent over several segments, and received over several: every split, every byte. */
static void segments(void **state)
{
	const struct rig_options options = {.rx_offloads = RTE_ETH_RX_OFFLOAD_SCATTER,
					    .tx_offloads = RTE_ETH_TX_OFFLOAD_MULTI_SEGS,
					    .mtu = 9000};
	static const uint32_t lengths[] = {64, 1514, 2048, 2049, 4096, 4097, 9014, 9022};
	static const uint32_t sizes[] = {1, 13, 60, 512, 2000, 2048};
	struct rte_mbuf *packet, *received[2];
	struct rig rig;
	unsigned int i, j;

	(void)state;
	rig_up(&rig, &options);
	for (i = 0; i < RTE_DIM(lengths); i++) {
		for (j = 0; j < RTE_DIM(sizes); j++) {
			if ((lengths[i] + sizes[j] - 1) / sizes[j] > 32)
				continue;
			packet = rig_packet(&rig, rig.a, rig.b, lengths[i], sizes[j], i);
			assert_int_equal(rte_eth_tx_burst(rig.a, 0, &packet, 1), 1);
			assert_int_equal(rte_eth_rx_burst(rig.b, 0, received, 2), 1);
			rig_assert_packet(received[0], rig.a, rig.b, lengths[i], i);
			assert_int_equal(received[0]->nb_segs, (lengths[i] + 2047) / 2048);
			rte_pktmbuf_free(received[0]);
		}
	}
	rig_down(&rig);
}

/* Packets of 5 segments: 256 descriptors do not divide by 5, and none is split over two calls. */
static void segments_in_bursts(void **state)
{
	const struct rig_options options = {.tx_offloads = RTE_ETH_TX_OFFLOAD_MULTI_SEGS};
	struct rte_mbuf *packets[100];
	struct rig rig;
	unsigned int i;

	(void)state;
	rig_up(&rig, &options);
	for (i = 0; i < 100; i++)
		packets[i] = rig_packet(&rig, rig.a, rig.b, 500, 100, i);
	assert_int_equal(rte_eth_tx_burst(rig.a, 0, packets, 100), 100);
	assert_int_equal(rig_xstat(rig.a, "tx_gate_calls"), 2);
	assert_int_equal(rte_eth_rx_burst(rig.b, 0, packets, 100), 100);
	for (i = 0; i < 100; i++)
		rig_assert_packet(packets[i], rig.a, rig.b, 500, i);
	rte_pktmbuf_free_bulk(packets, 100);
	rig_down(&rig);
}

/* More segments than a gate call takes, and nothing but empty ones: freed and counted. */
static void packets_that_cannot_go(void **state)
{
	struct rte_mbuf *packets[4], *received[4];
	struct rte_eth_stats stats;
	struct rig rig;

	(void)state;
	rig_up(&rig, &plain);
	packets[0] = rig_packet(&rig, rig.a, rig.b, 64, 2048, 0);
	packets[1] = rig_packet(&rig, rig.a, rig.b, 490, 10, 1);
	packets[2] = rte_pktmbuf_alloc(rig.tx_pool);
	packets[3] = rig_packet(&rig, rig.a, rig.b, 64, 60, 3);
	assert_non_null(packets[2]);
	assert_int_equal(rte_eth_tx_prepare(rig.a, 0, packets, 4), 1);
	assert_int_equal(rte_eth_tx_burst(rig.a, 0, packets, 4), 4);
	assert_int_equal(rte_eth_rx_burst(rig.b, 0, received, 4), 2);
	rig_assert_packet(received[0], rig.a, rig.b, 64, 0);
	rig_assert_packet(received[1], rig.a, rig.b, 64, 3);
	rte_pktmbuf_free_bulk(received, 2);
	assert_int_equal(rte_eth_stats_get(rig.a, &stats), 0);
	assert_int_equal(stats.opackets, 2);
	assert_int_equal(stats.oerrors, 2);
	assert_int_equal(rig_xstat(rig.a, "tx_invalid_packets"), 2);
	rig_down(&rig);
}

/* A full receiver that drops: the sender's burst is whole, the receiver gets what had room. */
static void full_receiver_drops(void **state)
{
	const struct rig_options options = {.rx_size = 64};
	struct rte_mbuf *packets[200];
	struct rig rig;
	unsigned int i;

	(void)state;
	rig_up(&rig, &options);
	for (i = 0; i < 200; i++)
		packets[i] = rig_packet(&rig, rig.a, rig.b, 64, 2048, i);
	assert_int_equal(rte_eth_tx_burst(rig.a, 0, packets, 200), 200);
	assert_int_equal(rte_eth_rx_burst(rig.b, 0, packets, 200), 64);
	for (i = 0; i < 64; i++)
		rig_assert_packet(packets[i], rig.a, rig.b, 64, i);
	rte_pktmbuf_free_bulk(packets, 64);
	rig_down(&rig);
}

/* A full receiver that pushes back: short counts, nothing lost, nothing doubled, order kept. */
static void full_receiver_pushes_back(void **state)
{
	const struct rig_options options = {.rx_size = 64};
	struct rte_mbuf *packets[500], *received[32];
	uint32_t sent = 0, got = 0;
	struct rig rig;
	unsigned int i;

	(void)state;
	rig_up(&rig, &options);
	rig_backpressure(rig.b);
	for (i = 0; i < 500; i++)
		packets[i] = rig_packet(&rig, rig.a, rig.b, 60 + i, i % 3 ? 2048 : 40, i);
	sent = rte_eth_tx_burst(rig.a, 0, packets, 500);
	assert_int_equal(sent, 64);
	assert_int_equal(rte_eth_tx_burst(rig.a, 0, packets + sent, 500 - sent), 0);
	assert_int_equal(rig_xstat(rig.a, "tx_short_calls"), 2);
	while (got < 500) {
		uint16_t count = rte_eth_rx_burst(rig.b, 0, received, 32);

		assert_true(got + count <= sent);
		for (i = 0; i < count; i++, got++) {
			rig_assert_packet(received[i], rig.a, rig.b, 60 + got, got);
			rte_pktmbuf_free(received[i]);
		}
		if (sent < 500)
			sent += rte_eth_tx_burst(rig.a, 0, packets + sent, 500 - sent);
	}
	assert_int_equal(sent, 500);
	assert_int_equal(rte_eth_rx_burst(rig.b, 0, received, 32), 0);
	rig_down(&rig);
}

/* No mbufs for reposting: receiving pauses and is counted; it goes on when the pool has some. */
static void empty_pool(void **state)
{
	const struct rig_options options = {.rx_size = 64};
	struct rte_mbuf *hoard[RIG_POOL_SIZE], *packets[32];
	struct rte_eth_stats stats;
	unsigned int hoarded, i;
	struct rig rig;

	(void)state;
	rig_up(&rig, &options);
	hoarded = rte_mempool_avail_count(rig.rx_pool);
	assert_int_equal(rte_pktmbuf_alloc_bulk(rig.rx_pool, hoard, hoarded), 0);
	for (i = 0; i < 96; i++) {
		struct rte_mbuf *packet = rig_packet(&rig, rig.a, rig.b, 64, 2048, i);

		assert_int_equal(rte_eth_tx_burst(rig.a, 0, &packet, 1), 1);
	}
	for (i = 0; i < 64; i += 32) {
		assert_int_equal(rte_eth_rx_burst(rig.b, 0, packets, 32), 32);
		memcpy(hoard + hoarded, packets, sizeof(packets));
		hoarded += 32;
	}
	assert_int_equal(rte_eth_rx_burst(rig.b, 0, packets, 32), 0);
	assert_int_equal(rte_eth_stats_get(rig.b, &stats), 0);
	assert_true(stats.rx_nombuf > 0);

	rte_pktmbuf_free(hoard[--hoarded]);
	assert_int_equal(rte_eth_rx_burst(rig.b, 0, packets, 32), 0);
	packets[0] = rig_packet(&rig, rig.a, rig.b, 64, 2048, 1000);
	assert_int_equal(rte_eth_tx_burst(rig.a, 0, packets, 1), 1);
	assert_int_equal(rte_eth_rx_burst(rig.b, 0, packets, 32), 1);
	rig_assert_packet(packets[0], rig.a, rig.b, 64, 1000);
	rte_pktmbuf_free(packets[0]);
	rte_pktmbuf_free_bulk(hoard, hoarded);
	assert_int_equal(rte_eth_rx_burst(rig.b, 0, packets, 32), 0);
	send_burst(&rig, 32, 5);
	rig_down(&rig);
}

/* Stopped: nothing arrives, no mbuf stays out. Started again: as new. */
static void stop_and_start(void **state)
{
	struct rte_mbuf *packets[32];
	unsigned int round, i;
	struct rig rig;

	(void)state;
	rig_up(&rig, &plain);
	for (round = 0; round < 20; round++) {
		send_burst(&rig, 300, round);
		for (i = 0; i < 32; i++)
			packets[i] = rig_packet(&rig, rig.a, rig.b, 64, 2048, i);
		assert_int_equal(rte_eth_tx_burst(rig.a, 0, packets, 32), 32);
		assert_int_equal(rte_eth_dev_stop(rig.b), 0);
		assert_int_equal(rig_xstat(rig.b, "rx_stop_discards"), (round + 1) * 32);
		assert_int_equal(rte_eth_dev_stop(rig.a), 0);
		assert_int_equal(rte_mempool_avail_count(rig.rx_pool), RIG_POOL_SIZE);
		assert_int_equal(rte_mempool_avail_count(rig.tx_pool), RIG_POOL_SIZE);
		assert_int_equal(rte_eth_dev_start(rig.a), 0);
		assert_int_equal(rte_eth_dev_start(rig.b), 0);
		assert_int_equal(rte_eth_rx_burst(rig.b, 0, packets, 32), 0);
	}
	rig_down(&rig);
}

/* The receiver of a packet sent while it is stopped is nobody: sent, dropped by the switch. */
static void stopped_receiver(void **state)
{
	struct rte_mbuf *packet, *received[1];
	struct rig rig;

	(void)state;
	rig_up(&rig, &plain);
	assert_int_equal(rte_eth_dev_stop(rig.b), 0);
	packet = rig_packet(&rig, rig.a, rig.b, 64, 2048, 0);
	assert_int_equal(rte_eth_tx_burst(rig.a, 0, &packet, 1), 1);
	assert_int_equal(rte_eth_dev_start(rig.b), 0);
	assert_int_equal(rte_eth_rx_burst(rig.b, 0, received, 1), 0);
	rig_down(&rig);
}

/* Senders that were lost half-way: their slots and segments go back, other packets are whole. */
static void lost_senders(void **state)
{
	struct rte_mbuf *received[8];
	struct rig rig;

	(void)state;
	rig_up(&rig, &plain);
	rig_return_slot(rig.b, 0, 0, ELISA_DESC_DROPPED);
	rig_return_slot(rig.b, 1, 100, 0);
	rig_return_slot(rig.b, 2, 2048, ELISA_DESC_MORE);
	rig_return_slot(rig.b, 3, 2048, ELISA_DESC_MORE);
	assert_int_equal(rte_eth_rx_burst(rig.b, 0, received, 8), 1);
	assert_int_equal(received[0]->pkt_len, 100);
	rte_pktmbuf_free(received[0]);
	assert_int_equal(rig_xstat(rig.b, "rx_dropped_slots"), 1);

	rig_return_slot(rig.b, 4, 0, ELISA_DESC_DROPPED);
	rig_return_slot(rig.b, 5, 2048, ELISA_DESC_MORE);
	rig_return_slot(rig.b, 6, 10, 0);
	assert_int_equal(rte_eth_rx_burst(rig.b, 0, received, 8), 1);
	assert_int_equal(received[0]->pkt_len, 2058);
	assert_int_equal(received[0]->nb_segs, 2);
	rte_pktmbuf_free(received[0]);
	assert_int_equal(rig_xstat(rig.b, "rx_dropped_slots"), 4);
	assert_int_equal(rig_xstat(rig.b, "rx_good_packets"), 2);

	/* Half a packet when the port stops. */
	rig_return_slot(rig.b, 7, 2048, ELISA_DESC_MORE);
	assert_int_equal(rte_eth_rx_burst(rig.b, 0, received, 8), 0);
	rig_return_slot(rig.b, 8, 10, 0);
	rig_return_slot(rig.b, 9, 0, ELISA_DESC_DROPPED);
	assert_int_equal(rte_eth_dev_stop(rig.b), 0);
	assert_int_equal(rig_xstat(rig.b, "rx_stop_discards"), 1);
	assert_int_equal(rig_xstat(rig.b, "rx_dropped_slots"), 5);
	assert_int_equal(rte_mempool_avail_count(rig.rx_pool), RIG_POOL_SIZE - 1024);
	assert_int_equal(rte_eth_dev_start(rig.b), 0);
	rig_down(&rig);
}

/* A gate call that is refused takes nothing: the packet stays the application's. */
static void refused_call(void **state)
{
	struct rte_mbuf *packet;
	struct rig rig;

	(void)state;
	rig_up(&rig, &plain);
	assert_int_equal(rte_eth_dev_stop(rig.a), 0);
	packet = rig_packet(&rig, rig.a, rig.b, 64, 2048, 0);
	assert_int_equal(rig_send_while_stopped(rig.a, packet), 0);
	assert_int_equal(rig_xstat(rig.a, "tx_failed_calls"), 1);
	assert_int_equal(rig_xstat(rig.a, "tx_good_packets"), 0);
	rte_pktmbuf_free(packet);
	assert_int_equal(rte_eth_dev_start(rig.a), 0);
	rig_down(&rig);
}

#define STREAM 300000u

struct stream {
	const struct rig *rig;
	uint32_t sent;
};

static void number_packet(struct rte_mbuf *packet, uint32_t number)
{
	memcpy(rte_pktmbuf_mtod_offset(packet, void *, sizeof(struct rte_ether_hdr)), &number,
	       sizeof(number));
}

static uint32_t number_of(const struct rte_mbuf *packet)
{
	uint32_t number;

	memcpy(&number, rte_pktmbuf_mtod_offset(packet, void *, sizeof(struct rte_ether_hdr)),
	       sizeof(number));
	return number;
}

static void *send_stream(void *arg)
{
	struct stream *stream = arg;
	const struct rig *rig = stream->rig;
	struct rte_mbuf *packets[64];

	while (stream->sent < STREAM) {
		uint16_t count = RTE_MIN(1 + stream->sent % 64, STREAM - stream->sent);
		uint16_t done = 0, i;

		for (i = 0; i < count; i++) {
			packets[i] = rig_packet(rig, rig->a, rig->b, 64, 2048, 0);
			number_packet(packets[i], stream->sent + i);
		}
		while (done < count) {
			done += rte_eth_tx_burst(rig->a, 0, packets + done, count - done);
			if (done < count)
				sched_yield();
		}
		stream->sent += count;
	}
	return NULL;
}

/* Sender and receiver at the same time, over thousands of laps: all numbers, in order. */
static void two_threads(void **state)
{
	const struct rig_options options = {.rx_size = 128};
	struct rte_mbuf *received[32];
	struct stream stream;
	uint32_t got = 0;
	pthread_t thread;
	struct rig rig;

	(void)state;
	rig_up(&rig, &options);
	rig_backpressure(rig.b);
	stream = (struct stream){.rig = &rig};
	assert_int_equal(pthread_create(&thread, NULL, send_stream, &stream), 0);
	while (got < STREAM) {
		uint16_t count = rte_eth_rx_burst(rig.b, 0, received, 32);
		uint16_t i;

		for (i = 0; i < count; i++, got++)
			assert_int_equal(number_of(received[i]), got);
		rte_pktmbuf_free_bulk(received, count);
		if (count == 0)
			sched_yield();
	}
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(rte_eth_rx_burst(rig.b, 0, received, 32), 0);
	rig_down(&rig);
}

int test_traffic(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exact_lengths),       cmocka_unit_test(burst_sizes),
		cmocka_unit_test(smallest_rings),      cmocka_unit_test(fast_free),
		cmocka_unit_test(kept_packet),         cmocka_unit_test(segments),
		cmocka_unit_test(segments_in_bursts),  cmocka_unit_test(packets_that_cannot_go),
		cmocka_unit_test(full_receiver_drops), cmocka_unit_test(full_receiver_pushes_back),
		cmocka_unit_test(empty_pool),          cmocka_unit_test(stop_and_start),
		cmocka_unit_test(stopped_receiver),    cmocka_unit_test(lost_senders),
		cmocka_unit_test(refused_call),        cmocka_unit_test(two_threads),
	};

	return cmocka_run_group_tests_name("traffic", tests, NULL, NULL);
}
