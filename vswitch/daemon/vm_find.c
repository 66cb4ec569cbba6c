// SPDX-License-Identifier: BSD-3-Clause
/* vm_find.c - the search of vm_find.h. Knows /proc; touches no process. */
#include "vm_find.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KVM_VM_LINK "anon_inode:kvm-vm" /* virt/kvm/kvm_main.c: kvm_dev_ioctl_create_vm() */
#define CMDLINE_MAX 65536

/* A positive number that is a whole text; 0 if it is not. */
static pid_t parse_pid(const char *text)
{
	char *end;
	long value;

	if (*text < '0' || *text > '9')
		return 0;
	errno = 0;
	value = strtol(text, &end, 10);
	if (errno || *end || value <= 0 || value > INT_MAX)
		return 0;
	return (pid_t)value;
}

static void read_name(const char *proc, pid_t pid, char name[ELISA_VM_NAME_SIZE])
{
	static char cmdline[CMDLINE_MAX];
	char path[PATH_MAX];
	size_t size = 0;
	ssize_t part;
	int fd;

	name[0] = '\0';
	snprintf(path, sizeof(path), "%s/%d/cmdline", proc, pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	while (size < sizeof(cmdline)) {
		part = read(fd, cmdline + size, sizeof(cmdline) - size);
		if (part <= 0)
			break;
		size += (size_t)part;
	}
	close(fd);
	elisa_vm_name_parse(cmdline, size, name);
}

int elisa_vm_user(const char *proc, pid_t pid, uid_t *user)
{
	char path[PATH_MAX], status[4096];
	const char *line;
	ssize_t size;
	int fd;

	snprintf(path, sizeof(path), "%s/%d/status", proc, pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -ENOENT;
	size = read(fd, status, sizeof(status) - 1);
	close(fd);
	status[size > 0 ? size : 0] = '\0';
	/* The name before it has its newlines escaped. Real, then effective. */
	line = strstr(status, "\nUid:\t");
	return line && sscanf(line, "\nUid:\t%*u\t%u", user) == 1 ? 0 : -ENOENT;
}

/* The number of the process's KVM VM descriptor; -ENOENT if it has none, else why one cannot tell. */
static int find_kvm_fd(const char *proc, pid_t pid)
{
	char path[PATH_MAX], link[sizeof(KVM_VM_LINK) + 1];
	struct dirent *entry;
	int result = -ENOENT;
	DIR *directory;
	ssize_t length;

	snprintf(path, sizeof(path), "%s/%d/fd", proc, pid);
	directory = opendir(path);
	if (!directory)
		return errno == ENOENT || errno == ESRCH ? -ENOENT : -errno;
	while ((entry = readdir(directory))) {
		length = readlinkat(dirfd(directory), entry->d_name, link, sizeof(link));
		if (length == strlen(KVM_VM_LINK) && !memcmp(link, KVM_VM_LINK, (size_t)length)) {
			result = atoi(entry->d_name);
			break;
		}
	}
	closedir(directory);
	return result;
}

static int find_by_pid(const char *proc, pid_t pid, struct elisa_vm_process *found,
		       struct elisa_failure *failure)
{
	int fd = find_kvm_fd(proc, pid);

	if (fd == -ENOENT)
		return elisa_fail(failure, -ENOENT,
				  "process %d runs no KVM virtual machine; give the process id of "
				  "a VMM that is started with KVM (QEMU: -accel kvm)",
				  pid);
	if (fd < 0)
		return elisa_fail(failure, fd,
				  "cannot look into process %d: %s; run elisa-switchd as root", pid,
				  strerror(-fd));
	found->pid = pid;
	found->kvm_fd = fd;
	read_name(proc, pid, found->name);
	return 0;
}

/* Lists what has the name: "12, 13". Filled as far as it fits. */
struct matches {
	unsigned int count;
	int denied; /* -errno of a process of that name that may not be looked into, or 0 */
	char pids[128];
};

static void add_match(struct matches *matches, pid_t pid)
{
	size_t used = strlen(matches->pids);

	snprintf(matches->pids + used, sizeof(matches->pids) - used, "%s%d",
		 matches->count ? ", " : "", pid);
	matches->count++;
}

static int scan(const char *proc, const char *name, struct elisa_vm_process *found,
		struct matches *matches)
{
	DIR *directory = opendir(proc);
	struct elisa_vm_process one;
	struct dirent *entry;

	if (!directory)
		return -errno;
	while ((entry = readdir(directory))) {
		one.pid = parse_pid(entry->d_name);
		if (!one.pid)
			continue;
		read_name(proc, one.pid, one.name);
		if (strcmp(one.name, name))
			continue;
		one.kvm_fd = find_kvm_fd(proc, one.pid);
		if (one.kvm_fd >= 0) {
			*found = one;
			add_match(matches, one.pid);
		} else if (one.kvm_fd != -ENOENT) {
			matches->denied = one.kvm_fd;
		}
	}
	closedir(directory);
	return 0;
}

int elisa_vm_find(const char *proc, const char *reference, struct elisa_vm_process *found,
		  struct elisa_failure *failure)
{
	pid_t pid = parse_pid(reference);
	struct matches matches = {0};
	int result;

	if (pid)
		return find_by_pid(proc, pid, found, failure);
	if (!*reference)
		return elisa_fail(failure, -EINVAL,
				  "a VM's name is empty; give a process id, QEMU's -name or "
				  "libvirt's name");
	result = scan(proc, reference, found, &matches);
	if (result)
		return elisa_fail(failure, result, "cannot list the processes in %s: %s; try again",
				  proc, strerror(-result));
	if (matches.count == 1)
		return 0;
	if (matches.count > 1)
		return elisa_fail(failure, -ENOTUNIQ,
				  "several VMs are called '%.64s' (processes %s); give a process "
				  "id instead",
				  reference, matches.pids);
	if (matches.denied)
		return elisa_fail(failure, matches.denied,
				  "cannot look into the process of VM '%.64s': %s; run "
				  "elisa-switchd as root",
				  reference, strerror(-matches.denied));
	return elisa_fail(failure, -ENOENT,
			  "no running KVM virtual machine is called '%.64s'; give the VMM's "
			  "process id, QEMU's -name or libvirt's name",
			  reference);
}
