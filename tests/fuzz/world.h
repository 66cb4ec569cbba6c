/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * world.h - a switch with three ports that do what they want, and what must hold after each call.
 *
 * Plays the module: what a fuzzer asks it to set up is checked as the module checks it, so port maps
 * are always legal. What is in the guests' memory is not. For the fuzzers of whole calls.
 */
#ifndef ELISA_FUZZ_WORLD_H
#define ELISA_FUZZ_WORLD_H

#include "input.h"
#include "vswitch/datapath/call.h"

#define WORLD_PORTS 3u
#define WORLD_QUEUES 2u
#define WORLD_REGIONS 3u
#define WORLD_MEMORY 0x10000u /* bytes of each guest */
#define WORLD_VCPUS 4u
#define WORLD_UPLINKS 2u /* may be added, on the ports after the guests' */
#define WORLD_ALL_PORTS (WORLD_PORTS + WORLD_UPLINKS)

/* Where a new world has its rings and buffers, in each guest's memory. */
#define WORLD_TX(queue) (0x2000u * (queue))
#define WORLD_RX(queue) (0x2000u * (queue) + 0x1000u)
#define WORLD_TX_BUFFERS 0x4000u
#define WORLD_RX_BUFFERS 0x8000u
#define WORLD_ROOM 0x800u

/* The vCPUs' capture rings, mapped as the daemon does it. Any number of them begins to exist. */
struct elisa_capture *world_capture_make(void);

/* A port is captured from now on, `bytes` of each packet; all rings go on `before_end` their end. */
void world_capture(struct elisa_switch *sw, uint32_t port, uint32_t bytes, uint32_t nb_rings,
		   uint32_t before_end);

/*
 * Around a call by `vcpu`: each packet that a captured port sent or got is in that vCPU's ring, or
 * counted as lost; the ring is a chain of records from end to end. Takes
 * what is in there.
 */
void world_capture_remember(const struct elisa_switch *sw);
void world_capture_check(const struct elisa_switch *sw, uint32_t vcpu);

/*
 * Gives any port, uplinks too, any policy, and time passes. After a call of `sender`, WORLD_ALL_PORTS
 * or more if it was none of the guests: nothing private came to the private, which `received` that
 * many packets each; no more than its rate; what it taught the table is counted. And of each packet
 * that was delivered: may the sender have sent it?
 */
struct world;
void world_set_policy(struct world *world, struct input *input);
void world_policy_check(const struct world *world, uint32_t sender, const uint64_t *received);
void world_check_source(const struct world *world, uint32_t sender, const uint8_t *bytes,
			uint32_t length);

struct world_port {
	uint8_t *memory; /* two ports may have the same */
	struct elisa_port_map *map;
};

struct world {
	struct elisa_switch *sw;
	struct elisa_context context;
	struct elisa_identity identity; /* of the next call */
	struct world_port ports[WORLD_PORTS];
};

/*
 * Three started ports, their memory registered as one region, receive rings posted. `shared`: the
 * third is in the first's memory. There is one world.
 */
struct world *world_make(bool shared);

uint64_t world_mac(uint32_t port);

/* What the port calls the byte at `offset` of its memory; an address of nothing if it has none. */
uint64_t world_gva(const struct world *world, uint32_t port, uint32_t offset);

/* Where that is, if all of it lies in one region that has `flags`; NULL otherwise. */
uint8_t *world_find(const struct world_port *port, uint64_t gva, uint64_t length, uint32_t flags);

/* As the module does them: nothing happens where it would refuse. Offsets are in the memory. */
void world_set_region(struct world *world, uint32_t port, uint32_t region, uint32_t page,
		      uint32_t nb_pages, uint32_t flags, bool apart);
void world_set_queue(struct world *world, uint32_t port, uint32_t queue, uint32_t tx_offset,
		     uint32_t rx_offset, uint32_t tx_size, uint32_t rx_size);
void world_release_queue(struct world *world, uint32_t port, uint32_t queue);

/* The slot that the switch will take next: how many went before. */
uint32_t world_head(const struct world *world, uint32_t port, uint32_t queue);

/* Posts `nb` slots, the switch's next, with buffers of `room` that begin `stride` apart. */
void world_post(struct world *world, uint32_t port, uint32_t queue, uint32_t nb, uint64_t gva,
		uint32_t stride, uint32_t room);

/*
 * One gate call by world->identity, with all oracles (world_check.c): it touches registered memory
 * only, writes only what it claimed, leaves no run in flight, and its counters add up.
 */
int64_t world_call(struct world *world, uint64_t operation, uint64_t first, uint64_t second);

#endif
