/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * options.h - elisa-memload's command line.
 */
#ifndef BENCH_OPTIONS_H
#define BENCH_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#define RATES_MAX 64
#define CONNECTIONS_MAX 1024

struct options {
	const char *host; /* a numeric address */
	const char *port;
	double rates[RATES_MAX]; /* requests a second, one step for each */
	unsigned int nb_rates;
	uint32_t connections;
	uint32_t keys;
	double theta; /* of the Zipf distribution */
	double set_percent;
	uint32_t key_size, value_size; /* bytes */
	double warm_up, duration;      /* seconds of each step; latencies count after the warm-up */
	double timeout;                /* seconds from a request's planned time to its answer */
	bool fixed;                    /* equal gaps instead of a Poisson process */
	uint64_t seed;
};

/* 0, 1 for --help (printed), or -EINVAL after a sentence on standard error. */
int options_read(struct options *options, int argc, char **argv);

#endif
