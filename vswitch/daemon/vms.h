/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vms.h - the virtual machines that are attached to the switch.
 *
 * A VM is attached with its first port and detached with its last. Main thread, under the daemon's
 * lock when it changes something.
 */
#ifndef ELISA_DAEMON_VMS_H
#define ELISA_DAEMON_VMS_H

#include "domain.h"
#include "failure.h"
#include "vm_name.h"

#include <elisa/layout.h>

#include <sys/types.h>
#include <time.h>

/* So many NICs reset by vCPUs of one VM within so many seconds are too many. */
#define ELISA_VM_RESETS_MAX 3u
#define ELISA_VM_RESETS_SECONDS 60

struct elisa_vm {
	bool attached;
	unsigned int number; /* in elisa_vms */
	int fd;              /* the module's object */
	int pidfd;           /* readable when the VMM's process is gone */
	pid_t pid;
	char name[ELISA_VM_NAME_SIZE];  /* empty: the VMM's command line gave none */
	char label[ELISA_VM_NAME_SIZE]; /* for messages: the name, or "process 123" */
	uint32_t nb_vcpus;
	uint32_t first_vcpu; /* index in the domain */
	uint32_t nb_ports;
	uint32_t nb_resets;                 /* of NICs, that its guest brought about */
	time_t resets[ELISA_VM_RESETS_MAX]; /* the last of them, monotonic; number n at n % MAX */
};

struct elisa_vms {
	const char *proc; /* "/proc" */
	bool accept_side_channels;
	struct elisa_vm vms[ELISA_MAX_PORTS]; /* each has a port at least */
};

/*
 * The attached VM that `reference` calls (vm_find.h), attached now if it is not yet. Takes a
 * reference for a port: give it back with elisa_vms_put(), also when the port is not made.
 */
int elisa_vms_get(struct elisa_vms *vms, struct elisa_domain *domain, const char *reference,
		  struct elisa_vm **vm, struct elisa_failure *failure);

/* Gives back the reference of a port; the last one detaches the VM. */
void elisa_vms_put(struct elisa_vm *vm);

/*
 * Takes over a VM that is attached, as number `number`, without a port yet: elisa_vms_detach() it if
 * there is none. False: it is not whole or is of another version, and `thing` stays the caller's.
 */
bool elisa_vms_adopt(struct elisa_vms *vms, unsigned int number,
		     const struct elisa_kept_thing *thing);

/* Detaches a VM without ports. */
void elisa_vms_detach(struct elisa_vm *vm);

/* Lets go of all that are attached: they go on for as long as they are kept (store.h). */
void elisa_vms_leave(struct elisa_vms *vms);

/* The attached VM with this name or decimal process id, or NULL. */
struct elisa_vm *elisa_vms_find(struct elisa_vms *vms, const char *reference);

/* The attached VM that has the vCPU with this index in the domain, or NULL. */
struct elisa_vm *elisa_vms_with_vcpu(struct elisa_vms *vms, uint32_t vcpu);

/* A NIC was reset because of the guest, at `now` (monotonic seconds). Returns whether it is too many. */
bool elisa_vm_count_reset(struct elisa_vm *vm, time_t now);

/* Whether the VMM's process is gone. */
bool elisa_vm_exited(const struct elisa_vm *vm);

#endif
