/* SPDX-License-Identifier: BSD-3-Clause */
/* options.h - the command line of elisactl, turned into one request. */
#ifndef ELISA_CLI_OPTIONS_H
#define ELISA_CLI_OPTIONS_H

#include <elisa/types.h>

#include <jansson.h>
#include <sys/un.h>

/* Exit codes: elisactl(8). */
enum elisa_cli_exit {
	ELISA_CLI_OK = 0,
	ELISA_CLI_REFUSED = 1,     /* the daemon said no, or its answer is not understood */
	ELISA_CLI_USAGE = 2,       /* the command line is not understood */
	ELISA_CLI_UNREACHABLE = 3, /* no daemon answers */
};

struct elisa_cli_options {
	char switch_name[ELISA_NAME_SIZE];
	char socket[sizeof(((struct sockaddr_un *)0)->sun_path)];
	bool json;
	const struct elisa_cli_command *command; /* NULL: --help or --version, already printed */
	json_t *arguments;                       /* the caller's */

	/* Of "capture". */
	const char *write; /* NULL: not given */
	char *filter;      /* the caller's; NULL: none */
	uint64_t count;    /* 0: no limit */
};

/* A command: what is typed, what is asked, how the answer is shown. */
struct elisa_cli_command {
	const char *words[2]; /* "port", "add"; the second may be NULL */
	const char *request;
	const char *usage; /* after "elisactl [option…] " */
	const char *help;
	void (*print)(const json_t *result);       /* NULL: it goes on after the answer */
	bool takes_name, needs_name, takes_filter; /* filter: the words behind the name */
	const char *second;   /* the argument that the word after the name is, or NULL */
	unsigned int options; /* ELISA_CLI_*: those it takes */
};

#define ELISA_CLI_VM 1u /* required where it is taken */
#define ELISA_CLI_MAC 2u
#define ELISA_CLI_ON_FULL 4u
#define ELISA_CLI_MTU 8u
#define ELISA_CLI_QUEUES 16u
#define ELISA_CLI_WRITE 32u
#define ELISA_CLI_COUNT 64u
#define ELISA_CLI_SNAPLEN 128u
#define ELISA_CLI_POLICY 0xff00u /* policy.h */
#define ELISA_CLI_PORT (31u | ELISA_CLI_POLICY)
#define ELISA_CLI_CAPTURE (ELISA_CLI_WRITE | ELISA_CLI_COUNT | ELISA_CLI_SNAPLEN)
#define ELISA_CLI_UPLINK (ELISA_CLI_ON_FULL | ELISA_CLI_MTU | ELISA_CLI_QUEUES)

/* 0, or ELISA_CLI_USAGE with a message on stderr. */
int elisa_cli_parse(struct elisa_cli_options *options, int argc, char **argv);

/* The command of one or two words; *used = how many. NULL: none. */
const struct elisa_cli_command *elisa_cli_command(char **words, int count, int *used);

void elisa_cli_print_usage(const struct elisa_cli_command *command); /* NULL: of all */

#endif
