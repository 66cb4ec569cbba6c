// SPDX-License-Identifier: BSD-3-Clause
/* requests_stats.c - the commands that show counters of ports and VMs; see requests.h. */
#include "requests.h"

#include "arguments.h"
#include "exit_reasons.h"
#include "module.h"

#include <errno.h>
#include <string.h>

static const char *const optional_name_keys[] = {"name", NULL};

/* `value` is taken over; NULL, and `json` is gone, without memory: no answer rather than a part of one. */
static json_t *with(json_t *json, const char *key, json_t *value)
{
	if (!json_object_set_new(json, key, value))
		return json;
	json_decref(json);
	return NULL;
}

/* {"receiver-full": 3, …}: the reasons that have a count. */
static json_t *drops_json(const uint64_t drops[ELISA_DROP_REASONS])
{
	json_t *json = json_object();

	for (unsigned int i = 0; i < ELISA_DROP_REASONS; i++) {
		if (drops[i])
			json = with(json, elisa_drop_reason_name(i),
				    json_integer((json_int_t)drops[i]));
	}
	return json;
}

static json_int_t drops_sum(const uint64_t drops[ELISA_DROP_REASONS])
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < ELISA_DROP_REASONS; i++)
		sum += drops[i];
	return (json_int_t)sum;
}

/* What the NIC counted itself, for comparison with what the switch did. */
static json_t *nic_json(const struct elisa_uplink_port *uplink)
{
	struct elisa_nic_stats stats;

	elisa_nic_stats(&uplink->nic, &stats);
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "ipackets",
			 (json_int_t)stats.ipackets, "ibytes", (json_int_t)stats.ibytes, "opackets",
			 (json_int_t)stats.opackets, "obytes", (json_int_t)stats.obytes, "imissed",
			 (json_int_t)stats.imissed, "ierrors", (json_int_t)stats.ierrors, "oerrors",
			 (json_int_t)stats.oerrors, "no_mbuf", (json_int_t)stats.no_mbuf);
}

static json_t *sent_json(const struct elisa_port_stats *stats)
{
	return json_pack(
		"{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "packets",
		(json_int_t)stats->tx_packets, "bytes", (json_int_t)stats->tx_bytes, "calls",
		(json_int_t)stats->tx_calls, "flooded", (json_int_t)stats->tx_flooded,
		"backpressure", (json_int_t)stats->tx_backpressure, "claim_retries",
		(json_int_t)stats->tx_claim_retries, "segments", (json_int_t)stats->tx_segments,
		"not_learned", (json_int_t)stats->tx_unlearned, "dropped",
		drops_sum(stats->tx_drops), "drops", drops_json(stats->tx_drops));
}

static json_t *port_stats_json(struct elisa_daemon *daemon, unsigned int number)
{
	const struct elisa_uplink_port *uplink =
		elisa_uplinks_with_number(&daemon->uplinks, number);
	struct elisa_port_stats stats = {0};
	json_t *received, *json;

	elisa_switch_port_stats(daemon->domain.sw, number, &stats);
	received = json_pack("{s:I, s:I, s:I, s:o}", "packets", (json_int_t)stats.rx_packets,
			     "bytes", (json_int_t)stats.rx_bytes, "dropped",
			     drops_sum(stats.rx_drops), "drops", drops_json(stats.rx_drops));
	json = json_pack("{s:s, s:o, s:o, s:I}", "name", elisa_daemon_port_name(daemon, number),
			 "sent", sent_json(&stats), "received", received, "learned",
			 (json_int_t)stats.learned);
	if (json && uplink)
		json = with(json, "nic", nic_json(uplink));
	return json;
}

json_t *elisa_request_stats(struct elisa_daemon *daemon, const json_t *arguments,
			    struct elisa_failure *failure)
{
	unsigned int only;
	json_t *list;

	if (elisa_arguments_only(arguments, optional_name_keys, failure) ||
	    elisa_request_number(daemon, arguments, &only, failure))
		return NULL;
	list = json_array();
	for (unsigned int i = 0; i < ELISA_MAX_PORTS; i++) {
		if (!elisa_daemon_port_name(daemon, i) || (only < ELISA_MAX_PORTS && i != only))
			continue;
		if (json_array_append_new(list, port_stats_json(daemon, i))) {
			json_decref(list);
			return NULL;
		}
	}
	return json_pack("{s:o}", "ports", list);
}

