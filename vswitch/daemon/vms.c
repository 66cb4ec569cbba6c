// SPDX-License-Identifier: BSD-3-Clause
/* vms.c - see vms.h. */
#include "vms.h"

#include "host_check.h"
#include "module.h"
#include "vm_find.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool elisa_vm_exited(const struct elisa_vm *vm)
{
	struct pollfd poller = {.fd = vm->pidfd, .events = POLLIN};

	return poll(&poller, 1, 0) > 0;
}

static struct elisa_vm *attached_vm(struct elisa_vms *vms, pid_t pid)
{
	for (unsigned int i = 0; i < ELISA_MAX_PORTS; i++) {
		struct elisa_vm *vm = &vms->vms[i];

		if (vm->attached && vm->pid == pid && !elisa_vm_exited(vm))
			return vm;
	}
	return NULL;
}

static struct elisa_vm *free_vm(struct elisa_vms *vms)
{
	for (unsigned int i = 0; i < ELISA_MAX_PORTS; i++) {
		if (!vms->vms[i].attached)
			return &vms->vms[i];
	}
	return NULL;
}

static int attach_failed(int error, uint32_t refusal, const char *label,
			 struct elisa_failure *failure)
{
	switch (error) {
	case -EOPNOTSUPP:
		return elisa_fail(failure, error, "VM %s cannot be attached because %s", label,
				  elisa_refusal_text(refusal));
	case -EBUSY:
		return elisa_fail(failure, error,
				  "VM %s is attached to another switch on this host; remove its "
				  "ports there first",
				  label);
	case -ENOSPC:
		return elisa_fail(failure, error,
				  "VM %s has more vCPUs than the switch has room for (%u in all); "
				  "remove ports of other VMs first",
				  label, ELISA_MAX_VCPUS);
	case -EBADF:
		return elisa_fail(failure, error,
				  "the module does not take %s for a KVM virtual machine; load the "
				  "module after kvm-intel, and again when that is loaded again",
				  label);
	default:
		return elisa_fail(
			failure, error,
			"VM %s cannot be attached: %s; look for messages of the module in "
			"the kernel's log (dmesg)",
			label, strerror(-error));
	}
}

static void set_label(struct elisa_vm *vm)
{
	if (vm->name[0])
		strcpy(vm->label, vm->name);
	else
		snprintf(vm->label, sizeof(vm->label), "process %d", vm->pid);
}

static void keep(const struct elisa_vm *vm)
{
	struct elisa_vm_record record = {
		.pid = vm->pid,
		.nb_vcpus = vm->nb_vcpus,
		.first_vcpu = vm->first_vcpu,
	};

	strcpy(record.name, vm->name);
	elisa_store_keep(ELISA_KEPT_VM, vm->number, &record, sizeof(record), vm->fd, vm->pidfd);
}

static int attach(struct elisa_vms *vms, struct elisa_domain *domain,
		  const struct elisa_vm_process *process, struct elisa_vm *vm,
		  struct elisa_failure *failure)
{
	struct elisa_vm_attach request = {
		.flags = vms->accept_side_channels ? ELISA_ATTACH_ACCEPT_SIDE_CHANNELS : 0,
	};
	struct elisa_vm_handle handle;
	int result;

	*vm = (struct elisa_vm){.pid = process->pid, .number = (unsigned int)(vm - vms->vms)};
	strcpy(vm->name, process->name);
	set_label(vm);
	result = elisa_vm_take(vms->proc, process, &handle, failure);
	if (result)
		return result;
	request.kvm_fd = handle.kvm_fd;
	vm->fd = elisa_module_vm_attach(domain->fd, &request);
	close(handle.kvm_fd); /* kept, it would keep the VM from ending */
	if (vm->fd < 0) {
		close(handle.pidfd);
		return attach_failed(vm->fd, request.refusal, vm->label, failure);
	}
	vm->pidfd = handle.pidfd;
	vm->nb_vcpus = request.nb_vcpus;
	vm->first_vcpu = request.first_vcpu;
	vm->attached = true;
	keep(vm);
	return 0;
}

