/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * requests.h - what elisactl asks, one JSON text in a line, and what it is answered.
 *
 *	{"version": 1, "command": "port-add", "arguments": {"name": "p0", "vm": "guest-a"}}
 *	{"version": 1, "result": {…}}
 *	{"version": 1, "error": {"code": "EEXIST", "message": "port p0 belongs to …"}}
 *
 * elisa-switchd(8) lists commands, arguments and results. Main thread, under the daemon's lock.
 */
#ifndef ELISA_DAEMON_REQUESTS_H
#define ELISA_DAEMON_REQUESTS_H

#include "daemon.h"

#include <jansson.h>

#define ELISA_REQUEST_VERSION 1
#define ELISA_REQUEST_MAX 65536u /* bytes, newline included */

/*
 * Does what a line of `size` bytes (without its newline) asks. Returns the answer, ending in one
 * newline, the caller's to free(); NULL only without memory. Any bytes are a valid argument. A
 * capture that it began is given up unless the answer is its result: elisa_captures_adopt() then.
 */
char *elisa_request_answer(struct elisa_daemon *daemon, const char *line, size_t size);

/* An answer with nothing but an error, as above. */
char *elisa_request_refusal(const struct elisa_failure *failure);

/*
 * The commands: each checks its arguments, acts, and returns its result (the caller's), or NULL
 * with a failure; NULL without one means no memory.
 */
json_t *elisa_request_port_add(struct elisa_daemon *daemon, const json_t *arguments,
			       struct elisa_failure *failure);
json_t *elisa_request_port_set(struct elisa_daemon *daemon, const json_t *arguments,
			       struct elisa_failure *failure);
json_t *elisa_request_port_del(struct elisa_daemon *daemon, const json_t *arguments,
			       struct elisa_failure *failure);
json_t *elisa_request_port_list(struct elisa_daemon *daemon, const json_t *arguments,
				struct elisa_failure *failure);
json_t *elisa_request_port_show(struct elisa_daemon *daemon, const json_t *arguments,
				struct elisa_failure *failure);
json_t *elisa_request_uplink_add(struct elisa_daemon *daemon, const json_t *arguments,
				 struct elisa_failure *failure);
json_t *elisa_request_uplink_del(struct elisa_daemon *daemon, const json_t *arguments,
				 struct elisa_failure *failure);
json_t *elisa_request_uplink_list(struct elisa_daemon *daemon, const json_t *arguments,
				  struct elisa_failure *failure);
json_t *elisa_request_uplink_show(struct elisa_daemon *daemon, const json_t *arguments,
				  struct elisa_failure *failure);
json_t *elisa_request_stats(struct elisa_daemon *daemon, const json_t *arguments,
			    struct elisa_failure *failure);
json_t *elisa_request_fdb(struct elisa_daemon *daemon, const json_t *arguments,
			  struct elisa_failure *failure);
json_t *elisa_request_fdb_flush(struct elisa_daemon *daemon, const json_t *arguments,
				struct elisa_failure *failure);
json_t *elisa_request_vm(struct elisa_daemon *daemon, const json_t *arguments,
			 struct elisa_failure *failure);
json_t *elisa_request_prove(struct elisa_daemon *daemon, const json_t *arguments,
			    struct elisa_failure *failure);
json_t *elisa_request_status(struct elisa_daemon *daemon, const json_t *arguments,
			     struct elisa_failure *failure);
json_t *elisa_request_capture(struct elisa_daemon *daemon, const json_t *arguments,
			      struct elisa_failure *failure);

/* Arguments that several commands have (request_arguments.c, request_policy.c). -EINVAL, -ENOENT. */

/* arguments["name"], for something new: ELISA_NAME_RULE. */
int elisa_request_new_name(const json_t *arguments, const char **name,
			   struct elisa_failure *failure);

/* arguments["on_full"], "drop" if it is not there. */
int elisa_request_on_full(const json_t *arguments, bool *backpressure,
			  struct elisa_failure *failure);

/* The arguments of a policy. What is not there stays; after a failure *policy is of no use. */
#define ELISA_POLICY_KEYS \
	"rate_packets", "rate_bits", "storm", "learn", "guard", "allow_ip", "allow_vlan", "private"
int elisa_request_policy(const json_t *arguments, struct elisa_port_policy *policy,
			 struct elisa_failure *failure);

/* A policy with the same keys. NULL: no memory. */
json_t *elisa_policy_json(const struct elisa_port_policy *policy);

/*
 * The number of the port or uplink that arguments["name"] names; ELISA_MAX_PORTS if there is no
 * "name".
 */
int elisa_request_number(struct elisa_daemon *daemon, const json_t *arguments, unsigned int *number,
			 struct elisa_failure *failure);

#endif
