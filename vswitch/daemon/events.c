// SPDX-License-Identifier: BSD-3-Clause
/* events.c - see events.h. */
#include "events.h"

#include "exit_reasons.h"
#include "log.h"
#include "module.h"
#include "uplink_owners.h"

#include <elisa/uapi.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* More than the module queues: a module that never says EAGAIN cannot keep the daemon here. */
#define EVENTS_AT_ONCE 1024u

static const char *vm_label(struct elisa_daemon *daemon, uint32_t vcpu)
{
	struct elisa_vm *vm = elisa_vms_with_vcpu(&daemon->vms, vcpu);

	return vm ? vm->label : "(no longer attached)";
}

static const char *port_name(struct elisa_daemon *daemon, uint32_t port)
{
	const char *name = elisa_daemon_port_name(daemon, port);

	return name ? name : "(removed)";
}

static time_t seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* Removes all ports of a VM, and with the last one the VM. `why` goes on after its name. */
static void remove_vm(struct elisa_daemon *daemon, struct elisa_vm *vm, enum elisa_log_level level,
		      const char *why)
{
	for (unsigned int i = 0; i < ELISA_MAX_PORTS && vm->attached; i++) {
		struct elisa_port *port = &daemon->ports.ports[i];

		if (!port->present || port->vm != vm)
			continue;
		elisa_log(level, "port %s removed: VM %.128s (process %d) %s", port->name,
			  vm->label, vm->pid, why);
		elisa_daemon_remove_port(daemon, port);
	}
}

static void remove_gone(struct elisa_daemon *daemon, struct elisa_vm *vm)
{
	remove_vm(daemon, vm, ELISA_LOG_NOTICE,
		  "is gone; add the port again when the VM runs again");
}

/* Each reset took what was in a NIC's rings from all VMs. */
static void remove_hostile(struct elisa_daemon *daemon, struct elisa_vm *vm)
{
	char why[256];

	snprintf(why, sizeof(why),
		 "had a NIC of an uplink reset %u times within %u seconds, because its guest was "
		 "thrown out of the switch while it used it; look at what runs in that guest, and "
		 "add the port again after that",
		 ELISA_VM_RESETS_MAX, ELISA_VM_RESETS_SECONDS);
	remove_vm(daemon, vm, ELISA_LOG_ERROR, why);
}

void elisa_events_reap(struct elisa_daemon *daemon)
{
	for (unsigned int i = 0; i < ELISA_MAX_PORTS; i++) {
		struct elisa_vm *vm = &daemon->vms.vms[i];

		if (vm->attached && elisa_vm_exited(vm))
			remove_gone(daemon, vm);
	}
}

/*
 * Whether the VM has the vCPU of this number now. An event does not say: since it was posted the
 * number may have gone to another VM. Where the module does not deny it, it may be there.
 */
static bool has_vcpu(const struct elisa_vm *vm, uint32_t vcpu, struct elisa_vcpu_stats *stats)
{
	*stats = (struct elisa_vcpu_stats){.vcpu = vcpu - vm->first_vcpu};
	return elisa_module_vm_vcpu_stats(vm->fd, stats) != -ENOENT;
}

static bool has_number(const struct elisa_vm *vm, uint32_t vcpu)
{
	return vm->attached && vcpu >= vm->first_vcpu && vcpu - vm->first_vcpu < vm->nb_vcpus;
}

/* The VM that has the vCPU, or NULL. */
static struct elisa_vm *vm_of(struct elisa_daemon *daemon, uint32_t vcpu,
			      struct elisa_vcpu_stats *stats)
{
	for (unsigned int i = 0; i < ELISA_MAX_PORTS; i++) {
		struct elisa_vm *vm = &daemon->vms.vms[i];

		if (has_number(vm, vcpu) && has_vcpu(vm, vcpu, stats))
			return vm;
	}
	return NULL;
}

/*
 * It is out of the trusted context, and stays out meanwhile. Returns whether a NIC had to be reset
 * for it.
 */
static bool finish(struct elisa_daemon *daemon, uint32_t vcpu)
{
	elisa_domain_finish_vcpu(&daemon->domain, vcpu);
	return elisa_uplinks_vcpu_out(&daemon->uplinks, &daemon->domain, vcpu);
}

/*
 * A vCPU that was thrown out is kept out until what it had in flight is finished, and for good if its
 * guest makes a habit of it: all others lose packets each time. What the daemon itself asked for is not
 * the guest's doing. All else may be: a guest can have itself reset, too.
 */
