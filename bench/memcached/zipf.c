// SPDX-License-Identifier: BSD-3-Clause
/* zipf.c - see zipf.h. Called by load.c for each request. */
#include "bench/memcached/zipf.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "bench/memcached/random.h"

int zipf_init(struct zipf *zipf, uint32_t keys, double theta)
{
	double sum = 0;

	zipf->keys = keys;
	zipf->cumulated = malloc(keys * sizeof(double));
	if (!zipf->cumulated)
		return -ENOMEM;
	for (uint32_t key = 0; key < keys; key++) {
		sum += pow(key + 1.0, -theta);
		zipf->cumulated[key] = sum;
	}
	for (uint32_t key = 0; key < keys; key++)
		zipf->cumulated[key] /= sum;
	return 0;
}

void zipf_free(struct zipf *zipf)
{
	free(zipf->cumulated);
	zipf->cumulated = NULL;
}

/* The first key whose cumulated probability is above a uniform number. */
uint32_t zipf_draw(const struct zipf *zipf, uint64_t *random)
{
	double at = random_unit(random);
	uint32_t low = 0, high = zipf->keys - 1;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (zipf->cumulated[middle] > at)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}
