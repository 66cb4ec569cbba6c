/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * world.h - a switch with guests around it, for the tests of the datapath.
 *
 * Plays the module (port maps, identities), the daemon (switch memory) and the guests (rings and
 * buffers in their own memory). Addresses that guests use differ from where their memory is, so a
 * datapath that forgets to translate crashes. All memory is shared with forked children.
 */
#ifndef ELISA_TEST_DATAPATH_WORLD_H
#define ELISA_TEST_DATAPATH_WORLD_H

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "vswitch/datapath/call.h"
#include "vswitch/datapath/journal.h"
#include "vswitch/datapath/switch.h"

#define GUEST_MEMORY 0x1000000ull
#define GUEST_TX 0x10000ull
#define GUEST_RX 0x80000ull
#define GUEST_TX_BUFFERS 0x200000ull
#define GUEST_RX_BUFFERS 0x800000ull
#define BUFFER_SIZE 0x2000ull /* apart, and the largest room */

struct guest {
	uint32_t port;
	uint32_t vcpu;
	uint32_t features; /* ELISA_IDENTITY_* of the vCPU */
	uint64_t tsc_offset;
	uint64_t mac;
	uint64_t gva; /* of its memory, as it calls it */
	uint8_t *memory;
	struct elisa_desc *tx;
	struct elisa_desc *rx;
	uint32_t rx_size;
	uint32_t room;
	uint32_t next; /* slots taken since the ring was set up, modulo 2^32 */
};

struct world {
	struct elisa_switch *sw;
	struct elisa_port_map *maps;
	struct elisa_capture *capture; /* NULL until a test makes it */
	uint32_t nb_guests;
	bool in_host; /* calls come from the host's kernel */
	struct guest guests[ELISA_MAX_PORTS];
};

/* What guest_receive() found. */
struct frame {
	uint32_t length; /* 0: slots without data came back */
	uint32_t nb_slots;
	uint8_t bytes[70000];
};

/* A switch with `nb_guests` started, promiscuous ports, rings of `ring`, room for `room` bytes. */
void world_make(struct world *world, uint32_t nb_guests, uint32_t ring, uint32_t room);
void world_free(struct world *world);

/* The same as a test's fixture: cmocka's state is the world. The teardown asserts that it is idle and sound. */
int world_setup(void **state, uint32_t nb_guests, uint32_t ring, uint32_t room);
int world_teardown(void **state);

/* As the module: set up the queue afresh (a new epoch), from head 0. */
void guest_setup_queue(struct world *world, struct guest *guest, uint32_t ring);

/* Post every slot of the lap that begins at `next`. */
void guest_post_all(struct guest *guest);

/* Write the word of slot `next` + index so that the switch may use it, or not. */
void guest_post(struct guest *guest, uint32_t slot, uint64_t gva, uint32_t room);

/* A frame's bytes: two addresses, the rest from seed. */
void make_bytes(uint8_t *bytes, uint64_t destination, uint64_t source, uint32_t length,
		uint32_t seed);

/* Make frame `i` in the guest's transmit buffers, and a descriptor for it. Contents from seed. */
void guest_fill(struct guest *guest, uint32_t i, uint64_t destination, uint32_t length,
		uint32_t seed);

uint64_t guest_tx_gva(const struct guest *guest, uint32_t i);
uint64_t guest_rx_gva(const struct guest *guest, uint32_t slot);

/* One gate call by the vCPU that `identity` names, with a workspace of its own. */
int64_t world_call(struct world *world, const struct elisa_identity *identity, uint64_t operation,
		   uint64_t first, uint64_t second);

/* The gate call, for `count` descriptors. */
int64_t guest_send(struct world *world, struct guest *guest, uint32_t count);

/* Fill one frame and send it; the call must take it. */
void guest_send_one(struct world *world, struct guest *guest, uint64_t destination, uint32_t length,
		    uint32_t seed);

/* Take the next packet, or the next slot without data, and post its slots again. False: none. */
bool guest_receive(struct guest *guest, struct frame *frame);

/* How many frames wait; takes them. Fails if one came without data. */
uint32_t guest_drain(struct guest *guest);

/* As the module's DOMAIN_CMPXCHG64, in this process. `context` is the world. */
int world_cmpxchg(void *context, const struct elisa_ring_word *word, uint64_t expected,
		  uint64_t desired, uint64_t *seen);

/* The frame that guest_fill() makes. */
void guest_expect(struct frame *frame, const struct guest *from, uint64_t destination,
		  uint32_t length, uint32_t seed);

/* Is the frame what guest_fill() made? */
void assert_frame(const struct frame *frame, const struct guest *from, uint64_t destination,
		  uint32_t length, uint32_t seed);

struct elisa_port_stats world_stats(const struct world *world, const struct guest *guest);

/* One drop was counted, with this reason, at both; and nothing else was dropped. NULL: nobody. */
void assert_drops(const struct world *world, const struct guest *sender,
		  const struct guest *receiver, enum elisa_drop_reason reason, uint64_t nb);

/* The daemon's audit has nothing to say. */
void assert_sound(const struct world *world);

/* Every journal is idle. */
void assert_idle(const struct world *world);

#endif
