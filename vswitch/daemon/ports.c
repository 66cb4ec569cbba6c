// SPDX-License-Identifier: BSD-3-Clause
/* ports.c - see ports.h. */
#include "ports.h"

#include "module.h"
#include "names.h"

#include <elisa/ring.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

struct elisa_port *elisa_ports_find(struct elisa_ports *ports, const char *name)
{
	for (unsigned int i = 0; i < ELISA_MAX_PORTS; i++) {
		if (ports->ports[i].present && !strcmp(ports->ports[i].name, name))
			return &ports->ports[i];
	}
	return NULL;
}

static int name_taken(const struct elisa_port *port, struct elisa_failure *failure)
{
	struct elisa_port_state state = {0};
	bool claimed = !elisa_module_port_state(port->fd, &state) && state.claimed;

	return elisa_fail(failure, -EEXIST,
			  "port %s belongs to VM %.128s (process %d)%s; choose another name, or "
			  "first 'elisactl port del %s'",
			  port->name, port->vm->label, port->vm->pid,
			  claimed ? ", and a guest process is using it" : "", port->name);
}

/*
 * The number of a free port, -EEXIST if name or address are taken, -ENOSPC. Uplinks have numbers
 * too: the switch knows all that are taken.
 */
static int find_place(struct elisa_ports *ports, const struct elisa_switch *sw,
		      const struct elisa_port_request *request, struct elisa_failure *failure)
{
	struct elisa_port *port = elisa_ports_find(ports, request->name);
	int place = -1;

	if (port)
		return name_taken(port, failure);
	for (int i = 0; i < (int)ELISA_MAX_PORTS; i++) {
		port = &ports->ports[i];
		if (!port->present) {
			place = place < 0 && !(sw->ports >> i & 1) ? i : place;
			continue;
		}
		if (!memcmp(port->mac, request->mac, ELISA_MAC_SIZE))
			return elisa_fail(failure, -EEXIST,
					  "the MAC address for port %s is already that of port %s; "
					  "give another with --mac",
					  request->name, port->name);
	}
	if (place < 0)
		return elisa_fail(failure, -ENOSPC,
				  "the switch has %u ports, which is the most it can have; remove "
				  "one or start another switch",
				  ELISA_MAX_PORTS);
	return place;
}

/* The datapath reads the vCPU's own counter, and can take an offset off, but no other rate. */
static int check_clock(const struct elisa_vm *vm, const struct elisa_port_policy *policy,
		       struct elisa_failure *failure)
{
	if (!elisa_policy_has_rate(policy))
		return 0;
	for (uint32_t i = 0; i < vm->nb_vcpus; i++) {
		struct elisa_vcpu_stats stats = {.vcpu = i};
		int result = elisa_module_vm_vcpu_stats(vm->fd, &stats);

		if (result)
			return elisa_fail(failure, result,
					  "the module does not say how vCPU %u of VM %.128s counts "
					  "time: %s; is the VM just ending?",
					  i, vm->label, strerror(-result));
		if (stats.tsc_scaled)
			return elisa_fail(
				failure, -EOPNOTSUPP,
				"a port of VM %.128s cannot have a rate or storm limit: its "
				"time-stamp counter runs at another rate than the host's; "
				"start it here and without QEMU's tsc-frequency",
				vm->label);
	}
	return 0;
}

static int set_policy(struct elisa_switch *sw, unsigned int number, const char *name,
		      const struct elisa_port_policy *policy, uint64_t tsc_hz,
		      struct elisa_failure *failure)
{
	int result = elisa_switch_port_set_policy(sw, number, policy, tsc_hz);

	if (result)
		return elisa_fail(failure, result,
				  "the switch does not take the limits of port %s: %s; give others",
				  name, strerror(-result));
	return 0;
}

