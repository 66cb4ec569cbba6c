/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * zipf.h - which key a request is for: key k of n (from 0) with a probability proportional to
 * 1 / (k + 1)^theta. theta 0 is uniform. Exact: the cumulated probabilities are a table.
 */
#ifndef BENCH_ZIPF_H
#define BENCH_ZIPF_H

#include <stdint.h>

struct zipf {
	uint32_t keys;
	double *cumulated; /* of keys: probability of this key or one before it; owned */
};

/* keys from 1, theta from 0. -ENOMEM. zipf_free() it. */
int zipf_init(struct zipf *zipf, uint32_t keys, double theta);
void zipf_free(struct zipf *zipf);

/* A key, drawn with a step of this random state. */
uint32_t zipf_draw(const struct zipf *zipf, uint64_t *random);

#endif
