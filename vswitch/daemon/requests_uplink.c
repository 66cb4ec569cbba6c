// SPDX-License-Identifier: BSD-3-Clause
/* requests_uplink.c - the commands that change and show uplinks; see requests.h. */
#include "requests.h"

#include "arguments.h"
#include "log.h"
#include "names.h"

#include <elisa/hypercall.h>

#include <errno.h>
#include <string.h>

#define DEFAULT_MTU 1500u
#define PCI_TEXT_MAX 64

static const char *const no_keys[] = {NULL};
static const char *const name_keys[] = {"name", NULL};

static int take_uplink(struct elisa_daemon *daemon, const json_t *arguments,
		       struct elisa_uplink_port **uplink, struct elisa_failure *failure)
{
	const char *name;
	int result =
		elisa_argument_text(arguments, "name", true, ELISA_NAME_SIZE - 1, &name, failure);

	if (result)
		return result;
	*uplink = elisa_uplinks_find(&daemon->uplinks, name);
	if (*uplink)
		return 0;
	return elisa_fail(failure, -ENOENT,
			  "switch %s has no uplink %s; 'elisactl uplink list' shows those it has",
			  daemon->options.switch_name, name);
}

static json_t *uplink_json(const struct elisa_uplink_port *uplink)
{
	const struct elisa_nic *nic = &uplink->nic;
	bool down = uplink->broken || uplink->removing;
	char mac[ELISA_MAC_TEXT_SIZE];

	elisa_mac_print(nic->mac, mac);
	return json_pack("{s:s, s:i, s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:s, s:b, s:I, s:I}",
			 "name", uplink->name, "number", (int)uplink->number, "pci", nic->pci,
			 "driver", nic->driver_name, "kernel_driver", uplink->kernel_driver, "mac",
			 mac, "on_full", uplink->backpressure ? "backpressure" : "drop", "mtu",
			 (int)nic->mtu, "queues", (int)nic->nb_queues, "state",
			 down ? "down" : "up", "link", uplink->link.up, "speed_mbps",
			 (json_int_t)uplink->link.speed, "resets", (json_int_t)uplink->resets);
}

static int take_pci(const json_t *arguments, char pci[ELISA_PCI_SIZE],
		    struct elisa_failure *failure)
{
	const char *text;
	int result = elisa_argument_text(arguments, "pci", true, PCI_TEXT_MAX, &text, failure);

	if (!result && !elisa_pci_parse(text, pci))
		result = elisa_fail(failure, -EINVAL,
				    "'pci' has to be an address such as 0000:03:00.0 or 03:00.0 "
				    "('lspci -D' shows them), not %s",
				    text);
	return result;
}

static int take_request(const json_t *arguments, struct elisa_uplink_request *request,
			char pci[ELISA_PCI_SIZE], struct elisa_failure *failure)
{
	static const char *const keys[] = {"name", "pci", "on_full", "mtu", "queues", NULL};
	int result = elisa_arguments_only(arguments, keys, failure);

	*request = (struct elisa_uplink_request){
		.pci = pci,
		.mtu = DEFAULT_MTU,
		.nb_queues = 1,
	};
	if (!result)
		result = elisa_request_new_name(arguments, &request->name, failure);
	if (!result)
		result = take_pci(arguments, pci, failure);
	if (!result)
		result = elisa_request_on_full(arguments, &request->backpressure, failure);
	if (!result)
		result = elisa_argument_number(arguments, "mtu", ELISA_MIN_MTU, ELISA_MAX_MTU,
					       &request->mtu, failure);
	if (!result)
		result = elisa_argument_number(arguments, "queues", 1, ELISA_UPLINK_QUEUES,
					       &request->nb_queues, failure);
	return result;
}

json_t *elisa_request_uplink_add(struct elisa_daemon *daemon, const json_t *arguments,
				 struct elisa_failure *failure)
{
	struct elisa_uplink_request request;
	struct elisa_uplink_port *uplink;
	char pci[ELISA_PCI_SIZE];

	if (take_request(arguments, &request, pci, failure))
		return NULL;
	if (elisa_ports_find(&daemon->ports, request.name)) {
		elisa_fail(failure, -EEXIST, "%s is a port of a VM; choose another name",
			   request.name);
		return NULL;
	}
	if (elisa_uplinks_add(&daemon->uplinks, &daemon->domain, &request, &uplink, failure))
		return NULL;
	elisa_log(ELISA_LOG_NOTICE, "uplink %s added: NIC %s (%s), link is %s", uplink->name,
		  uplink->nic.pci, uplink->nic.driver_name, uplink->link.up ? "up" : "down");
	return uplink_json(uplink);
}

json_t *elisa_request_uplink_del(struct elisa_daemon *daemon, const json_t *arguments,
				 struct elisa_failure *failure)
{
	struct elisa_uplink_port *uplink;

	if (elisa_arguments_only(arguments, name_keys, failure) ||
	    take_uplink(daemon, arguments, &uplink, failure) ||
	    elisa_uplinks_remove(&daemon->uplinks, &daemon->domain, uplink, failure))
		return NULL;
	elisa_log(ELISA_LOG_NOTICE, "uplink %s removed on request", uplink->name);
	return json_pack("{s:s}", "name", uplink->name);
}

json_t *elisa_request_uplink_list(struct elisa_daemon *daemon, const json_t *arguments,
				  struct elisa_failure *failure)
{
	json_t *list;

	if (elisa_arguments_only(arguments, no_keys, failure))
		return NULL;
	list = json_array();
	for (unsigned int i = 0; i < ELISA_MAX_UPLINKS; i++) {
		const struct elisa_uplink_port *uplink = &daemon->uplinks.uplinks[i];

		if (uplink->present && json_array_append_new(list, uplink_json(uplink))) {
			json_decref(list);
			return NULL;
		}
	}
	return json_pack("{s:o}", "uplinks", list);
}

json_t *elisa_request_uplink_show(struct elisa_daemon *daemon, const json_t *arguments,
				  struct elisa_failure *failure)
{
	struct elisa_uplink_port *uplink;

	if (elisa_arguments_only(arguments, name_keys, failure) ||
	    take_uplink(daemon, arguments, &uplink, failure))
		return NULL;
	return uplink_json(uplink);
}