static int add_to_datapath(struct elisa_switch *sw, unsigned int number,
			   const struct elisa_port_request *request, struct elisa_failure *failure)
{
	struct elisa_port_params params = {.backpressure = request->backpressure};
	int result;

	memcpy(params.mac, request->mac, ELISA_MAC_SIZE);
	result = elisa_switch_port_add(sw, number, &params);
	if (result == -ENOSPC)
		return elisa_fail(failure, result,
				  "the MAC table has no room for the address of port %s; give "
				  "another --mac, or start the switch with a larger --fdb-size",
				  request->name);
	if (result)
		return elisa_fail(failure, result,
				  "the switch does not take port %s: %s; give another --mac",
				  request->name, strerror(-result));
	result = set_policy(sw, number, request->name, &request->policy, request->tsc_hz, failure);
	if (result)
		elisa_switch_port_del(sw, number);
	return result;
}

/* Returns the module's object. */
static int add_to_module(const struct elisa_vm *vm, unsigned int number,
			 const struct elisa_port_request *request, struct elisa_failure *failure)
{
	struct elisa_port_add add = {
		.port = number,
		.max_mtu = request->max_mtu,
		.max_queues = request->max_queues,
		.max_ring = ELISA_MAX_RING,
	};
	int fd;

	memcpy(add.mac, request->mac, ELISA_MAC_SIZE);
	memcpy(add.name, request->name, strlen(request->name));
	fd = elisa_module_port_add(vm->fd, &add);
	if (fd >= 0)
		return fd;
	return elisa_fail(failure, fd, "the module does not add port %s for VM %.128s: %s; %s",
			  request->name, vm->label, strerror(-fd),
			  fd == -EMFILE || fd == -ENFILE
				  ? "raise the limit of open files (systemd: LimitNOFILE=)"
				  : "look for its messages in the kernel's log (dmesg)");
}

static void keep(const struct elisa_port *port, unsigned int number)
{
	struct elisa_port_record record = {
		.vm = port->vm->number,
		.max_mtu = port->max_mtu,
		.max_queues = port->max_queues,
	};

	memcpy(record.name, port->name, sizeof(record.name));
	memcpy(record.mac, port->mac, sizeof(record.mac));
	elisa_store_keep(ELISA_KEPT_PORT, number, &record, sizeof(record), port->fd, -1);
}

int elisa_ports_add(struct elisa_ports *ports, struct elisa_vms *vms, struct elisa_domain *domain,
		    const struct elisa_port_request *request, struct elisa_port **port,
		    struct elisa_failure *failure)
{
	int number = find_place(ports, domain->sw, request, failure);
	struct elisa_vm *vm;
	int fd, result;

	if (number < 0)
		return number;
	result = elisa_vms_get(vms, domain, request->vm, &vm, failure);
	if (result)
		return result;
	result = check_clock(vm, &request->policy, failure);
	if (!result)
		result = add_to_datapath(domain->sw, (unsigned int)number, request, failure);
	if (result)
		goto put_vm;
	fd = add_to_module(vm, (unsigned int)number, request, failure);
	if (fd < 0) {
		result = fd;
		goto del_from_datapath;
	}
	*port = &ports->ports[number];
	**port = (struct elisa_port){
		.present = true,
		.fd = fd,
		.vm = vm,
		.backpressure = request->backpressure,
		.max_mtu = request->max_mtu,
		.max_queues = request->max_queues,
	};
	memcpy((*port)->name, request->name, strlen(request->name));
	memcpy((*port)->mac, request->mac, ELISA_MAC_SIZE);
	keep(*port, (unsigned int)number);
	return 0;

del_from_datapath:
	elisa_switch_port_del(domain->sw, (unsigned int)number);
put_vm:
	elisa_vms_put(vm);
	return result;
}

