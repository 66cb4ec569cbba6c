// SPDX-License-Identifier: BSD-3-Clause
/* options.c - see options.h. Values of ports and uplinks are checked by the daemon, not here. */
#include "options.h"

#include "policy.h"

#include <elisa/version.h>

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	OPTION_SWITCH = 256,
	OPTION_SOCKET,
	OPTION_JSON,
	OPTION_VERSION,
	OPTION_ADD, /* from here on: options of commands, in the order of ELISA_CLI_* */
	OPTION_VM = OPTION_ADD,
	OPTION_MAC,
	OPTION_ON_FULL,
	OPTION_MTU,
	OPTION_QUEUES,
	OPTION_WRITE,
	OPTION_COUNT,
	OPTION_SNAPLEN,
	OPTION_POLICY, /* from here on: options of policy.h */
	OPTION_RATE_PACKETS = OPTION_POLICY,
	OPTION_RATE_BITS,
	OPTION_STORM,
	OPTION_LEARN,
	OPTION_GUARD,
	OPTION_ALLOW_IP,
	OPTION_ALLOW_VLAN,
	OPTION_PRIVATE,
};

static const struct option long_options[] = {
	{"switch", required_argument, NULL, OPTION_SWITCH},
	{"socket", required_argument, NULL, OPTION_SOCKET},
	{"json", no_argument, NULL, OPTION_JSON},
	{"version", no_argument, NULL, OPTION_VERSION},
	{"help", no_argument, NULL, 'h'},
	{"vm", required_argument, NULL, OPTION_VM},
	{"mac", required_argument, NULL, OPTION_MAC},
	{"on-full", required_argument, NULL, OPTION_ON_FULL},
	{"mtu", required_argument, NULL, OPTION_MTU},
	{"queues", required_argument, NULL, OPTION_QUEUES},
	{"write", required_argument, NULL, OPTION_WRITE},
	{"count", required_argument, NULL, OPTION_COUNT},
	{"snaplen", required_argument, NULL, OPTION_SNAPLEN},
	{"rate-packets", required_argument, NULL, OPTION_RATE_PACKETS},
	{"rate-bits", required_argument, NULL, OPTION_RATE_BITS},
	{"storm", required_argument, NULL, OPTION_STORM},
	{"learn", required_argument, NULL, OPTION_LEARN},
	{"guard", required_argument, NULL, OPTION_GUARD},
	{"allow-ip", required_argument, NULL, OPTION_ALLOW_IP},
	{"allow-vlan", required_argument, NULL, OPTION_ALLOW_VLAN},
	{"private", required_argument, NULL, OPTION_PRIVATE},
	{0},
};