static json_t *reasons_json(const uint64_t counts[ELISA_EXIT_REASONS])
{
	json_t *json = json_object();

	for (uint32_t i = 0; i < ELISA_EXIT_REASONS; i++) {
		const char *name = elisa_exit_reason_name(i);
		json_int_t before;

		if (!counts[i])
			continue;
		before = json_integer_value(json_object_get(json, name));
		json = with(json, name, json_integer(before + (json_int_t)counts[i]));
	}
	return json;
}

static void add_vcpu(struct elisa_vcpu_stats *sum, const struct elisa_vcpu_stats *one)
{
	sum->exits += one->exits;
	sum->exits_io += one->exits_io;
	sum->exits_inside += one->exits_inside;
	sum->recoveries += one->recoveries;
	sum->traps += one->traps;
	sum->closed_calls += one->closed_calls;
	sum->hypercalls += one->hypercalls;
	sum->gate_calls += one->gate_calls;
	for (unsigned int i = 0; i < ELISA_EXIT_REASONS; i++) {
		sum->by_reason[i] += one->by_reason[i];
		sum->inside_by_reason[i] += one->inside_by_reason[i];
	}
}

/* vCPUs that were made after the VM was attached have no counters, and are not counted. */
static int sum_vcpus(const struct elisa_vm *vm, struct elisa_vcpu_stats *sum,
		     struct elisa_failure *failure)
{
	struct elisa_vcpu_stats one;
	int result;

	*sum = (struct elisa_vcpu_stats){0};
	for (uint32_t i = 0; i < vm->nb_vcpus; i++) {
		one = (struct elisa_vcpu_stats){.vcpu = i};
		result = elisa_module_vm_vcpu_stats(vm->fd, &one);
		if (result)
			return elisa_fail(failure, result,
					  "the module has no counters of vCPU %u of VM %.128s: %s; "
					  "is the VM just ending?",
					  i, vm->label, strerror(-result));
		add_vcpu(sum, &one);
	}
	return 0;
}

static json_t *vm_ports_json(struct elisa_daemon *daemon, const struct elisa_vm *vm)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < ELISA_MAX_PORTS; i++) {
		struct elisa_port *port = &daemon->ports.ports[i];

		if (port->present && port->vm == vm &&
		    json_array_append_new(list, json_string(port->name))) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *vm_json(struct elisa_daemon *daemon, const struct elisa_vm *vm,
		       struct elisa_failure *failure)
{
	struct elisa_vcpu_stats sum;

	if (sum_vcpus(vm, &sum, failure))
		return NULL;
	return json_pack(
		"{s:o, s:i, s:i, s:i, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o}",
		"name", elisa_json_text(vm->name), "pid", (int)vm->pid, "vcpus", (int)vm->nb_vcpus,
		"first_vcpu", (int)vm->first_vcpu, "ports", vm_ports_json(daemon, vm), "exits",
		(json_int_t)sum.exits, "exits_io", (json_int_t)sum.exits_io, "exits_inside",
		(json_int_t)sum.exits_inside, "recoveries", (json_int_t)sum.recoveries, "traps",
		(json_int_t)sum.traps, "closed_calls", (json_int_t)sum.closed_calls, "hypercalls",
		(json_int_t)sum.hypercalls, "gate_calls", (json_int_t)sum.gate_calls, "by_reason",
		reasons_json(sum.by_reason), "inside_by_reason",
		reasons_json(sum.inside_by_reason));
}

static int take_vm(struct elisa_daemon *daemon, const json_t *arguments, struct elisa_vm **vm,
		   struct elisa_failure *failure)
{
	const char *name;
	int result = elisa_argument_text(arguments, "name", false, ELISA_VM_NAME_SIZE - 1, &name,
					 failure);

	*vm = NULL;
	if (result || !name)
		return result;
	*vm = elisa_vms_find(&daemon->vms, name);
	if (*vm)
		return 0;
	return elisa_fail(failure, -ENOENT,
			  "no VM %.128s has a port on switch %s; 'elisactl vm' shows those that do",
			  name, daemon->options.switch_name);
}

json_t *elisa_request_vm(struct elisa_daemon *daemon, const json_t *arguments,
			 struct elisa_failure *failure)
{
	struct elisa_vm *only;
	json_t *list;

	if (elisa_arguments_only(arguments, optional_name_keys, failure) ||
	    take_vm(daemon, arguments, &only, failure))
		return NULL;
	list = json_array();
	for (unsigned int i = 0; i < ELISA_MAX_PORTS; i++) {
		struct elisa_vm *vm = &daemon->vms.vms[i];

		if (!vm->attached || (only && vm != only))
			continue;
		if (json_array_append_new(list, vm_json(daemon, vm, failure))) {
			json_decref(list);
			return NULL;
		}
	}
	return json_pack("{s:o}", "vms", list);
}
