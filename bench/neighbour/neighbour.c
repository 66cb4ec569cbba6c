/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * neighbour.c - what a flooding neighbour costs: A sends to B as fast as it can, F does its worst.
 *
 * usage: neighbour [SECONDS [RUNS [JSON]]]
 *
 * Native: one process calls the switch as gate=local does, without isolation. A and B share one core,
 * F has the other; both should have nothing else to do. Each figure is B's rate of A's packets while F
 * floods, over that just before, while F called as often and sent nothing: two threads of one core slow
 * each other anyway. The median of some runs, with and without a policy for F. Rates are per second of
 * processor time of A's and B's thread.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "vswitch/datapath/call.h"
#include "vswitch/datapath/switch.h"

#define PORTS 3u
#define RING 256u
#define BURST 32u
#define FRAME 60u
#define ROOM 2048u
#define MEMORY 0x200000u
#define TX_AT 0x0u
#define RX_AT 0x10000u
#define TX_BUFFERS 0x20000u
#define RX_BUFFERS 0x100000u
#define MAX_RUNS 100u

#define BROADCAST 0xffffffffffffull

enum port { A, B, F };

struct guest {
	uint8_t *memory;
	struct elisa_desc *tx, *rx;
	uint32_t next; /* slot to look at */
	struct elisa_identity identity;
	struct elisa_context context;
	struct elisa_workspace workspace;
};

static struct elisa_switch *sw;
static struct elisa_port_map *maps;
static struct guest guests[PORTS];

/* What F does. */
struct flood {
	const char *name;
	uint64_t destination; /* 0: B */
	bool many_sources;
	struct elisa_port_policy policy;
};

static const struct flood floods[] = {
	{"broadcast storm", BROADCAST, false, {.learning_limit = 1024, .storm = {10000, 0}}},
	{"unicast into the same receiver",
	 0,
	 false,
	 {.learning_limit = 1024, .packets = {100000, 0}}},
	{"source addresses", 0, true, {.learning_limit = 1024, .packets = {100000, 0}}},
};
#define FLOODS (sizeof(floods) / sizeof(floods[0]))

static const struct flood *flooding;
static enum phase { IDLE, FLOODING, OVER } phase;
static uint64_t tsc_hz;

static double seconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

