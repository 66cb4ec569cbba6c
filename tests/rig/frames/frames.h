/* SPDX-License-Identifier: BSD-3-Clause */
/* frames.h - the frames of elisa-frames.c: made, and compared with what came back. */
#ifndef ELISA_RIG_FRAMES_H
#define ELISA_RIG_FRAMES_H

#include <stdint.h>

#include <rte_ether.h>

#define FRAMES_LONGEST 9018u
#define FRAMES_MSS 800u /* what the peer's testpmd is told: tso set 800 */

struct frames_mode {
	const char *name;
	uint32_t answers; /* frames that come back for one that is sent; 0: none, check is NULL */

	/* Frame `index` to the peer; its length. */
	uint32_t (*make)(uint8_t *bytes, uint32_t index, const struct rte_ether_addr *own,
			 const struct rte_ether_addr *peer);

	/* What is wrong with the answer of this number, all answers counted; NULL: nothing. */
	const char *(*check)(uint8_t *bytes, uint32_t length, uint32_t answer,
			     const struct rte_ether_addr *own, const struct rte_ether_addr *peer);
};

/* NULL: no such mode. */
const struct frames_mode *frames_mode(const char *name);

#endif
