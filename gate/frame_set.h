/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/*
 * frame_set.h - a set of 4 KiB host-physical frames, for the prover.
 *
 * Its memory comes through the seam. Sized once: an insertion cannot fail.
 */
#ifndef ELISA_GATE_FRAME_SET_H
#define ELISA_GATE_FRAME_SET_H

#include "address.h"

struct elisa_frame_set {
	uint64_t **pages; /* open addressing; an entry is hpa | 1, or 0 */
	uint64_t mask;    /* entries - 1; entries are a power of two, at least twice the frames */
};

/* Room for `frames` frames. -ENOMEM without memory, or above 131072 frames. May sleep. */
int elisa_frame_set_create(struct elisa_frame_set *set, uint64_t frames);

/* A zeroed *set is allowed. */
void elisa_frame_set_destroy(struct elisa_frame_set *set);

/* hpa is page-aligned. Inserting one that is there changes nothing. */
void elisa_frame_set_insert(struct elisa_frame_set *set, struct elisa_hpa hpa);
bool elisa_frame_set_has(const struct elisa_frame_set *set, struct elisa_hpa hpa);

#endif