int elisa_ports_set_policy(struct elisa_ports *ports, struct elisa_domain *domain,
			   struct elisa_port *port, const struct elisa_port_policy *policy,
			   uint64_t tsc_hz, struct elisa_failure *failure)
{
	int result = check_clock(port->vm, policy, failure);

	if (result)
		return result;
	return set_policy(domain->sw, elisa_port_number(ports, port), port->name, policy, tsc_hz,
			  failure);
}

/* When a VM ended, its vCPUs' numbers may be another's already. That one's calls finish what is left. */
static bool number_is_taken(const struct elisa_ports *ports, uint32_t vcpu)
{
	for (unsigned int i = 0; i < ELISA_MAX_PORTS; i++) {
		const struct elisa_port *port = &ports->ports[i];

		if (port->present && vcpu >= port->vm->first_vcpu &&
		    vcpu - port->vm->first_vcpu < port->vm->nb_vcpus)
			return true;
	}
	return false;
}

/*
 * Module first: revoking stops the port and waits for the vCPUs inside (switch.h). The vCPUs of a
 * VM that is detached cannot enter any more, so what they left in flight is finished here.
 */
void elisa_ports_remove(struct elisa_ports *ports, struct elisa_domain *domain,
			struct elisa_port *port)
{
	struct elisa_vm *vm = port->vm;

	elisa_module_revoke(port->fd);
	elisa_switch_port_del(domain->sw, elisa_port_number(ports, port));
	elisa_store_drop(ELISA_KEPT_PORT, elisa_port_number(ports, port));
	elisa_module_close(port->fd);
	port->present = false;
	elisa_vms_put(vm);
	for (uint32_t i = 0; !vm->attached && i < vm->nb_vcpus; i++) {
		if (!number_is_taken(ports, vm->first_vcpu + i))
			elisa_domain_finish_vcpu(domain, vm->first_vcpu + i);
	}
}

static struct elisa_vm *vm_of_record(struct elisa_vms *vms, const struct elisa_port_record *record)
{
	struct elisa_vm *vm = record->vm < ELISA_MAX_PORTS ? &vms->vms[record->vm] : NULL;

	return vm && vm->attached ? vm : NULL;
}

/* What was added whole is there three times: for the module, the datapath and the record. */
static bool is_whole(const struct elisa_switch *sw, unsigned int number, int fd,
		     const struct elisa_port_record *record)
{
	const struct elisa_port_config *config = &sw->config[number];
	struct elisa_port_state state = {0};

	return !elisa_module_port_state(fd, &state) && config->present && !config->uplink &&
	       config->mac == elisa_mac_to_number(record->mac);
}

bool elisa_ports_adopt(struct elisa_ports *ports, struct elisa_vms *vms,
		       struct elisa_domain *domain, unsigned int number,
		       const struct elisa_kept_thing *thing)
{
	struct elisa_port *port = &ports->ports[number];
	struct elisa_port_record record;
	struct elisa_vm *vm = NULL;

	if (thing->object >= 0 &&
	    !elisa_record_read(thing->record, ELISA_KEPT_PORT, &record, sizeof(record)) &&
	    is_whole(domain->sw, number, thing->object, &record))
		vm = vm_of_record(vms, &record);
	if (!vm) {
		elisa_kept_discard(ELISA_KEPT_PORT, number, thing);
		return false;
	}
	close(thing->record);
	*port = (struct elisa_port){
		.present = true,
		.fd = thing->object,
		.vm = vm,
		.backpressure = domain->sw->config[number].backpressure,
		.max_mtu = record.max_mtu,
		.max_queues = record.max_queues,
	};
	memcpy(port->name, record.name, sizeof(port->name) - 1);
	memcpy(port->mac, record.mac, sizeof(port->mac));
	vm->nb_ports++;
	return true;
}

void elisa_ports_leave(struct elisa_ports *ports)
{
	for (unsigned int i = 0; i < ELISA_MAX_PORTS; i++) {
		if (ports->ports[i].present)
			elisa_module_close(ports->ports[i].fd);
		ports->ports[i].present = false;
	}
}
