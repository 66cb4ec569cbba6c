// SPDX-License-Identifier: BSD-3-Clause
/* options.c - see options.h. */
#include "options.h"

#include "names.h"
#include "vswitch/datapath/switch.h"

#include <elisa/version.h>

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AGEING_MAX (ELISA_FDB_MAX_AGE_TICKS * ELISA_FDB_TICK_SECONDS)
#define UPLINK_MEMORY_MIN 16u
#define UPLINK_MEMORY_MAX ((uint32_t)(ELISA_UPLINK_MEMORY_MAX >> 20))
#define AGEING_DEFAULT (ELISA_FDB_DEFAULT_AGE_TICKS * ELISA_FDB_TICK_SECONDS)

enum {
	OPTION_SWITCH = 256,
	OPTION_IMAGE,
	OPTION_SOCKET,
	OPTION_FDB_SIZE,
	OPTION_AGEING,
	OPTION_UPLINK_MEMORY,
	OPTION_ACCEPT_SIDE_CHANNELS,
	OPTION_NO_TELEMETRY,
	OPTION_MONITOR,
	OPTION_VERSION,
};

static const struct option long_options[] = {
	{"switch", required_argument, NULL, OPTION_SWITCH},
	{"image", required_argument, NULL, OPTION_IMAGE},
	{"socket", required_argument, NULL, OPTION_SOCKET},
	{"fdb-size", required_argument, NULL, OPTION_FDB_SIZE},
	{"ageing", required_argument, NULL, OPTION_AGEING},
	{"uplink-memory", required_argument, NULL, OPTION_UPLINK_MEMORY},
	{"accept-side-channels", no_argument, NULL, OPTION_ACCEPT_SIDE_CHANNELS},
	{"no-telemetry", no_argument, NULL, OPTION_NO_TELEMETRY},
	{"monitor", no_argument, NULL, OPTION_MONITOR},
	{"version", no_argument, NULL, OPTION_VERSION},
	{"help", no_argument, NULL, 'h'},
	{0},
};

static void print_help(void)
{
	printf("usage: elisa-switchd [option…]\n"
	       "\n"
	       "Runs one virtual switch of ELISA in the foreground until SIGTERM or SIGINT.\n"
	       "SIGHUP starts the program file again, with the switch as it is.\n"
	       "elisactl(8) adds ports to it and shows what it does.\n"
	       "\n"
	       "  --switch NAME           the switch's name (elisa0)\n"
	       "  --socket PATH           control socket (/run/elisa/NAME.sock)\n"
	       "  --image PATH            trusted image\n"
	       "                          (" ELISA_DEFAULT_IMAGE ")\n"
	       "  --fdb-size N            MAC addresses it can know, a power of two from %u to %u\n"
	       "                          (%u)\n"
	       "  --ageing SECONDS        forget an address not seen for so long, %u to %u (%u)\n"
	       "  --uplink-memory MIB     hugepages of 2 MiB for NICs as uplinks, %u to %u, even;\n"
	       "                          without it there are no uplinks, with it no telemetry\n"
	       "  --accept-side-channels  attach VMs although this CPU leaks what is in its "
	       "caches or\n"
	       "                          buffers (L1TF, MDS and their like)\n"
	       "  --no-telemetry          no DPDK telemetry socket\n"
	       "  --monitor               start it again when it dies; ports work meanwhile (not "
	       "for\n"
	       "                          systemd, which does that itself)\n"
	       "  -h, --help              this text\n"
	       "  --version               versions of the program and of its contracts\n",
	       ELISA_FDB_MIN_CAPACITY, ELISA_FDB_MAX_CAPACITY, ELISA_FDB_DEFAULT_CAPACITY,
	       ELISA_FDB_TICK_SECONDS, AGEING_MAX, AGEING_DEFAULT, UPLINK_MEMORY_MIN,
	       UPLINK_MEMORY_MAX);
}

static void print_version(void)
{
	printf("elisa-switchd %s (module interface %u, image ABI %u, switch layout %u)\n",
	       ELISA_VERSION_STRING, ELISA_UAPI_VERSION, ELISA_IMAGE_ABI, ELISA_SWITCH_LAYOUT);
}