int elisa_vms_get(struct elisa_vms *vms, struct elisa_domain *domain, const char *reference,
		  struct elisa_vm **vm, struct elisa_failure *failure)
{
	struct elisa_vm_process process;
	int result = elisa_vm_find(vms->proc, reference, &process, failure);

	if (result)
		return result;
	*vm = attached_vm(vms, process.pid);
	if (!*vm) {
		*vm = free_vm(vms);
		if (!*vm)
			return elisa_fail(failure, -ENOSPC,
					  "the switch has %u VMs, which is the most it can have; "
					  "remove a port",
					  ELISA_MAX_PORTS);
		result = attach(vms, domain, &process, *vm, failure);
		if (result)
			return result;
	}
	(*vm)->nb_ports++;
	return 0;
}

void elisa_vms_put(struct elisa_vm *vm)
{
	if (!--vm->nb_ports)
		elisa_vms_detach(vm);
}

void elisa_vms_detach(struct elisa_vm *vm)
{
	elisa_module_revoke(vm->fd);
	elisa_store_drop(ELISA_KEPT_VM, vm->number);
	elisa_module_close(vm->fd);
	close(vm->pidfd);
	vm->attached = false;
}

bool elisa_vms_adopt(struct elisa_vms *vms, unsigned int number,
		     const struct elisa_kept_thing *thing)
{
	struct elisa_vm *vm = &vms->vms[number];
	struct elisa_vm_record record;

	if (thing->object < 0 || thing->pidfd < 0 ||
	    elisa_record_read(thing->record, ELISA_KEPT_VM, &record, sizeof(record)) ||
	    record.first_vcpu > ELISA_MAX_VCPUS ||
	    record.nb_vcpus > ELISA_MAX_VCPUS - record.first_vcpu)
		return false;
	close(thing->record);
	*vm = (struct elisa_vm){
		.attached = true,
		.number = number,
		.fd = thing->object,
		.pidfd = thing->pidfd,
		.pid = record.pid,
		.nb_vcpus = record.nb_vcpus,
		.first_vcpu = record.first_vcpu,
	};
	memcpy(vm->name, record.name, sizeof(vm->name) - 1);
	set_label(vm);
	return true;
}

void elisa_vms_leave(struct elisa_vms *vms)
{
	for (unsigned int i = 0; i < ELISA_MAX_PORTS; i++) {
		struct elisa_vm *vm = &vms->vms[i];

		if (!vm->attached)
			continue;
		elisa_module_close(vm->fd);
		close(vm->pidfd);
		vm->attached = false;
	}
}

bool elisa_vm_count_reset(struct elisa_vm *vm, time_t now)
{
	vm->resets[vm->nb_resets++ % ELISA_VM_RESETS_MAX] = now;
	return vm->nb_resets >= ELISA_VM_RESETS_MAX &&
	       now - vm->resets[vm->nb_resets % ELISA_VM_RESETS_MAX] < ELISA_VM_RESETS_SECONDS;
}

struct elisa_vm *elisa_vms_find(struct elisa_vms *vms, const char *reference)
{
	char pid[16];

	for (unsigned int i = 0; i < ELISA_MAX_PORTS; i++) {
		struct elisa_vm *vm = &vms->vms[i];

		if (!vm->attached)
			continue;
		snprintf(pid, sizeof(pid), "%d", vm->pid);
		if (!strcmp(pid, reference) || (*reference && !strcmp(vm->name, reference)))
			return vm;
	}
	return NULL;
}

struct elisa_vm *elisa_vms_with_vcpu(struct elisa_vms *vms, uint32_t vcpu)
{
	for (unsigned int i = 0; i < ELISA_MAX_PORTS; i++) {
		struct elisa_vm *vm = &vms->vms[i];

		if (vm->attached && vcpu >= vm->first_vcpu && vcpu - vm->first_vcpu < vm->nb_vcpus)
			return vm;
	}
	return NULL;
}
