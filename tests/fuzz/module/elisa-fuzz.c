// SPDX-License-Identifier: BSD-3-Clause
/*
 * elisa-fuzz.c - a fuzzer of the module's entry points that is guided by coverage: it begins with a corpus,
 * changes inputs and keeps those that reach something new. Needs the testing build of elisa.ko
 * (tests/mutations).
 *
 * usage: elisa-fuzz hypercalls|ioctls SECONDS [SEED]
 *
 * SECONDS are its own CPU time, after the corpus. The same seed makes the same inputs, as far as the
 * clock lets it. Prints "ok NAME" or "FAIL NAME REASON", and "figure NAME VALUE". What failed goes to NAME.failed, in
 * $RIG_SCENARIO_OUTPUT.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fuzz.h"

#define ROOM 8192u
#define PROVE_EVERY 64u

static struct world world;
static struct input inputs[ROOM]; /* the corpus */
static uint32_t nb_inputs;
static struct input recent[PROVE_EVERY]; /* since the last proof */
static uint32_t nb_recent;
static uint64_t runs;

static double cpu_seconds(void)
{
	struct timespec time;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

static const char *prove(void)
{
	const char *reason = world_prove(&world);

	if (!reason)
		nb_recent = 0;
	return reason;
}

/* Kept, if it reaches something new. */
static const char *try(const struct target *target, const struct input *input)
{
	uint32_t before = world_record(&world, ELISA_TEST_RECORD), after;
	const char *reason;

	recent[nb_recent++] = *input;
	reason = target->run(&world, input);
	after = world_record(&world, ELISA_TEST_RECORD_STOP);
	runs++;
	if (!reason)
		reason = world_check(&world);
	if (reason)
		return reason;
	if (after > before && nb_inputs < ROOM)
		inputs[nb_inputs++] = *input;
	return nb_recent == PROVE_EVERY ? prove() : NULL;
}

static const char *try_text(const struct target *target, const char *text)
{
	const char *reason = NULL;
	struct input input;

	while (!reason && input_read(&text, &input))
		reason = try(target, &input);
	return reason;
}

static const char *fuzz(const struct target *target, double seconds, uint64_t random)
{
	double end = cpu_seconds() + seconds;
	const char *reason = NULL;
	struct input input;

	while (!reason && cpu_seconds() < end) {
		input_mutate(&random, inputs, nb_inputs, &input);
		reason = try(target, &input);
	}
	return reason ? reason : prove();
}

static void keep_failed(const struct target *target)
{
	const char *folder = getenv("RIG_SCENARIO_OUTPUT");
	char path[256];
	uint32_t i;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s.failed", folder ? folder : ".", target->name);
	file = fopen(path, "w");
	if (!file)
		die(path);
	fprintf(file,
		"# To run it again: as a file of tests/fuzz/corpus/%s/, which is listed in\n"
		"# tests/fuzz/module/meson.build; then FUZZ_SECONDS=0 ./run test fuzz-module\n",
		target->name);
	for (i = 0; i < nb_recent; i++)
		input_write(file, &recent[i]);
	fclose(file);
	printf("failed after %llu runs: see %s\n", (unsigned long long)runs, path);
}

static int report(const struct target *target, const char *what, const char *reason)
{
	if (reason)
		keep_failed(target);
	printf(reason ? "FAIL %s %s\n" : "ok %s\n", what, reason);
	return !!reason;
}

static void figure(const char *what, uint64_t value)
{
	printf("figure %s %llu\n", what, (unsigned long long)value);
}

int main(int argc, char **argv)
{
	const struct target *target =
		argc > 1 && !strcmp(argv[1], "ioctls") ? &fuzz_ioctls : &fuzz_hypercalls;
	uint64_t seed = argc > 3 ? strtoull(argv[3], NULL, 0) : 1;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc < 3 || strcmp(argv[1], target->name)) {
		fprintf(stderr, "usage: elisa-fuzz hypercalls|ioctls SECONDS [SEED]\n");
		return 2;
	}
	world_open(&world);
	target->open(&world);
	if (report(target, "corpus", try_text(target, target->corpus)))
		return 1;
	figure("corpus-inputs", runs);
	figure("corpus-edges", world_record(&world, ELISA_TEST_RECORD_STOP));
	figure("seed", seed);
	if (report(target, "fuzzed", fuzz(target, atof(argv[2]), seed)))
		return 1;
	figure("runs", runs);
	figure("edges", world_record(&world, ELISA_TEST_RECORD_STOP));
	figure("inputs-kept", nb_inputs);
	return 0;
}
