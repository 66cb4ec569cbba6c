// SPDX-License-Identifier: BSD-3-Clause
/* vm_take.c - elisa_vm_take() of vm_find.h: copies a descriptor out of a VMM's process. */
#include "vm_find.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

static int gone(const struct elisa_vm_process *process, struct elisa_failure *failure)
{
	return elisa_fail(failure, -ESRCH,
			  "the VM of process %d ended meanwhile; start it and try again",
			  process->pid);
}

int elisa_vm_take(const char *proc, const struct elisa_vm_process *process,
		  struct elisa_vm_handle *handle, struct elisa_failure *failure)
{
	struct elisa_vm_process again;
	struct elisa_failure ignored;
	char reference[16];
	int error;

	handle->pidfd = pidfd_open(process->pid, 0);
	if (handle->pidfd < 0) {
		error = -errno;
		if (error == -ESRCH)
			return gone(process, failure);
		return elisa_fail(failure, error, "cannot hold on to process %d: %s; try again",
				  process->pid, strerror(-error));
	}
	snprintf(reference, sizeof(reference), "%d", process->pid);
	if (elisa_vm_find(proc, reference, &again, &ignored) || again.kvm_fd != process->kvm_fd ||
	    strcmp(again.name, process->name)) {
		error = gone(process, failure);
		goto close_pidfd;
	}
	handle->kvm_fd = pidfd_getfd(handle->pidfd, process->kvm_fd, 0);
	if (handle->kvm_fd < 0) {
		error = -errno;
		if (error == -ESRCH || error == -EBADF)
			gone(process, failure);
		else
			elisa_fail(failure, error,
				   "cannot take the KVM descriptor of process %d: %s; "
				   "elisa-switchd needs CAP_SYS_PTRACE, and free descriptors",
				   process->pid, strerror(-error));
		error = failure->error;
		goto close_pidfd;
	}
	return 0;

close_pidfd:
	close(handle->pidfd);
	return error;
}
