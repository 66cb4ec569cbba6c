// SPDX-License-Identifier: BSD-3-Clause
/*
 * options.c - fuzzer: any command line of elisa-switchd, elisactl and elisa-netd. libFuzzer calls it.
 *
 * The first byte says which program; the rest are its words, each up to a NUL. Who takes a command line
 * has options that are within what its header says; who refuses one has said so.
 */
#include <getopt.h>
#include <string.h>

#include "guest-pmd/netd/options.h"
#include "input.h"
#include "vswitch/cli/options.h"
#include "vswitch/daemon/names.h"
#include "vswitch/daemon/options.h"
#include "vswitch/datapath/switch.h"

#include <elisa/hypercall.h>

#define WORDS_MAX 64

struct line {
	int argc;
	char *argv[WORDS_MAX + 1];
};

static size_t said; /* bytes on standard error of the call under test */

static ssize_t count_said(void *cookie, const char *bytes, size_t size)
{
	(void)cookie;
	(void)bytes;
	said += size;
	return (ssize_t)size;
}

int LLVMFuzzerInitialize(int *nb_arguments, char ***arguments)
{
	cookie_io_functions_t functions = {.write = count_said};

	(void)nb_arguments;
	(void)arguments;
	/* CHECK() and libFuzzer write to the descriptors. */
	stderr = fopencookie(NULL, "w", functions);
	stdout = fopen("/dev/null", "w");
	CHECK(stderr && stdout);
	setvbuf(stderr, NULL, _IONBF, 0);
	return 0;
}

/* Words in memory of their own, so that the sanitizer sees where each ends. */
static void split(struct line *line, const uint8_t *data, size_t size)
{
	line->argc = 0;
	line->argv[line->argc++] = strdup("program");
	while (size && line->argc < WORDS_MAX) {
		size_t length = strnlen((const char *)data, size);
		size_t skip = length + (length < size);

		line->argv[line->argc++] = strndup((const char *)data, length);
		data += skip;
		size -= skip;
	}
	line->argv[line->argc] = NULL;
}

static bool ends(const char *text, size_t size)
{
	return text[0] && memchr(text, '\0', size);
}

static bool is_word(const struct line *line, const char *text)
{
	for (int i = 1; i < line->argc; i++)
		if (text >= line->argv[i] && text <= line->argv[i] + strlen(line->argv[i]))
			return true;
	return false;
}

static void switchd(struct line *line)
{
	struct elisa_options options;
	enum elisa_options_result result = elisa_options_parse(&options, line->argc, line->argv);

	CHECK(result == ELISA_OPTIONS_RUN || result == ELISA_OPTIONS_DONE ||
	      result == ELISA_OPTIONS_USAGE);
	CHECK((said > 0) == (result == ELISA_OPTIONS_USAGE));
	if (result != ELISA_OPTIONS_RUN)
		return;
	CHECK(elisa_name_valid(options.switch_name));
	CHECK(ends(options.socket, sizeof(options.socket)));
	CHECK(is_word(line, options.image) || !strcmp(options.image, ELISA_DEFAULT_IMAGE));
	CHECK(elisa_switch_size(options.fdb_capacity));
	CHECK(options.age_ticks && options.age_ticks <= ELISA_FDB_MAX_AGE_TICKS);
	CHECK(options.uplink_memory % 2 == 0 &&
	      options.uplink_memory <= ELISA_UPLINK_MEMORY_MAX >> 20);
	CHECK(!options.uplink_memory || !options.telemetry);
}

static void ctl(struct line *line)
{
	struct elisa_cli_options options;
	int result = elisa_cli_parse(&options, line->argc, line->argv);

	CHECK(result == ELISA_CLI_OK || result == ELISA_CLI_USAGE);
	CHECK((said > 0) == (result == ELISA_CLI_USAGE));
	if (result == ELISA_CLI_OK && options.command) {
		CHECK(ends(options.socket, sizeof(options.socket)));
		CHECK(!strchr(options.switch_name, '/'));
		CHECK(json_is_object(options.arguments));
		CHECK(!options.filter || options.command->takes_filter);
		CHECK(!options.write || is_word(line, options.write));
	}
	free(options.filter);
	json_decref(options.arguments);
}

static void netd(struct line *line)
{
	struct netd_options options;
	enum netd_options_result result = netd_options_parse(&options, line->argc, line->argv);

	CHECK(result == NETD_OPTIONS_RUN || result == NETD_OPTIONS_DONE ||
	      result == NETD_OPTIONS_USAGE);
	CHECK((said > 0) == (result == NETD_OPTIONS_USAGE));
	if (result != NETD_OPTIONS_RUN)
		return;
	CHECK(options.nb_links && options.nb_links <= NETD_MAX_LINKS);
	CHECK(options.queues && options.queues <= ELISA_MAX_QUEUES);
	CHECK(!options.mtu || (options.mtu >= ELISA_MIN_MTU && options.mtu <= ELISA_MAX_MTU));
	for (uint32_t i = 0; i < options.nb_links; i++) {
		CHECK(ends(options.links[i].interface, IFNAMSIZ));
		CHECK(!strpbrk(options.links[i].interface, "/ %:"));
		CHECK(memchr(options.links[i].port_args, '\0', sizeof(options.links[i].port_args)));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const programs[])(struct line * line) = {switchd, ctl, netd};
	struct line line;

	if (!size)
		return -1;
	split(&line, data + 1, size - 1);
	said = 0;
	optind = 0; /* glibc begins anew */
	programs[data[0] % 3](&line);
	/* getopt moves the words, it does not replace them. */
	for (int i = 0; i < line.argc; i++)
		free(line.argv[i]);
	return 0;
}
