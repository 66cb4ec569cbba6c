/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rig.c - see rig.h. The only file of these tests that looks inside the driver.
 */
#define _GNU_SOURCE
#include "rig.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_bus_vdev.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_log.h>

#include <elisa/hypercall.h>
#include <elisa/local.h>

#include "guest-pmd/net_elisa.h"

void rig_init_eal(const char *const *options, int count)
{
	char prefix[64];
	char *arguments[16] = {(char *)"pmd", (char *)"--no-pci", (char *)"--no-telemetry", prefix,
			       (char *)"--lcores=0"};
	int used = 5;
	int i;

	snprintf(prefix, sizeof(prefix), "--file-prefix=elisa-test-%d", (int)getpid());
	for (i = 0; i < count; i++)
		arguments[used++] = (char *)(uintptr_t)options[i];
	if (rte_eal_init(used, arguments) < 0) {
		fprintf(stderr, "cannot initialise DPDK: %s\n", rte_strerror(rte_errno));
		exit(1);
	}
}

int rig_probe(const char *device, const char *arguments, uint16_t *port)
{
	int err = rte_vdev_init(device, arguments);

	if (!err && port)
		assert_int_equal(rte_eth_dev_get_port_by_name(device, port), 0);
	return err;
}

void rig_remove(const char *device)
{
	assert_int_equal(rte_vdev_uninit(device), 0);
}

int rig_configure(uint16_t port, const struct rig_options *options, struct rte_mempool *pool)
{
	struct rte_eth_conf conf = {
		.rxmode = {.mtu = options->mtu, .offloads = options->rx_offloads},
		.txmode = {.offloads = options->tx_offloads},
	};
	int err = rte_eth_dev_configure(port, 1, 1, &conf);

	if (!err)
		err = rte_eth_rx_queue_setup(port, 0, options->rx_size, SOCKET_ID_ANY, NULL, pool);
	if (!err)
		err = rte_eth_tx_queue_setup(port, 0, options->tx_size, SOCKET_ID_ANY, NULL);
	return err;
}

void rig_up(struct rig *rig, const struct rig_options *options)
{
	rig->tx_pool = rte_pktmbuf_pool_create("tx", RIG_POOL_SIZE, 0, 0, RIG_DATA_ROOM, 0);
	rig->rx_pool = rte_pktmbuf_pool_create("rx", RIG_POOL_SIZE, 0, 0, RIG_DATA_ROOM, 0);
	assert_non_null(rig->tx_pool);
	assert_non_null(rig->rx_pool);
	assert_int_equal(rig_probe("net_elisa0", "gate=local,switch=s,port=a", &rig->a), 0);
	assert_int_equal(rig_probe("net_elisa1", "gate=local,switch=s,port=b", &rig->b), 0);
	assert_int_equal(rig_configure(rig->a, options, rig->rx_pool), 0);
	assert_int_equal(rig_configure(rig->b, options, rig->rx_pool), 0);
	assert_int_equal(rte_eth_dev_start(rig->a), 0);
	assert_int_equal(rte_eth_dev_start(rig->b), 0);
}

void rig_down(struct rig *rig)
{
	assert_int_equal(rte_eth_dev_stop(rig->a), 0);
	assert_int_equal(rte_eth_dev_stop(rig->b), 0);
	rig_remove("net_elisa0");
	rig_remove("net_elisa1");
	assert_int_equal(rte_mempool_avail_count(rig->tx_pool), RIG_POOL_SIZE);
	assert_int_equal(rte_mempool_avail_count(rig->rx_pool), RIG_POOL_SIZE);
	rte_mempool_free(rig->tx_pool);
	rte_mempool_free(rig->rx_pool);
}

static uint8_t byte_at(uint32_t seed, uint32_t place)
{
	return (uint8_t)(seed * 31 + place * 7 + (place >> 8));
}

static void make_header(uint16_t from, uint16_t to, struct rte_ether_hdr *header)
{
	assert_int_equal(rte_eth_macaddr_get(from, &header->src_addr), 0);
	assert_int_equal(rte_eth_macaddr_get(to, &header->dst_addr), 0);
	header->ether_type = rte_cpu_to_be_16(0x88b5); /* IEEE 802: local experiments */
}

