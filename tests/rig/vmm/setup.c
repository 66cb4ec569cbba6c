// SPDX-License-Identifier: BSD-3-Clause
/* setup.c - what the cases of elisa-vmm share. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cases.h"

void setup_attached(struct setup *setup)
{
	setup_attached_with(setup, 4096);
}

void setup_attached_with(struct setup *setup, uint64_t length)
{
	host_open_with(&setup->host, length);
	setup->before = host_info(&setup->host);
	vm_create(&setup->vm);
	setup->vm_fd = host_attach(&setup->host, setup->vm.fd, &setup->attach);
	if (setup->vm_fd < 0)
		die("VM_ATTACH");
	setup->port_fd = host_port_add(setup->vm_fd, 0, "p0");
	if (setup->port_fd < 0)
		die("PORT_ADD");
}

int64_t hello(struct vm *vm)
{
	struct elisa_hc_hello call = {.abi = ELISA_GUEST_ABI};
	int64_t result = vm_hypercall(vm, ELISA_HC_HELLO, &call, sizeof(call));

	if (!result && (strcmp(call.port_name, "p0") || call.window_gva != ELISA_WINDOW_GVA))
		return -EPROTO;
	return result;
}

void setup_hello(struct setup *setup)
{
	int64_t result;

	setup_attached(setup);
	result = hello(&setup->vm);
	if (result) {
		errno = result == INT64_MIN ? EFAULT : (int)-result;
		die("HELLO");
	}
}

const char *setup_end(struct setup *setup)
{
	struct elisa_info info;

	close(setup->port_fd);
	close(setup->vm_fd);
	info = host_info(&setup->host);
	vm_destroy(&setup->vm);
	host_close(&setup->host);
	CHECK(info.nb_vms == setup->before.nb_vms, "%u VMs", info.nb_vms);
	CHECK(info.pinned_pages == setup->before.pinned_pages, "%llu pages, before %llu",
	      (unsigned long long)info.pinned_pages,
	      (unsigned long long)setup->before.pinned_pages);
	return NULL;
}

int64_t region_call(struct vm *vm, uint32_t number, uint64_t gva, uint64_t length, uint32_t flags)
{
	struct elisa_hc_region call = {.flags = flags, .gva = gva, .length = length};

	return vm_hypercall(vm, number, &call, sizeof(call));
}

const char *expect_thrown_out(struct setup *setup, uint64_t operation, uint64_t argument)
{
	uint64_t recoveries = host_stats(setup->vm_fd).recoveries;
	enum outcome outcome;
	int64_t result;

	outcome = vm_call(&setup->vm, guest_gate, operation, argument, 0, &result);
	CHECK(outcome == OUTCOME_FAULT, "operation %llu: outcome %d, exit reason %u, result %lld",
	      (unsigned long long)operation, outcome, setup->vm.run->exit_reason,
	      (long long)result);
	CHECK(vm_mailbox(&setup->vm, GUEST_FAULT_VECTOR) == 13, "operation %llu: vector %llu",
	      (unsigned long long)operation,
	      (unsigned long long)vm_mailbox(&setup->vm, GUEST_FAULT_VECTOR));
	CHECK(vm_mailbox(&setup->vm, GUEST_FAULT_RIP) == ELISA_GVA(ELISA_OFFSET_GATE) - 3,
	      "operation %llu: at %#llx", (unsigned long long)operation,
	      (unsigned long long)vm_mailbox(&setup->vm, GUEST_FAULT_RIP));
	CHECK(host_stats(setup->vm_fd).recoveries == recoveries + 1, "operation %llu",
	      (unsigned long long)operation);
	/* Its port was taken back, and its gate is closed until the daemon has looked after it. */
	CHECK(hello(&setup->vm) == 0, "hello after operation %llu", (unsigned long long)operation);
	CHECK(host_stats(setup->vm_fd).held == ELISA_HELD_THROWN_OUT,
	      "not held after operation %llu", (unsigned long long)operation);
	CHECK(vm_gate(&setup->vm, IMAGE_SUM, 20, 22) == -ENODEV, "a held vCPU went in");
	CHECK(host_reopen(&setup->host, setup->attach.first_vcpu) == 0, "reopen");
	CHECK(host_stats(setup->vm_fd).held == 0, "still held");
	CHECK(vm_gate(&setup->vm, IMAGE_SUM, 20, 22) == 42, "call after operation %llu",
	      (unsigned long long)operation);
	return NULL;
}

void send_descriptor(int socket_fd, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = {0}, byte = 0;
	struct iovec data = {&byte, 1};
	struct msghdr message = {.msg_iov = &data,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof(control)};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &fd, sizeof(int));
	if (sendmsg(socket_fd, &message, 0) != 1)
		die("sendmsg");
}

int receive_descriptor(int socket_fd)
{
	char control[CMSG_SPACE(sizeof(int))], byte;
	struct iovec data = {&byte, 1};
	struct msghdr message = {.msg_iov = &data,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof(control)};
	int fd;

	if (recvmsg(socket_fd, &message, 0) != 1 || !CMSG_FIRSTHDR(&message))
		die("recvmsg");
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(int));
	return fd;
}
