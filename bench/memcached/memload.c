// SPDX-License-Identifier: BSD-3-Clause
/* memload.c - elisa-memload: fills the keys, runs the steps, prints what was counted as JSON. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/memcached/load.h"
#include "bench/memcached/options.h"

static const char *const error_names[LOAD_ERRORS] = {
	[LOAD_CONNECT] = "connect", [LOAD_TIMEOUT] = "timeout", [LOAD_PROTOCOL] = "protocol",
	[LOAD_CLOSED] = "closed",   [LOAD_BYTES] = "bytes",     [LOAD_VERSION] = "version",
	[LOAD_UNSENT] = "unsent",
};

static uint64_t errors_of(const struct step *step)
{
	uint64_t sum = 0;

	for (int n = 0; n < LOAD_ERRORS; n++)
		sum += step->errors[n];
	return sum;
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* [[microseconds, how many], ...] in rising order: exact and short. */
static json_t *latencies_json(struct step *step)
{
	json_t *pairs = json_array();

	if (step->nb_latencies)
		qsort(step->latencies, step->nb_latencies, sizeof(uint32_t), compare);
	for (size_t n = 0, same; n < step->nb_latencies; n += same) {
		for (same = 1; n + same < step->nb_latencies; same++)
			if (step->latencies[n + same] != step->latencies[n])
				break;
		json_array_append_new(pairs, json_pack("[I, I]", (json_int_t)step->latencies[n],
						       (json_int_t)same));
	}
	return pairs;
}

static json_t *step_json(struct step *step)
{
	json_t *errors = json_object();

	for (int n = 0; n < LOAD_ERRORS; n++)
		json_object_set_new(errors, error_names[n],
				    json_integer((json_int_t)step->errors[n]));
	return json_pack("{s:f, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:o, s:o}", "rate",
			 step->rate, "sent", (json_int_t)step->sent, "stored",
			 (json_int_t)step->stored, "hits", (json_int_t)step->hits, "misses",
			 (json_int_t)step->misses, "bytes_out", (json_int_t)step->bytes_out,
			 "bytes_in", (json_int_t)step->bytes_in, "lag_us",
			 (json_int_t)(step->lag / 1000), "measured_s", (double)step->measured / 1e9,
			 "errors", errors, "latencies_us", latencies_json(step));
}

static json_t *settings_json(const struct options *options)
{
	return json_pack("{s:s, s:I, s:I, s:f, s:f, s:I, s:I, s:f, s:f, s:I}", "schedule",
			 options->fixed ? "fixed" : "poisson", "connections",
			 (json_int_t)options->connections, "keys", (json_int_t)options->keys,
			 "theta", options->theta, "set_percent", options->set_percent, "key_size",
			 (json_int_t)options->key_size, "value_size",
			 (json_int_t)options->value_size, "warm_up_s", options->warm_up,
			 "duration_s", options->duration, "seed", (json_int_t)options->seed);
}

static int run(const struct options *options, json_t *steps, json_t **fill, uint64_t *errors)
{
	struct step step = {0};
	struct load load;
	int error = load_init(&load, options, &step);

	if (!error)
		load_fill(&load);
	*fill = step_json(&step);
	*errors = errors_of(&step);
	for (unsigned int n = 0; n < options->nb_rates && !error; n++) {
		step = (struct step){0};
		error = load_run(&load, options->rates[n], &step);
		json_array_append_new(steps, step_json(&step));
		*errors += errors_of(&step);
		free(step.latencies);
	}
	load_free(&load);
	return error;
}

int main(int argc, char **argv)
{
	json_t *steps, *fill = NULL, *all;
	struct options options;
	uint64_t errors = 0;
	int error = options_read(&options, argc, argv);

	if (error)
		return error > 0 ? 0 : 2;
	steps = json_array();
	error = run(&options, steps, &fill, &errors);
	if (error) {
		json_decref(steps);
		json_decref(fill);
		fprintf(stderr, "elisa-memload: %s; fewer --keys or --connections need less\n",
			strerror(-error));
		return 1;
	}
	all = json_pack("{s:o, s:o, s:o, s:I}", "settings", settings_json(&options), "fill", fill,
			"steps", steps, "errors", (json_int_t)errors);
	json_dumpf(all, stdout, JSON_COMPACT | JSON_REAL_PRECISION(9));
	putchar('\n');
	json_decref(all);
	if (errors)
		fprintf(stderr, "elisa-memload: %llu errors; \"errors\" of each step says which\n",
			(unsigned long long)errors);
	return errors ? 1 : 0;
}
