/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tapped.h - a world (world.h) of four guests with capture memory, and a consumer of its rings.
 */
#ifndef ELISA_TEST_DATAPATH_TAPPED_H
#define ELISA_TEST_DATAPATH_TAPPED_H

#include "world.h"

#include "vswitch/datapath/capture.h"

#define TAPPED_RX_RING 256
#define ALL 262144u /* bytes: more than a packet has */
#define IN ELISA_CAPTURE_IN
#define OUT ELISA_CAPTURE_OUT

int tapped_setup(void **state);
int tapped_teardown(void **state);

/* Capture so many bytes of a port's packets. */
void tap_port(struct world *world, uint32_t port, uint32_t bytes);

/* A record and its bytes, where they are. NULL: the ring is empty. */
const struct elisa_capture_record *tapped_peek(struct world *world, uint32_t vcpu);

/* Gives the record that was looked at back. */
void tapped_take(struct world *world, uint32_t vcpu);

/* The next record is this one; its bytes are the frame of guest_fill(), the first `captured`. */
void assert_tapped(struct world *world, const struct guest *from, uint32_t port, uint32_t kind,
		   uint64_t destination, uint32_t length, uint32_t captured, uint32_t seed);

/* All rings are empty and nothing was lost. */
void assert_nothing_tapped(struct world *world);

#endif
