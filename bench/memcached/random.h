/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * random.h - SplitMix64: a small repeatable generator. The schedule, the keys and the mix of
 * requests each have one of their own, so that changing one does not change the others.
 */
#ifndef BENCH_RANDOM_H
#define BENCH_RANDOM_H

#include <stdint.h>

/* One step of the state, and the number it gives. */
static inline uint64_t random_next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

/* Uniform in [0, 1), in steps of 2^-53. */
static inline double random_unit(uint64_t *state)
{
	return (double)(random_next(state) >> 11) * 0x1p-53;
}

#endif
