// SPDX-License-Identifier: BSD-3-Clause
/* requests_port.c - the commands that change and show ports; see requests.h. */
#include "requests.h"

#include "arguments.h"
#include "log.h"
#include "module.h"
#include "names.h"
#include "tsc.h"
#include "vm_find.h"

#include <elisa/hypercall.h>

#include <errno.h>
#include <string.h>

#define DEFAULT_MAX_MTU 1500u

static const char *const no_keys[] = {NULL};
static const char *const name_keys[] = {"name", NULL};

static int take_port(struct elisa_daemon *daemon, const json_t *arguments, struct elisa_port **port,
		     struct elisa_failure *failure)
{
	const char *name;
	int result =
		elisa_argument_text(arguments, "name", true, ELISA_NAME_SIZE - 1, &name, failure);

	if (result)
		return result;
	*port = elisa_ports_find(&daemon->ports, name);
	if (*port)
		return 0;
	if (elisa_uplinks_find(&daemon->uplinks, name))
		return elisa_fail(
			failure, -ENOENT,
			"%s is an uplink and has no limits and no VM; use 'elisactl uplink "
			"show %s' or 'elisactl uplink del %s'",
			name, name, name);
	return elisa_fail(failure, -ENOENT,
			  "switch %s has no port %s; 'elisactl port list' shows those it has",
			  daemon->options.switch_name, name);
}

/* A number, or null where it cannot be told. */
static json_t *user_json(const char *proc, pid_t pid)
{
	uid_t user;

	return elisa_vm_user(proc, pid, &user) ? json_null() : json_integer((json_int_t)user);
}

static json_t *port_json(struct elisa_daemon *daemon, const struct elisa_port *port)
{
	unsigned int number = elisa_port_number(&daemon->ports, port);
	struct elisa_port_state state = {0};
	struct elisa_port_policy policy;
	char mac[ELISA_MAC_TEXT_SIZE];

	/* Where the module does not answer, nobody has the port. */
	if (elisa_module_port_state(port->fd, &state))
		state = (struct elisa_port_state){0};
	elisa_switch_port_policy(daemon->domain.sw, number, &policy);
	elisa_mac_print(port->mac, mac);
	return json_pack(
		"{s:s, s:i, s:s, s:{s:i, s:o, s:o}, s:s, s:i, s:i, s:b, s:b, s:i, s:I, s:o}",
		"name", port->name, "number", (int)number, "mac", mac, "vm", "pid",
		(int)port->vm->pid, "uid", user_json(daemon->vms.proc, port->vm->pid), "name",
		elisa_json_text(port->vm->name), "on_full",
		port->backpressure ? "backpressure" : "drop", "max_mtu", (int)port->max_mtu,
		"max_queues", (int)port->max_queues, "claimed", state.claimed != 0, "started",
		state.started != 0, "regions", (int)state.nb_regions, "pinned_pages",
		(json_int_t)state.pinned_pages, "policy", elisa_policy_json(&policy));
}

static int take_mac(struct elisa_daemon *daemon, const json_t *arguments,
		    struct elisa_port_request *request, struct elisa_failure *failure)
{
	const char *text;
	int result = elisa_argument_text(arguments, "mac", false, ELISA_MAC_TEXT_SIZE - 1, &text,
					 failure);

	if (result)
		return result;
	if (!text)
		elisa_mac_derive(daemon->options.switch_name, request->name, request->mac);
	else if (!elisa_mac_parse(text, request->mac))
		return elisa_fail(failure, -EINVAL,
				  "'mac' has to be a unicast address such as 52:e1:15:a0:00:01, "
				  "not %s",
				  text);
	return 0;
}

static int take_request(struct elisa_daemon *daemon, const json_t *arguments,
			struct elisa_port_request *request, struct elisa_failure *failure)
{
	static const char *const keys[] = {
		"name", "vm", "mac", "on_full", "mtu", "queues", ELISA_POLICY_KEYS, NULL};
	int result = elisa_arguments_only(arguments, keys, failure);

