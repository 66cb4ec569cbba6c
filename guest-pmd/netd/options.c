// SPDX-License-Identifier: BSD-3-Clause
/* options.c - see options.h. */
#include "options.h"

#include <elisa/hypercall.h>
#include <elisa/version.h>

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	OPTION_PORT = 256,
	OPTION_INTERFACE,
	OPTION_QUEUES,
	OPTION_MTU,
	OPTION_NO_HUGE,
	OPTION_VERSION,
};

static const struct option long_options[] = {
	{"port", required_argument, NULL, OPTION_PORT},
	{"interface", required_argument, NULL, OPTION_INTERFACE},
	{"queues", required_argument, NULL, OPTION_QUEUES},
	{"mtu", required_argument, NULL, OPTION_MTU},
	{"no-huge", no_argument, NULL, OPTION_NO_HUGE},
	{"version", no_argument, NULL, OPTION_VERSION},
	{"help", no_argument, NULL, 'h'},
	{0},
};

static void print_help(void)
{
	printf("usage: elisa-netd [option…]\n"
	       "\n"
	       "Joins a port of an ELISA switch to a network interface of this machine's kernel,\n"
	       "in the foreground until SIGTERM or SIGINT. Prints statistics as JSON at the end,\n"
	       "and whenever it gets SIGUSR1.\n"
	       "\n"
	       "  --port PORT        the port's name, or arguments of the driver's device such as\n"
	       "                     gate=local,switch=s,port=a (this VM's only free port)\n"
	       "  --interface NAME   the interface, which is made (elisa0)\n"
	       "  --mtu N            of port and interface, %u to the port's largest (that)\n"
	       "  --queues N         queues of port and interface, 1 to %u (1)\n"
	       "  --no-huge          ordinary pages: for gate=local, and tests\n"
	       "  -h, --help         this text\n"
	       "  --version          versions of the program and of its contract\n"
	       "\n"
	       "Several ports: --port and --interface again for each, up to %u.\n",
	       ELISA_MIN_MTU, ELISA_MAX_QUEUES, NETD_MAX_LINKS);
}

static void print_version(void)
{
	printf("elisa-netd %s (guest ABI %u)\n", ELISA_VERSION_STRING, ELISA_GUEST_ABI);
}

__attribute__((format(printf, 1, 2))) static enum netd_options_result refuse(const char *format,
									     ...)
{
	va_list arguments;

	fputs("elisa-netd: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputs("; see elisa-netd --help\n", stderr);
	return NETD_OPTIONS_USAGE;
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

/* The link that --port and --interface speak of: the last one, or the next if it has that already. */
static struct netd_link_options *link_for(struct netd_options *options, bool is_port)
{
	if (options->nb_links) {
		struct netd_link_options *last = &options->links[options->nb_links - 1];

		if (!(is_port ? last->port_args[0] : last->interface[0]))
			return last;
	}
	if (options->nb_links == NETD_MAX_LINKS)
		return NULL;
	return &options->links[options->nb_links++];
}

static enum netd_options_result take_port(struct netd_options *options, const char *value)
{
	struct netd_link_options *link = link_for(options, true);
	int length;

	if (!link)
		return refuse("more than %u ports", NETD_MAX_LINKS);
	length = snprintf(link->port_args, sizeof(link->port_args), "%s%s",
			  strchr(value, '=') ? "" : "port=", value);
	if (!*value || length >= (int)sizeof(link->port_args))
		return refuse("--port has to have 1 to %zu bytes", sizeof(link->port_args) - 1);
	return NETD_OPTIONS_RUN;
}

static enum netd_options_result take_interface(struct netd_options *options, const char *value)
{
	struct netd_link_options *link = link_for(options, false);

	if (!link)
		return refuse("more than %u interfaces", NETD_MAX_LINKS);
	/* The kernel makes a number of a %d in it. */
	if (!*value || strlen(value) >= IFNAMSIZ || strpbrk(value, "/ %:"))
		return refuse("--interface '%.64s' is not a name of 1 to %u bytes without / %% : "
			      "and spaces",
			      value, IFNAMSIZ - 1);
	strcpy(link->interface, value);
	return NETD_OPTIONS_RUN;
}

static enum netd_options_result take(struct netd_options *options, int option, const char *value)
{
	switch (option) {
	case OPTION_PORT:
		return take_port(options, value);
	case OPTION_INTERFACE:
		return take_interface(options, value);
	case OPTION_QUEUES:
		if (!parse_number(value, 1, ELISA_MAX_QUEUES, &options->queues))
			return refuse("--queues '%.64s' is not a number from 1 to %u", value,
				      ELISA_MAX_QUEUES);
		return NETD_OPTIONS_RUN;
	case OPTION_MTU:
		if (!parse_number(value, ELISA_MIN_MTU, ELISA_MAX_MTU, &options->mtu))
			return refuse("--mtu '%.64s' is not a number from %u to %u", value,
				      ELISA_MIN_MTU, ELISA_MAX_MTU);
		return NETD_OPTIONS_RUN;
	case OPTION_NO_HUGE:
		options->no_huge = true;
		return NETD_OPTIONS_RUN;
	case OPTION_VERSION:
		print_version();
		return NETD_OPTIONS_DONE;
	case 'h':
		print_help();
		return NETD_OPTIONS_DONE;
	default:
		return refuse("the command line is not understood"); /* getopt said what */
	}
}

enum netd_options_result netd_options_parse(struct netd_options *options, int argc, char **argv)
{
	enum netd_options_result result;
	int option;

	*options = (struct netd_options){.queues = 1};
	while ((option = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
		result = take(options, option, optarg);
		if (result != NETD_OPTIONS_RUN)
			return result;
	}
	if (optind < argc)
		return refuse("'%.64s' is one argument too many", argv[optind]);
	if (!options->nb_links)
		options->nb_links = 1;
	for (uint32_t i = 0; i < options->nb_links; i++)
		if (!options->links[i].interface[0])
			snprintf(options->links[i].interface, IFNAMSIZ, "elisa%u", i);
	return NETD_OPTIONS_RUN;
}
