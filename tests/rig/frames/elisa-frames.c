// SPDX-License-Identifier: BSD-3-Clause
/*
 * elisa-frames.c - a DPDK application that sends frames which testpmd cannot make, to a testpmd that
 * answers, and looks at every byte that comes back; or frames that nobody answers. In guests, for the
 * scenarios features and limits.
 *
 *	elisa-frames EAL-ARGUMENTS -- MODE PEER COUNT
 *
 * MODE: what the peer at the MAC address PEER does:
 *	icmpecho	answers echo requests
 *	macswap		sends UDP back, MAC addresses swapped
 *	vlan		the same with frames in a VLAN
 *	5tswap		sends UDP back, also IP addresses and ports swapped
 *	csum		sends UDP back with checksums that it let the switch fill in: sent wrong
 *	tso		sends TCP back in segments of MSS bytes: sent in frames of 8000
 * or that it only takes:
 *	strays		frames most of which a source guard is there to stop (strays.h)
 *	sources		frames each from another MAC address
 * Prints what it sent and received; status 0: all came back, in order, as it should be.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_icmp.h>
#include <rte_ip.h>
#include <rte_tcp.h>
#include <rte_udp.h>

#include "frames.h"

#define PORT 0
#define RING 256
#define NB_MBUFS 2048
#define MTU 9000
#define WINDOW 16   /* frames under way */
#define PATIENCE 20 /* seconds without an answer */

struct run {
	const struct frames_mode *mode;
	struct rte_mempool *pool;
	struct rte_ether_addr own;
	struct rte_ether_addr peer;
	uint32_t count;
	uint32_t sent;
	uint32_t received;
	uint32_t bad;
};

static void die(const char *what, int error)
{
	fprintf(stderr, "elisa-frames: %s: %s\n", what, rte_strerror(error < 0 ? -error : error));
	exit(1);
}

static void open_port(struct run *run)
{
	struct rte_eth_conf conf = {
		.rxmode = {.mtu = MTU, .offloads = RTE_ETH_RX_OFFLOAD_SCATTER},
		.txmode = {.offloads = RTE_ETH_TX_OFFLOAD_MULTI_SEGS},
	};
	int error;

	run->pool = rte_pktmbuf_pool_create("frames", NB_MBUFS, 32, 0, RTE_MBUF_DEFAULT_BUF_SIZE,
					    SOCKET_ID_ANY);
	if (!run->pool)
		die("no pool", rte_errno);
	error = rte_eth_dev_configure(PORT, 1, 1, &conf);
	if (!error)
		error = rte_eth_rx_queue_setup(PORT, 0, RING, SOCKET_ID_ANY, NULL, run->pool);
	if (!error)
		error = rte_eth_tx_queue_setup(PORT, 0, RING, SOCKET_ID_ANY, NULL);
	if (!error)
		error = rte_eth_dev_start(PORT);
	if (error)
		die("the port does not start", error);
	rte_eth_macaddr_get(PORT, &run->own);
}

/* A chain of mbufs with these bytes. */
static struct rte_mbuf *to_mbufs(struct run *run, const uint8_t *bytes, uint32_t length)
{
	struct rte_mbuf *packet = NULL;

	while (length) {
		struct rte_mbuf *mbuf = rte_pktmbuf_alloc(run->pool);
		uint16_t room, take;

		if (!mbuf)
			die("no mbuf", ENOMEM);
		room = rte_pktmbuf_tailroom(mbuf);
		take = length < room ? (uint16_t)length : room;
		memcpy(rte_pktmbuf_append(mbuf, take), bytes, take);
		if (!packet)
			packet = mbuf;
		else if (rte_pktmbuf_chain(packet, mbuf))
			die("too many mbufs", EINVAL);
		bytes += take;
		length -= take;
	}
	return packet;
}

static void send_next(struct run *run)
{
	static uint8_t bytes[FRAMES_LONGEST];
	uint32_t length = run->mode->make(bytes, run->sent, &run->own, &run->peer);
	struct rte_mbuf *packet = to_mbufs(run, bytes, length);

	while (!rte_eth_tx_burst(PORT, 0, &packet, 1))
		;
	run->sent++;
}

static void take_one(struct run *run, struct rte_mbuf *packet)
{
	static uint8_t bytes[FRAMES_LONGEST];
	uint32_t length = rte_pktmbuf_pkt_len(packet);
	const char *wrong = "longer than any";

	if (length <= sizeof(bytes)) {
		const uint8_t *read = rte_pktmbuf_read(packet, 0, length, bytes);

		if (read != bytes)
			memcpy(bytes, read, length);
		wrong = run->mode->check(bytes, length, run->received, &run->own, &run->peer);
	}
	rte_pktmbuf_free(packet);
	if (wrong && !run->bad++)
		printf("answer %u: %s\n", run->received, wrong);
	run->received++;
}

/* Until every answer is there, or none comes any more. */
static void exchange(struct run *run)
{
	uint32_t answers = run->mode->answers;
	uint64_t patience = PATIENCE * rte_get_tsc_hz();
	uint64_t last = rte_rdtsc();
	struct rte_mbuf *packets[32];

	while (run->received < run->count * answers && rte_rdtsc() - last < patience) {
		uint16_t nb;

		while (run->sent < run->count && run->sent < (run->received + WINDOW) / answers)
			send_next(run);
		nb = rte_eth_rx_burst(PORT, 0, packets, RTE_DIM(packets));
		for (uint16_t i = 0; i < nb; i++)
			take_one(run, packets[i]);
		if (nb)
			last = rte_rdtsc();
	}
}

static void send_all(struct run *run)
{
	while (run->sent < run->count)
		send_next(run);
}

int main(int nb_arguments, char **arguments)
{
	struct run run = {0};
	int used = rte_eal_init(nb_arguments, arguments);

	if (used < 0)
		die("DPDK does not start", rte_errno);
	arguments += used;
	if (nb_arguments - used != 4 || rte_ether_unformat_addr(arguments[2], &run.peer)) {
		fprintf(stderr, "usage: elisa-frames EAL-ARGUMENTS -- MODE PEER COUNT\n");
		return 2;
	}
	run.mode = frames_mode(arguments[1]);
	run.count = (uint32_t)atoi(arguments[3]);
	if (!run.mode)
		die("no such mode", EINVAL);
	open_port(&run);
	if (run.mode->answers)
		exchange(&run);
	else
		send_all(&run);
	printf("sent %u\nreceived %u\nbad %u\n", run.sent, run.received, run.bad);
	rte_eth_dev_stop(PORT);
	rte_eth_dev_close(PORT);
	rte_eal_cleanup();
	return run.bad || run.received != run.count * run.mode->answers;
}