static void die(const char *what)
{
	fprintf(stderr, "neighbour: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void *map(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (memory == MAP_FAILED)
		die("mmap");
	return memory;
}

static uint64_t mac_of(uint32_t port)
{
	return 0x02e115a00000ull + port;
}

static void post(struct guest *guest, uint32_t slot)
{
	struct elisa_desc *desc = &guest->rx[slot % RING];
	uint64_t flags = ELISA_DESC_POSTED | (slot / RING % 2 ? ELISA_DESC_PHASE : 0);

	desc->addr = (uintptr_t)guest->memory + RX_BUFFERS + slot % RING * ROOM;
	__atomic_store_n(&desc->word, flags << 16 | ROOM, __ATOMIC_RELEASE);
}

static void make_port(uint32_t port)
{
	struct guest *guest = &guests[port];
	struct elisa_port_map *at = &maps[port];
	struct elisa_port_params params = {.backpressure = false};

	guest->memory = map(MEMORY);
	guest->tx = (struct elisa_desc *)(guest->memory + TX_AT);
	guest->rx = (struct elisa_desc *)(guest->memory + RX_AT);
	at->regions[0] = (struct elisa_region){.gva = (uintptr_t)guest->memory,
					       .window = (uintptr_t)guest->memory,
					       .flags = ELISA_REGION_WRITE,
					       .length = MEMORY};
	at->nb_regions = 1;
	at->nb_queues = 1;
	at->queues[0] = (struct elisa_queue_map){.tx_window = (uintptr_t)guest->tx,
						 .rx_ring = (uintptr_t)guest->rx,
						 .tx_size = BURST,
						 .rx_size = RING,
						 .epoch = 1};
	at->mtu = 1500;
	at->flags = ELISA_PORT_STARTED;
	elisa_mac_from_number(mac_of(port), params.mac);
	if (elisa_switch_port_add(sw, port, &params))
		exit(1);
	guest->identity = (struct elisa_identity){.magic = ELISA_IDENTITY_MAGIC,
						  .abi = ELISA_IMAGE_ABI,
						  .vcpu = port,
						  .features = ELISA_IDENTITY_TSC,
						  .ports = 1ull << port};
	guest->context = (struct elisa_context){.sw = sw,
						.identity = &guest->identity,
						.maps = maps,
						.workspace = &guest->workspace};
	for (uint32_t slot = 0; slot < RING; slot++)
		post(guest, slot);
}

static void make_world(void)
{
	struct elisa_switch_params params = {.fdb_capacity = ELISA_FDB_DEFAULT_CAPACITY,
					     .age_ticks = ELISA_FDB_DEFAULT_AGE_TICKS,
					     .seed = 0x9d39247e33776d41ull};
	uint64_t size = elisa_switch_size(params.fdb_capacity);

	sw = map(size);
	maps = map(ELISA_MAX_PORTS * sizeof(*maps));
	if (elisa_switch_init(sw, size, &params))
		exit(1);
	for (uint32_t port = 0; port < PORTS; port++)
		make_port(port);
}

static void fill(struct guest *guest, uint32_t i, uint64_t destination, uint64_t source)
{
	uint8_t *bytes = guest->memory + TX_BUFFERS + i * ROOM;

	elisa_mac_from_number(destination, bytes);
	elisa_mac_from_number(source, bytes + 6);
	guest->tx[i].addr = (uintptr_t)bytes;
	guest->tx[i].word = FRAME;
}

/* Takes what is there; how many of them are A's. */
static uint32_t drain(struct guest *guest)
{
	uint32_t nb = 0;

	for (;;) {
		uint32_t slot = guest->next;
		const uint8_t *bytes = guest->memory + RX_BUFFERS + slot % RING * ROOM;
		uint64_t word = __atomic_load_n(&guest->rx[slot % RING].word, __ATOMIC_ACQUIRE);
		uint32_t lap = slot / RING % 2 ? ELISA_DESC_PHASE : 0;

		if ((word >> 16 & (ELISA_DESC_DONE | ELISA_DESC_PHASE)) != (ELISA_DESC_DONE | lap))
			return nb;
		nb += elisa_mac_to_number(bytes + 6) == mac_of(A);
		post(guest, slot + RING);
		guest->next++;
	}
}

static void pin(int core)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(core, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("two cores are needed");
}

static void *flood(void *argument)
{
	struct guest *f = &guests[F];
	uint64_t source = 0x0a0000000000;

	(void)argument;
	pin(1);
	for (uint32_t i = 0; i < BURST; i++)
		fill(f, i, flooding->destination ? flooding->destination : mac_of(B), mac_of(F));
	while (__atomic_load_n(&phase, __ATOMIC_RELAXED) != OVER) {
		uint32_t operation = ELISA_CALL_NOP;

		if (__atomic_load_n(&phase, __ATOMIC_RELAXED) == FLOODING)
			operation = ELISA_CALL_TX;
		for (uint32_t i = 0; flooding->many_sources && i < BURST; i++)
			fill(f, i, mac_of(B), source++);
		elisa_datapath_call(&f->context, operation, F, BURST);
	}
	return NULL;
}

/* A's packets that B took, millions a second. */
static double measure(double duration)
{
	double begin = seconds(CLOCK_THREAD_CPUTIME_ID), now;
	uint64_t nb = 0;

	do {
		for (uint32_t i = 0; i < 256; i++) {
			elisa_datapath_call(&guests[A].context, ELISA_CALL_TX, A, BURST);
			nb += drain(&guests[B]);
		}
		now = seconds(CLOCK_THREAD_CPUTIME_ID);
	} while (now - begin < duration);
	return nb / (now - begin) / 1e6;
}

/* The part of A's rate that is left when F floods. */
static double measure_share(double duration, double *alone)
{
	pthread_t thread;
	double with;

	phase = IDLE;
	if (pthread_create(&thread, NULL, flood, NULL))
		exit(1);
	measure(0.05);
	*alone = measure(duration);
	__atomic_store_n(&phase, FLOODING, __ATOMIC_RELAXED);
	measure(0.05);
	with = measure(duration);
	__atomic_store_n(&phase, OVER, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	drain(&guests[B]);
	elisa_switch_fdb_flush(sw, F);
	return with / *alone;
}

static int compare(const void *left, const void *right)
{
	double difference = *(const double *)left - *(const double *)right;

	return (difference > 0) - (difference < 0);
}

static double median_share(const struct elisa_port_policy *policy, double duration, uint32_t runs,
			   double *alone)
{
	double shares[MAX_RUNS], rates[MAX_RUNS];

	if (elisa_switch_port_set_policy(sw, F, policy, tsc_hz))
		exit(1);
	for (uint32_t run = 0; run < runs; run++)
		shares[run] = measure_share(duration, &rates[run]);
	qsort(shares, runs, sizeof(shares[0]), compare);
	qsort(rates, runs, sizeof(rates[0]), compare);
	*alone = rates[runs / 2];
	return shares[runs / 2];
}

static void calibrate(void)
{
	double begin = seconds(CLOCK_MONOTONIC);
	uint64_t tsc = __builtin_ia32_rdtsc();

	while (seconds(CLOCK_MONOTONIC) - begin < 0.1)
		;
	tsc_hz = (__builtin_ia32_rdtsc() - tsc) / (seconds(CLOCK_MONOTONIC) - begin);
}

int main(int nb_arguments, char **arguments)
{
	static const struct elisa_port_policy none = {.learning_limit = ELISA_LEARNING_UNLIMITED};
	double duration = nb_arguments > 1 ? atof(arguments[1]) : 0.5, alone;
	uint32_t runs = nb_arguments > 2 ? atoi(arguments[2]) : 5;
	FILE *json = nb_arguments > 3 ? fopen(arguments[3], "w") : NULL;

	if (nb_arguments > 3 && !json)
		die(arguments[3]);
	if (!runs || runs > MAX_RUNS)
		runs = 1;
	pin(0);
	calibrate();
	make_world();
	for (uint32_t i = 0; i < BURST; i++)
		fill(&guests[A], i, mac_of(B), mac_of(A));
	printf("native, gate=local (no isolation), two cores: part of A's rate that is left when F "
	       "floods (median of %u)\n",
	       runs);
	if (json)
		fprintf(json,
			"{\"kind\": \"native\", \"gate\": \"local\", \"what\": \"part of a port's "
			"rate left by a flooding neighbour\", \"runs\": %u, \"seconds\": %g, "
			"\"floods\": [",
			runs, duration);
	for (uint32_t i = 0; i < FLOODS; i++) {
		double without, with;

		flooding = &floods[i];
		without = median_share(&none, duration, runs, &alone);
		with = median_share(&flooding->policy, duration, runs, &alone);
		printf("%-32s no limit %5.1f %%   with limits %5.1f %%   (alone %.2f Mpps)\n",
		       flooding->name, without * 100, with * 100, alone);
		if (json)
			fprintf(json,
				"%s{\"flood\": \"%s\", \"alone_mpps\": %.3f, \"left_no_limit\": "
				"%.3f, \"left_with_limits\": %.3f}",
				i ? ", " : "", flooding->name, alone, without, with);
	}
	if (json && (fputs("]}\n", json) < 0 || fclose(json)))
		die(arguments[3]);
	return 0;
}
