// SPDX-License-Identifier: BSD-3-Clause
/* options.c - see options.h. Called by memload.c. */
#include "bench/memcached/options.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/memcached/value.h"

static const char help[] =
	"usage: elisa-memload --host ADDRESS --rate R[,R...] [options]\n"
	"\n"
	"Sends requests to memcached at planned times, checks each answer's bytes, and measures "
	"each\n"
	"latency from the planned time. Prints JSON. Status 0: no error of any kind was counted.\n"
	"\n"
	"  --host ADDRESS      numeric address of the server\n"
	"  --port N            its TCP port (11211)\n"
	"  --rate R[,R...]     requests a second; a step for each rate\n"
	"  --fixed             equal gaps between requests (otherwise a Poisson process)\n"
	"  --connections N     (4)\n"
	"  --keys N            (10000); each is set once before the first step\n"
	"  --theta T           keys follow a Zipf distribution with this exponent (0.99); 0: "
	"uniform\n"
	"  --set-percent P     share of SET, the rest is GET (10)\n"
	"  --key-size BYTES    (30)\n"
	"  --value-size BYTES  (200)\n"
	"  --warm-up SECONDS   of each step, not measured (1)\n"
	"  --duration SECONDS  of each step, measured (5)\n"
	"  --timeout SECONDS   a connection whose answer is later is given up (10)\n"
	"  --seed N            of the schedule, the keys and the mix (1)\n";

static const struct option long_options[] = {
	{"host", required_argument, NULL, 'h'},
	{"port", required_argument, NULL, 'p'},
	{"rate", required_argument, NULL, 'r'},
	{"fixed", no_argument, NULL, 'f'},
	{"connections", required_argument, NULL, 'c'},
	{"keys", required_argument, NULL, 'k'},
	{"theta", required_argument, NULL, 't'},
	{"set-percent", required_argument, NULL, 's'},
	{"key-size", required_argument, NULL, 'K'},
	{"value-size", required_argument, NULL, 'V'},
	{"warm-up", required_argument, NULL, 'w'},
	{"duration", required_argument, NULL, 'd'},
	{"timeout", required_argument, NULL, 'T'},
	{"seed", required_argument, NULL, 'S'},
	{"help", no_argument, NULL, 'H'},
	{0},
};

static int refuse(const char *what, const char *text)
{
	fprintf(stderr, "elisa-memload: %s '%s'; see elisa-memload --help\n", what, text);
	return -EINVAL;
}

/* A number from least to most at the start of text; *end behind it. */
static int number(const char *text, char **end, double least, double most, double *value)
{
	errno = 0;
	*value = strtod(text, end);
	if (errno || *end == text || isnan(*value) || *value < least || *value > most)
		return -EINVAL;
	return 0;
}

static int real(const char *name, const char *text, double least, double most, double *value)
{
	char *end;

	if (number(text, &end, least, most, value) || *end) {
		fprintf(stderr, "elisa-memload: --%s takes %g to %g\n", name, least, most);
		return refuse("this is not:", text);
	}
	return 0;
}

static int whole(const char *name, const char *text, double least, double most, uint32_t *value)
{
	double given;

	if (real(name, text, least, most, &given))
		return -EINVAL;
	*value = (uint32_t)given;
	return *value == given ? 0 : refuse("not a whole number:", text);
}

static int rates(struct options *options, const char *text)
{
	const char *at = text;
	char *end;

	do {
		if (options->nb_rates == RATES_MAX)
			return refuse("more rates than there is room for:", text);
		if (number(at, &end, 0.01, 1e8, &options->rates[options->nb_rates++]) ||
		    (*end && *end != ','))
			return refuse("no list of rates from 0.01 to 1e8:", text);
		at = end + 1;
	} while (*end);
	return 0;
}

static int take(struct options *options, int which, const char *name, const char *text)
{
	uint32_t seed = 0;

	switch (which) {
	case 'h':
		options->host = text;
		return 0;
	case 'p':
		options->port = text;
		return 0;
	case 'r':
		return rates(options, text);
	case 'f':
		options->fixed = true;
		return 0;
	case 'c':
		return whole(name, text, 1, CONNECTIONS_MAX, &options->connections);
	case 'k':
		return whole(name, text, 1, 1e8, &options->keys);
	case 't':
		return real(name, text, 0, 10, &options->theta);
	case 's':
		return real(name, text, 0, 100, &options->set_percent);
	case 'K':
		return whole(name, text, KEY_MIN, KEY_MAX, &options->key_size);
	case 'V':
		return whole(name, text, VALUE_MIN, VALUE_MAX, &options->value_size);
	case 'w':
		return real(name, text, 0, 1e5, &options->warm_up);
	case 'd':
		return real(name, text, 0.001, 1e5, &options->duration);
	case 'T':
		return real(name, text, 0.001, 1e4, &options->timeout);
	case 'S':
		if (whole(name, text, 0, UINT32_MAX, &seed))
			return -EINVAL;
		options->seed = seed;
		return 0;
	case 'H':
		fputs(help, stdout);
		return 1;
	default: /* getopt_long has said what is wrong */
		return -EINVAL;
	}
}

int options_read(struct options *options, int argc, char **argv)
{
	int which, index, error;

	*options = (struct options){
		.port = "11211",
		.connections = 4,
		.keys = 10000,
		.theta = 0.99,
		.set_percent = 10,
		.key_size = 30,
		.value_size = 200,
		.warm_up = 1,
		.duration = 5,
		.timeout = 10,
		.seed = 1,
	};
	while ((which = getopt_long(argc, argv, "", long_options, &index)) != -1) {
		error = take(options, which, which == '?' ? "" : long_options[index].name, optarg);
		if (error)
			return error;
	}
	if (optind < argc)
		return refuse("no option:", argv[optind]);
	if (!options->host || !options->nb_rates)
		return refuse("missing:", options->host ? "--rate" : "--host");
	return 0;
}
