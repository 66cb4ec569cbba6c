/* SPDX-License-Identifier: BSD-3-Clause */
/* policy.h - what a port may send, as options of "port add" and "port set". options.c calls it. */
#ifndef ELISA_CLI_POLICY_H
#define ELISA_CLI_POLICY_H

#include <jansson.h>

/*
 * Puts what an option of this name ("rate-packets") says into the arguments of the request. Ranges are
 * the daemon's business. Returns NULL, or what the option takes.
 */
const char *elisa_cli_policy_set(json_t *arguments, const char *option, const char *text);

#endif
