/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * options.h - the command line of elisa-netd.
 *
 * Called by main() first of all. Strings point into argv.
 */
#ifndef NETD_OPTIONS_H
#define NETD_OPTIONS_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#define NETD_MAX_LINKS 8u

/* A port of a switch, and the kernel interface that it is joined to. */
struct netd_link_options {
	char port_args
		[256]; /* of the driver's device: port=..., gate=...; empty: the only free port */
	char interface[IFNAMSIZ];
};

struct netd_options {
	struct netd_link_options links[NETD_MAX_LINKS];
	uint32_t nb_links;
	uint32_t queues; /* of each port and interface */
	uint32_t mtu;    /* 0: the port's largest */
	bool no_huge;
};

enum netd_options_result {
	NETD_OPTIONS_RUN,
	NETD_OPTIONS_DONE,  /* help or version was printed */
	NETD_OPTIONS_USAGE, /* refused, one line said why */
};

enum netd_options_result netd_options_parse(struct netd_options *options, int argc, char **argv);

#endif