static void make_bytes(uint16_t from, uint16_t to, uint32_t length, uint32_t seed, uint8_t *bytes)
{
	uint32_t i;

	make_header(from, to, (struct rte_ether_hdr *)bytes);
	for (i = sizeof(struct rte_ether_hdr); i < length; i++)
		bytes[i] = byte_at(seed, i);
}

struct rte_mbuf *rig_packet(const struct rig *rig, uint16_t from, uint16_t to, uint32_t length,
			    uint32_t segment, uint32_t seed)
{
	uint8_t *bytes = malloc(length);
	struct rte_mbuf *packet = NULL;
	uint32_t done;

	assert_non_null(bytes);
	make_bytes(from, to, length, seed, bytes);
	for (done = 0; done < length; done += segment) {
		struct rte_mbuf *mbuf = rte_pktmbuf_alloc(rig->tx_pool);
		uint16_t part = (uint16_t)RTE_MIN(segment, length - done);

		assert_non_null(mbuf);
		memcpy(rte_pktmbuf_append(mbuf, part), bytes + done, part);
		if (!packet)
			packet = mbuf;
		else
			assert_int_equal(rte_pktmbuf_chain(packet, mbuf), 0);
	}
	free(bytes);
	return packet;
}

void rig_assert_packet(const struct rte_mbuf *packet, uint16_t from, uint16_t to, uint32_t length,
		       uint32_t seed)
{
	uint8_t *want = malloc(length);
	uint8_t *space = malloc(length);
	const char *reason;

	assert_non_null(want);
	assert_non_null(space);
	make_bytes(from, to, length, seed, want);
	assert_int_equal(rte_mbuf_check(packet, 1, &reason), 0);
	assert_int_equal(packet->pkt_len, length);
	assert_int_equal(packet->port, to);
	assert_memory_equal(rte_pktmbuf_read(packet, 0, length, space), want, length);
	free(space);
	free(want);
}

uint64_t rig_xstat(uint16_t port, const char *name)
{
	uint64_t id, value;

	assert_int_equal(rte_eth_xstats_get_id_by_name(port, name, &id), 0);
	assert_int_equal(rte_eth_xstats_get_by_id(port, &id, &value, 1), 1);
	return value;
}

static char *log_text;
static size_t log_size;
static FILE *log_stream;

void rig_log_begin(void)
{
	log_stream = open_memstream(&log_text, &log_size);
	assert_non_null(log_stream);
	rte_openlog_stream(log_stream);
}

unsigned int rig_log_end(const char *text)
{
	unsigned int count = 0;
	char *line, *rest;

	rte_openlog_stream(NULL);
	fclose(log_stream);
	for (line = strtok_r(log_text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		printf("  log: %s\n", line);
		count += strstr(line, text) != NULL;
	}
	free(log_text);
	return count;
}

void rig_backpressure(uint16_t port)
{
	struct net_elisa_port *driver = rte_eth_devices[port].data->dev_private;

	elisa_local_set_backpressure(driver->gate.state, true);
}

static int64_t (*answer)(const struct elisa_gate *gate, uint32_t number, void *argument,
			 uint32_t size);

static int64_t answer_busy(const struct elisa_gate *gate, uint32_t number, void *argument,
			   uint32_t size)
{
	return number == ELISA_HC_UNREGISTER ? -EBUSY : answer(gate, number, argument, size);
}

void rig_refuse_unregister(uint16_t port, bool refuse)
{
	struct net_elisa_port *driver = rte_eth_devices[port].data->dev_private;

	if (refuse)
		answer = driver->gate.hypercall;
	driver->gate.hypercall = refuse ? answer_busy : answer;
}

void rig_return_slot(uint16_t port, uint32_t slot, uint16_t length, uint16_t flags)
{
	struct net_elisa_rx_queue *queue = rte_eth_devices[port].data->rx_queues[0];
	const uint64_t word = length | (uint64_t)(ELISA_DESC_DONE | flags) << 16;

	assert_int_equal(queue->ring[slot].flags, ELISA_DESC_POSTED);
	__atomic_store_n(&queue->ring[slot].word, word, __ATOMIC_RELEASE);
}

uint16_t rig_send_while_stopped(uint16_t port, struct rte_mbuf *packet)
{
	return net_elisa_tx_burst(rte_eth_devices[port].data->tx_queues[0], &packet, 1);
}