__attribute__((format(printf, 1, 2))) static int refuse(const char *format, ...)
{
	va_list arguments;

	fputs("elisactl: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputs("; see elisactl --help\n", stderr);
	return ELISA_CLI_USAGE;
}

static int set_text(json_t *arguments, const char *key, const char *text)
{
	if (json_object_set_new(arguments, key, json_string(text)))
		return refuse("'%s' is no valid UTF-8 text", text);
	return 0;
}

static int set_number(json_t *arguments, const char *key, const char *text)
{
	char *end;
	long number;

	errno = 0;
	number = strtol(text, &end, 10);
	if (errno || end == text || *end)
		return refuse("--%s '%s' is not a number", key, text);
	json_object_set_new(arguments, key, json_integer(number));
	return 0;
}

static int set_count(struct elisa_cli_options *options, const char *text)
{
	char *end;

	errno = 0;
	options->count = strtoull(text, &end, 10);
	if (errno || end == text || *end || *text == '-' || !options->count)
		return refuse("--count '%s' is not a number of packets", text);
	return 0;
}

/* The rest of the words, as tcpdump takes them. */
static int set_filter(struct elisa_cli_options *options, char **words, int count)
{
	size_t size = 1;

	for (int i = 0; i < count; i++)
		size += strlen(words[i]) + 1;
	options->filter = calloc(1, size);
	if (!options->filter)
		return refuse("no memory for the filter");
	for (int i = 0; i < count; i++) {
		strcat(options->filter, i ? " " : "");
		strcat(options->filter, words[i]);
	}
	return 0;
}

static int set_place(char *to, size_t size, const char *option, const char *text)
{
	if (!*text || strlen(text) >= size)
		return refuse("%s has to have 1 to %zu bytes", option, size - 1);
	strcpy(to, text);
	return 0;
}

static const char *option_name(int value)
{
	const struct option *option = long_options;

	while (option->val != value)
		option++;
	return option->name;
}

static int set_policy(json_t *arguments, int option, const char *text)
{
	const char *rule = elisa_cli_policy_set(arguments, option_name(option), text);

	if (rule)
		return refuse("--%s '%s' is not %s", option_name(option), text, rule);
	return 0;
}

/* What an option says, but for --help and --version. */
static int take(struct elisa_cli_options *options, int option, const char *value)
{
	switch (option) {
	case OPTION_SWITCH:
		if (strchr(value, '/'))
			return refuse("--switch takes a name, --socket a path");
		return set_place(options->switch_name, sizeof(options->switch_name), "--switch",
				 value);
	case OPTION_SOCKET:
		return set_place(options->socket, sizeof(options->socket), "--socket", value);
	case OPTION_JSON:
		options->json = true;
		return 0;
	case OPTION_VM:
		return set_text(options->arguments, "vm", value);
	case OPTION_MAC:
		return set_text(options->arguments, "mac", value);
	case OPTION_ON_FULL:
		return set_text(options->arguments, "on_full", value);
	case OPTION_MTU:
		return set_number(options->arguments, "mtu", value);
	case OPTION_QUEUES:
		return set_number(options->arguments, "queues", value);
	case OPTION_WRITE:
		options->write = value;
		return 0;
	case OPTION_COUNT:
		return set_count(options, value);
	case OPTION_SNAPLEN:
		return set_number(options->arguments, "snaplen", value);
	default:
		if (option >= OPTION_POLICY)
			return set_policy(options->arguments, option, value);
		return refuse("the command line is not understood"); /* getopt said what */
	}
}

/* The words behind the command. */
static int take_names(struct elisa_cli_options *options, char **words, int count)
{
	const struct elisa_cli_command *command = options->command;
	int most = (command->takes_name ? 1 : 0) + (command->second ? 1 : 0);
	int result = 0;

	if (command->takes_filter && count > most) {
		if (set_filter(options, words + most, count - most))
			return ELISA_CLI_USAGE;
		count = most;
	}
	if (count > most)
		return refuse("'%s' is one argument too many", words[most]);
	if (command->needs_name && count < most)
		return refuse("usage is '%s'", command->usage);
	if (count > 0)
		result = set_text(options->arguments, "name", words[0]);
	if (!result && count > 1)
		result = set_text(options->arguments, command->second, words[1]);
	return result;
}

/* The words that are no options: command, name. */
static int take_words(struct elisa_cli_options *options, char **words, int count, bool help)
{
	const struct elisa_cli_command *command;
	int used;

	if (count == 0 && !help)
		return refuse("a command is missing");
	command = count ? elisa_cli_command(words, count, &used) : NULL;
	if (help) {
		elisa_cli_print_usage(command);
		return 0;
	}
	if (!command)
		return refuse("there is no command '%s%s%s'", words[0], count > 1 ? " " : "",
			      count > 1 ? words[1] : "");
	options->command = command;
	return take_names(options, words + used, count - used);
}

static int check_options(const struct elisa_cli_options *options, unsigned int given)
{
	const struct elisa_cli_command *command = options->command;

	if (!command)
		return 0;
	given &= ~command->options;
	if (given)
		return refuse("'%s' does not take --%s", command->usage,
			      option_name(OPTION_ADD + __builtin_ctz(given)));
	if (command->options & ELISA_CLI_VM && !json_object_get(options->arguments, "vm"))
		return refuse("'%s %s' needs --vm", command->words[0], command->words[1]);
	return 0;
}

/* The long option that a letter is short for, or the option itself. */
static int long_form(int option)
{
	switch (option) {
	case 'w':
		return OPTION_WRITE;
	case 'c':
		return OPTION_COUNT;
	case 's':
		return OPTION_SNAPLEN;
	default:
		return option;
	}
}

int elisa_cli_parse(struct elisa_cli_options *options, int argc, char **argv)
{
	unsigned int given = 0;
	bool help = false;
	int option, result;

	*options = (struct elisa_cli_options){.switch_name = "elisa0", .arguments = json_object()};
	while ((option = getopt_long(argc, argv, "hw:c:s:", long_options, NULL)) != -1) {
		if (option == OPTION_VERSION) {
			printf("elisactl %s\n", ELISA_VERSION_STRING);
			return 0;
		}
		help |= option == 'h';
		option = long_form(option);
		if (option >= OPTION_ADD)
			given |= 1u << (option - OPTION_ADD);
		result = option == 'h' ? 0 : take(options, option, optarg);
		if (result)
			return result;
	}
	result = take_words(options, argv + optind, argc - optind, help);
	if (!result)
		result = check_options(options, given);
	if (!result && !options->socket[0])
		snprintf(options->socket, sizeof(options->socket), "/run/elisa/%s.sock",
			 options->switch_name);
	return result;
}