static void finish_held(struct elisa_daemon *daemon, struct elisa_vm *vm, uint32_t vcpu,
			uint64_t held)
{
	int result;

	if (finish(daemon, vcpu) && held != ELISA_HELD_EVICTED &&
	    elisa_vm_count_reset(vm, seconds_now())) {
		remove_hostile(daemon, vm);
		return;
	}
	result = elisa_module_domain_vcpu_reopen(daemon->domain.fd, vcpu);
	if (result && result != -ENOENT)
		elisa_log_limited(ELISA_LOG_ERROR,
				  "vCPU %u of VM %.128s cannot be let in again: %s; its ports send "
				  "nothing until they are removed and added again",
				  vcpu, vm->label, strerror(-result));
}

/*
 * Finish what a vCPU left in flight, if it is gone or held. One that is neither may be inside: its
 * event is old, or it was thrown out with nothing in flight. On whose account it is held the module
 * still knows when the event was lost.
 */
static void look_after(struct elisa_daemon *daemon, uint32_t vcpu)
{
	struct elisa_vcpu_stats stats;
	struct elisa_vm *vm = vm_of(daemon, vcpu, &stats);

	if (!vm)
		finish(daemon, vcpu);
	else if (stats.held)
		finish_held(daemon, vm, vcpu, stats.held);
}

/* A VM that KVM has no more, whether its process is there or not. */
static bool has_no_vcpu(const struct elisa_vm *vm)
{
	struct elisa_vcpu_stats stats;

	for (uint32_t i = 0; i < vm->nb_vcpus; i++) {
		if (has_vcpu(vm, vm->first_vcpu + i, &stats))
			return false;
	}
	return true;
}

void elisa_events_resynchronize(struct elisa_daemon *daemon)
{
	elisa_events_reap(daemon);
	for (unsigned int i = 0; i < ELISA_MAX_PORTS; i++) {
		struct elisa_vm *vm = &daemon->vms.vms[i];

		if (vm->attached && has_no_vcpu(vm))
			remove_gone(daemon, vm);
	}
	for (uint32_t vcpu = 0; vcpu < ELISA_MAX_VCPUS; vcpu++)
		look_after(daemon, vcpu);
}

/* What is wrong is the process in the guest, or nothing but that the vCPU did not run. */
static void log_recovery(struct elisa_daemon *daemon, const struct elisa_event *event)
{
	if (event->reason == ELISA_AT_ENTRY) {
		elisa_log_limited(
			ELISA_LOG_WARNING,
			"vCPU %u of VM %.128s was thrown out of the switch with #GP: it "
			"stayed inside, paused or for too long, while others waited for it, "
			"or its VMM changed or reset it there; is the VM paused, did it "
			"restart, or is the host overloaded?",
			event->vcpu, vm_label(daemon, event->vcpu));
		return;
	}
	elisa_log_limited(ELISA_LOG_WARNING,
			  "vCPU %u of VM %.128s was thrown out of the switch with #GP (exit reason "
			  "%u, %s): a process in that VM misused the gate or its memory went away; "
			  "look for it in the guest",
			  event->vcpu, vm_label(daemon, event->vcpu), event->reason,
			  elisa_exit_reason_name(event->reason));
}

static void recovered(struct elisa_daemon *daemon, const struct elisa_event *event)
{
	log_recovery(daemon, event);
	look_after(daemon, event->vcpu);
}

static void vm_gone(struct elisa_daemon *daemon, const struct elisa_event *event)
{
	struct elisa_vcpu_stats stats;

	for (unsigned int i = 0; i < ELISA_MAX_PORTS; i++) {
		struct elisa_vm *vm = &daemon->vms.vms[i];

		if (has_number(vm, event->vcpu) && !has_vcpu(vm, event->vcpu, &stats))
			remove_gone(daemon, vm);
	}
	elisa_events_reap(daemon);
}

static void handle(struct elisa_daemon *daemon, const struct elisa_event *event)
{
	if (event->flags & ELISA_EVENT_OVERFLOW) {
		elisa_log_limited(ELISA_LOG_WARNING,
				  "the module had more events than its queue holds; looking at all "
				  "VMs instead");
		elisa_events_resynchronize(daemon);
	}
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
		look_after(daemon, event->vcpu);
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
