// SPDX-License-Identifier: BSD-3-Clause
/* events.c - see events.h. */
#include "events.h"

#include "exit_reasons.h"
#include "log.h"
#include "module.h"

#include <elisa/uapi.h>

#include <errno.h>
#include <string.h>

/* More than the module queues: a module that never says EAGAIN cannot keep the daemon here. */
#define EVENTS_AT_ONCE 1024u

static const char *vm_label(struct elisa_daemon *daemon, uint32_t vcpu)
{
	struct elisa_vm *vm = elisa_vms_with_vcpu(&daemon->vms, vcpu);

	return vm ? vm->label : "(no longer attached)";
}

static const char *port_name(struct elisa_daemon *daemon, uint32_t port)
{
	if (port >= ELISA_MAX_PORTS || !daemon->ports.ports[port].present)
		return "(removed)";
	return daemon->ports.ports[port].name;
}

/* The VM has ended: its ports go, and with the last one the VM. */
static void remove_vm(struct elisa_daemon *daemon, struct elisa_vm *vm)
{
	for (unsigned int i = 0; i < ELISA_MAX_PORTS && vm->attached; i++) {
		struct elisa_port *port = &daemon->ports.ports[i];

		if (!port->present || port->vm != vm)
			continue;
		elisa_log(
			ELISA_LOG_NOTICE,
			"port %s removed: VM %.128s (process %d) is gone; add the port again when "
			"the VM runs again",
			port->name, vm->label, vm->pid);
		elisa_ports_remove(&daemon->ports, &daemon->domain, port);
	}
}

void elisa_events_reap(struct elisa_daemon *daemon)
{
	for (unsigned int i = 0; i < ELISA_MAX_PORTS; i++) {
		struct elisa_vm *vm = &daemon->vms.vms[i];

		if (vm->attached && elisa_vm_exited(vm))
			remove_vm(daemon, vm);
	}
}

/* A vCPU that was thrown out is kept out until what it had in flight is finished. */
static void finish_held(struct elisa_daemon *daemon, uint32_t vcpu)
{
	int result;

	elisa_domain_finish_vcpu(&daemon->domain, vcpu);
	result = elisa_module_domain_vcpu_reopen(daemon->domain.fd, vcpu);
	if (result && result != -ENOENT)
		elisa_log_limited(ELISA_LOG_ERROR,
				  "vCPU %u of VM %.128s cannot be let in again: %s; its ports send "
				  "nothing until they are removed and added again",
				  vcpu, vm_label(daemon, vcpu), strerror(-result));
}

static void finish_held_of_vm(struct elisa_daemon *daemon, const struct elisa_vm *vm)
{
	for (uint32_t i = 0; i < vm->nb_vcpus; i++) {
		struct elisa_vcpu_stats stats = {.vcpu = i};

		if (!elisa_module_vm_vcpu_stats(vm->fd, &stats) && stats.held)
			finish_held(daemon, vm->first_vcpu + i);
	}
}

/* Events are missing: find out by looking what they may have told of. */
static void resynchronize(struct elisa_daemon *daemon)
{
	elisa_log(ELISA_LOG_WARNING,
		  "the module had more events than its queue holds; looking at all VMs instead");
	elisa_events_reap(daemon);
	for (uint32_t vcpu = 0; vcpu < ELISA_MAX_VCPUS; vcpu++) {
		if (!elisa_vms_with_vcpu(&daemon->vms, vcpu))
			elisa_domain_finish_vcpu(&daemon->domain, vcpu);
	}
	for (unsigned int i = 0; i < ELISA_MAX_PORTS; i++) {
		if (daemon->vms.vms[i].attached)
			finish_held_of_vm(daemon, &daemon->vms.vms[i]);
	}
}

static void recovered(struct elisa_daemon *daemon, const struct elisa_event *event)
{
	elisa_log_limited(ELISA_LOG_WARNING,
			  "vCPU %u of VM %.128s was thrown out of the switch with #GP (exit reason "
			  "%u, %s): a process in that VM misused the gate or its memory went away; "
			  "look for it in the guest",
			  event->vcpu, vm_label(daemon, event->vcpu), event->reason,
			  elisa_exit_reason_name(event->reason));
	if (elisa_vms_with_vcpu(&daemon->vms, event->vcpu))
		finish_held(daemon, event->vcpu);
}

static void vm_gone(struct elisa_daemon *daemon, const struct elisa_event *event)
{
	struct elisa_vm *vm = elisa_vms_with_vcpu(&daemon->vms, event->vcpu);

	if (vm)
		remove_vm(daemon, vm);
	else
		elisa_events_reap(daemon);
}

static void handle(struct elisa_daemon *daemon, const struct elisa_event *event)
{
	if (event->flags & ELISA_EVENT_OVERFLOW)
		resynchronize(daemon);
	switch (event->type) {
	case ELISA_EVENT_PORT_CLAIMED:
		elisa_log_limited(ELISA_LOG_NOTICE, "port %s: a guest process claimed it",
				  port_name(daemon, event->port));
		break;
	case ELISA_EVENT_PORT_RELEASED:
		elisa_log_limited(ELISA_LOG_NOTICE,
				  "port %s: its guest process gave it back or "
				  "ended; another may claim it",
				  port_name(daemon, event->port));
		break;
	case ELISA_EVENT_VCPU_RECOVERED:
		recovered(daemon, event);
		break;
	case ELISA_EVENT_VCPU_LOST:
		elisa_domain_finish_vcpu(&daemon->domain, event->vcpu);
		break;
	case ELISA_EVENT_VM_GONE:
		vm_gone(daemon, event);
		break;
	default:
		elisa_log_limited(ELISA_LOG_WARNING,
				  "the module tells of an event of type %u, which elisa-switchd "
				  "does not know; install the same version of both",
				  event->type);
	}
}

void elisa_events_handle(struct elisa_daemon *daemon)
{
	struct elisa_event event;
	int result = 0;

	for (unsigned int i = 0; i < EVENTS_AT_ONCE; i++) {
		result = elisa_module_domain_event(daemon->domain.fd, &event);
		if (result)
			break;
		handle(daemon, &event);
	}
	if (result && result != -EAGAIN && !daemon->events_failed)
		elisa_log(ELISA_LOG_ERROR,
			  "cannot read the module's events: %s; VMs that end are noticed all the "
			  "same, but look for messages of the module in the kernel's log (dmesg)",
			  strerror(-result));
	daemon->events_failed = result && result != -EAGAIN;
}
