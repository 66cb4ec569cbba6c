/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vm_find.h - from what a person calls a VM to the process that runs it, and its KVM descriptor.
 *
 * A VM is called by the decimal process id of its VMM, by QEMU's -name, or by libvirt's name.
 * Only a process that holds a KVM VM counts. Reads /proc of the whole host; main thread.
 */
#ifndef ELISA_DAEMON_VM_FIND_H
#define ELISA_DAEMON_VM_FIND_H

#include "failure.h"
#include "vm_name.h"

#include <sys/types.h>

struct elisa_vm_process {
	pid_t pid;
	int kvm_fd;                    /* its number in that process */
	char name[ELISA_VM_NAME_SIZE]; /* empty: the VMM's command line gives none */
};

/*
 * `proc` is "/proc" (tests bring a tree of their own).
 *	-ENOENT	no such VM	-ENOTUNIQ several, the message lists their process ids
 *	-EACCES	the process may not be looked into
 */
int elisa_vm_find(const char *proc, const char *reference, struct elisa_vm_process *found,
		  struct elisa_failure *failure);

/*
 * The user that a process runs as. A name is what the process says of itself, so who adds a port by
 * name should see whose it is.
 *	-ENOENT	it cannot be told: the process is gone
 */
int elisa_vm_user(const char *proc, pid_t pid, uid_t *user);

/* A VM's descriptor, copied to this process, and the process it came from. */
struct elisa_vm_handle {
	int pidfd;  /* becomes readable when the process is gone */
	int kvm_fd; /* keeps the VM alive: close it once the VM is attached */
};

/*
 * Copies the KVM descriptor of `process`. Looks at it again through a pidfd, so that a process id
 * that was given to another process meanwhile is noticed. Both descriptors are the caller's.
 *	-ESRCH the VM is gone	-EPERM not allowed to (CAP_SYS_PTRACE)	-EMFILE -ENFILE
 */
int elisa_vm_take(const char *proc, const struct elisa_vm_process *process,
		  struct elisa_vm_handle *handle, struct elisa_failure *failure);

#endif