	*request = (struct elisa_port_request){
		.max_mtu = DEFAULT_MAX_MTU,
		.max_queues = ELISA_MAX_QUEUES,
		.policy.learning_limit = ELISA_LEARNING_DEFAULT,
	};
	if (!result)
		result = elisa_request_new_name(arguments, &request->name, failure);
	if (!result)
		result = elisa_argument_text(arguments, "vm", true, ELISA_VM_NAME_SIZE - 1,
					     &request->vm, failure);
	if (!result)
		result = take_mac(daemon, arguments, request, failure);
	if (!result)
		result = elisa_request_on_full(arguments, &request->backpressure, failure);
	if (!result)
		result = elisa_argument_number(arguments, "mtu", ELISA_MIN_MTU, ELISA_MAX_MTU,
					       &request->max_mtu, failure);
	if (!result)
		result = elisa_argument_number(arguments, "queues", 1, ELISA_MAX_QUEUES,
					       &request->max_queues, failure);
	if (!result)
		result = elisa_request_policy(arguments, &request->policy, failure);
	return result;
}

/* Waits if the daemon has only just started. */
static uint64_t tsc_hz_for(const struct elisa_daemon *daemon,
			   const struct elisa_port_policy *policy)
{
	return elisa_policy_has_rate(policy) ? elisa_tsc_hz(&daemon->clock_at_start) : 0;
}

json_t *elisa_request_port_add(struct elisa_daemon *daemon, const json_t *arguments,
			       struct elisa_failure *failure)
{
	struct elisa_port_request request;
	struct elisa_port *port;

	if (take_request(daemon, arguments, &request, failure))
		return NULL;
	if (elisa_uplinks_find(&daemon->uplinks, request.name)) {
		elisa_fail(failure, -EEXIST, "%s is an uplink; choose another name", request.name);
		return NULL;
	}
	request.tsc_hz = tsc_hz_for(daemon, &request.policy);
	if (elisa_ports_add(&daemon->ports, &daemon->vms, &daemon->domain, &request, &port,
			    failure))
		return NULL;
	elisa_log(ELISA_LOG_NOTICE, "port %s added for VM %.128s (process %d)", port->name,
		  port->vm->label, port->vm->pid);
	return port_json(daemon, port);
}

json_t *elisa_request_port_set(struct elisa_daemon *daemon, const json_t *arguments,
			       struct elisa_failure *failure)
{
	static const char *const keys[] = {"name", ELISA_POLICY_KEYS, NULL};
	struct elisa_port_policy policy;
	struct elisa_port *port;

	if (elisa_arguments_only(arguments, keys, failure) ||
	    take_port(daemon, arguments, &port, failure))
		return NULL;
	if (json_object_size(arguments) == 1) {
		elisa_fail(failure, -EINVAL,
			   "nothing to set for port %s is given; 'elisactl port set --help' tells "
			   "what there is",
			   port->name);
		return NULL;
	}
	elisa_switch_port_policy(daemon->domain.sw, elisa_port_number(&daemon->ports, port),
				 &policy);
	if (elisa_request_policy(arguments, &policy, failure) ||
	    elisa_ports_set_policy(&daemon->ports, &daemon->domain, port, &policy,
				   tsc_hz_for(daemon, &policy), failure))
		return NULL;
	elisa_log(ELISA_LOG_NOTICE, "limits of port %s changed on request", port->name);
	return port_json(daemon, port);
}

json_t *elisa_request_port_del(struct elisa_daemon *daemon, const json_t *arguments,
			       struct elisa_failure *failure)
{
	struct elisa_port *port;
	json_t *result;

	if (elisa_arguments_only(arguments, name_keys, failure) ||
	    take_port(daemon, arguments, &port, failure))
		return NULL;
	result = json_pack("{s:s}", "name", port->name);
	elisa_daemon_remove_port(daemon, port);
	elisa_log(ELISA_LOG_NOTICE, "port %s removed on request", port->name);
	return result;
}

json_t *elisa_request_port_list(struct elisa_daemon *daemon, const json_t *arguments,
				struct elisa_failure *failure)
{
	json_t *list;

	if (elisa_arguments_only(arguments, no_keys, failure))
		return NULL;
	list = json_array();
	for (unsigned int i = 0; i < ELISA_MAX_PORTS; i++) {
		struct elisa_port *port = &daemon->ports.ports[i];

		if (port->present && json_array_append_new(list, port_json(daemon, port))) {
			json_decref(list);
			return NULL;
		}
	}
	return json_pack("{s:o}", "ports", list);
}

json_t *elisa_request_port_show(struct elisa_daemon *daemon, const json_t *arguments,
				struct elisa_failure *failure)
{
	struct elisa_port *port;

	if (elisa_arguments_only(arguments, name_keys, failure) ||
	    take_port(daemon, arguments, &port, failure))
		return NULL;
	return port_json(daemon, port);
}