__attribute__((format(printf, 1, 2))) static enum elisa_options_result refuse(const char *format,
									      ...)
{
	va_list arguments;

	fputs("elisa-switchd: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputs("; see elisa-switchd --help\n", stderr);
	return ELISA_OPTIONS_USAGE;
}

static bool parse_number(const char *text, uint32_t low, uint32_t high, uint32_t *number)
{
	unsigned long value;
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || *end || value < low || value > high)
		return false;
	*number = (uint32_t)value;
	return true;
}

static enum elisa_options_result take(struct elisa_options *options, int option, const char *value)
{
	uint32_t seconds;

	switch (option) {
	case OPTION_SWITCH:
		if (!elisa_name_valid(value))
			return refuse("--switch '%.64s' is not " ELISA_NAME_RULE, value);
		strcpy(options->switch_name, value);
		return ELISA_OPTIONS_RUN;
	case OPTION_IMAGE:
		options->image = value;
		return ELISA_OPTIONS_RUN;
	case OPTION_SOCKET:
		if (!*value || strlen(value) >= sizeof(options->socket))
			return refuse("--socket has to be a path of 1 to %zu bytes",
				      sizeof(options->socket) - 1);
		strcpy(options->socket, value);
		return ELISA_OPTIONS_RUN;
	case OPTION_FDB_SIZE:
		if (!parse_number(value, 0, UINT32_MAX, &options->fdb_capacity) ||
		    !elisa_switch_size(options->fdb_capacity))
			return refuse("--fdb-size '%.64s' is not a power of two from %u to %u",
				      value, ELISA_FDB_MIN_CAPACITY, ELISA_FDB_MAX_CAPACITY);
		return ELISA_OPTIONS_RUN;
	case OPTION_AGEING:
		if (!parse_number(value, ELISA_FDB_TICK_SECONDS, AGEING_MAX, &seconds))
			return refuse("--ageing '%.64s' is not a number of seconds from %u to %u",
				      value, ELISA_FDB_TICK_SECONDS, AGEING_MAX);
		options->age_ticks =
			(seconds + ELISA_FDB_TICK_SECONDS - 1) / ELISA_FDB_TICK_SECONDS;
		return ELISA_OPTIONS_RUN;
	case OPTION_UPLINK_MEMORY:
		if (!parse_number(value, UPLINK_MEMORY_MIN, UPLINK_MEMORY_MAX,
				  &options->uplink_memory) ||
		    options->uplink_memory % 2)
			return refuse("--uplink-memory '%.64s' is not an even number of MiB from "
				      "%u to %u",
				      value, UPLINK_MEMORY_MIN, UPLINK_MEMORY_MAX);
		return ELISA_OPTIONS_RUN;
	case OPTION_ACCEPT_SIDE_CHANNELS:
		options->accept_side_channels = true;
		return ELISA_OPTIONS_RUN;
	case OPTION_NO_TELEMETRY:
		options->telemetry = false;
		return ELISA_OPTIONS_RUN;
	case OPTION_MONITOR:
		options->monitor = true;
		return ELISA_OPTIONS_RUN;
	case OPTION_VERSION:
		print_version();
		return ELISA_OPTIONS_DONE;
	case 'h':
		print_help();
		return ELISA_OPTIONS_DONE;
	default:
		return refuse("the command line is not understood"); /* getopt said what */
	}
}

enum elisa_options_result elisa_options_parse(struct elisa_options *options, int argc, char **argv)
{
	enum elisa_options_result result;
	int option;

	*options = (struct elisa_options){
		.switch_name = "elisa0",
		.image = ELISA_DEFAULT_IMAGE,
		.fdb_capacity = ELISA_FDB_DEFAULT_CAPACITY,
		.age_ticks = ELISA_FDB_DEFAULT_AGE_TICKS,
		.telemetry = true,
	};
	while ((option = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
		result = take(options, option, optarg);
		if (result != ELISA_OPTIONS_RUN)
			return result;
	}
	if (optind < argc)
		return refuse("'%.64s' is one argument too many", argv[optind]);
	if (options->uplink_memory)
		options->telemetry = false;
	if (!options->socket[0])
		snprintf(options->socket, sizeof(options->socket), "/run/elisa/%s.sock",
			 options->switch_name);
	return ELISA_OPTIONS_RUN;
}
