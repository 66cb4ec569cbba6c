// SPDX-License-Identifier: BSD-3-Clause
/* cases_refuse.c - what a process, a VM or a local user may not have: another's, too much, or malformed. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <elisa/ring.h>

#include "cases.h"

#define HUGE ELISA_HUGE_PAGE_SIZE
#define ROOTS 0x40000 /* copies of the root page, in the guest */
#define PROCESSES 8u  /* admitted at once in a VM */
#define PTE_WRITE 2ull

static int64_t hypercall_from(struct vm *vm, uint64_t root, uint32_t number, const void *argument,
			      uint32_t size)
{
	const uint64_t arguments[3] = {ELISA_HYPERCALL(number), GUEST_ARGUMENT, size};
	int64_t result;

	memcpy(vm->memory + GUEST_ARGUMENT, argument, size);
	if (vm_call_at(vm, guest_hypercall, root, 3, arguments, &result) != OUTCOME_RETURNED)
		return INT64_MIN;
	return result;
}

/* Ports of another process, of another VM with the same CR3, and queues that the port has not. */
const char *case_others_ports(void)
{
	struct elisa_hc_region region = {.gva = GUEST_REGION, .length = HUGE};
	struct elisa_hc_queue queue = {.queue = 1,
				       .tx_window = GUEST_REGION,
				       .rx_ring = GUEST_REGION,
				       .tx_size = 256,
				       .rx_size = 256};
	const struct elisa_hc_hello hello_p0 = {.abi = ELISA_GUEST_ABI, .port_name = "p0"};
	struct elisa_vm_attach attach;
	struct setup setup;
	struct vm other;
	int vm_fd, port_fd;

	setup_hello(&setup);
	CHECK(hypercall_from(&setup.vm, GUEST_OTHER_ROOT, ELISA_HC_HELLO, &hello_p0,
			     sizeof(hello_p0)) == -EBUSY,
	      "claimed by another process");
	CHECK(hypercall_from(&setup.vm, GUEST_OTHER_ROOT, ELISA_HC_REGISTER, &region,
			     sizeof(region)) == -EACCES,
	      "of another process");
	vm_create(&other);
	vm_fd = host_attach(&setup.host, other.fd, &attach);
	port_fd = host_port_add(vm_fd, 1, "p0");
	CHECK(port_fd >= 0 && hello(&other) == 0, "the other VM");
	CHECK(region_call(&other, ELISA_HC_REGISTER, GUEST_REGION, HUGE, 0) == -EACCES,
	      "of another VM");
	CHECK(host_info(&setup.host).pinned_pages == setup.before.pinned_pages, "pinned");
	CHECK(region_call(&setup.vm, ELISA_HC_REGISTER, GUEST_REGION, HUGE, ELISA_REGION_WRITE) ==
		      0,
	      "register");
	CHECK(vm_hypercall(&setup.vm, ELISA_HC_QUEUE_SETUP, &queue, sizeof(queue)) == -EINVAL,
	      "a second queue");
	close(port_fd);
	close(vm_fd);
	vm_destroy(&other);
	return setup_end(&setup);
}

static uint64_t first_window(struct vm *vm)
{
	return vm_gate(vm, IMAGE_LOAD,
		       ELISA_GVA(ELISA_OFFSET_PORT_MAPS) +
			       offsetof(struct elisa_port_map, regions[0].window),
		       0);
}

/* After BYE the process has no way in; after its port is deleted it has, but not to its memory. */
const char *case_gone_port(void)
{
	struct elisa_hc_port bye = {0};
	struct setup setup;
	struct vm *vm = &setup.vm;
	uint64_t window;
	int64_t result;

	setup_hello(&setup);
	CHECK(vm_hypercall(vm, ELISA_HC_BYE, &bye, sizeof(bye)) == 0, "bye");
	CHECK(vm_call(vm, guest_gate, IMAGE_SUM, 1, 2, &result) == OUTCOME_FAULT &&
		      vm_mailbox(vm, GUEST_FAULT_VECTOR) == 13,
	      "a call after bye: %lld", (long long)result);
	CHECK(hello(vm) == 0, "hello");
	CHECK(region_call(vm, ELISA_HC_REGISTER, GUEST_REGION, HUGE, 0) == 0, "register");
	window = first_window(vm);
	CHECK(vm_gate(vm, IMAGE_LOAD, window, 0) == 0, "a load");
	close(setup.port_fd);
	setup.port_fd = -1;
	CHECK(vm_gate(vm, IMAGE_LOAD, window, 0) == INT64_MIN, "the memory is still there");
	return setup_end(&setup);
}

/* One process more than can be admitted takes nobody's place. */
const char *case_admission_limit(void)
{
	const uint64_t sum[3] = {IMAGE_SUM, 1, 2};
	struct elisa_hc_hello call = {.abi = ELISA_GUEST_ABI};
	int ports[PROCESSES + 1];
	struct setup setup;
	struct vm *vm = &setup.vm;
	int64_t result;
	uint32_t i;

	setup_attached(&setup);
	ports[0] = setup.port_fd;
	for (i = 0; i <= PROCESSES; i++) {
		snprintf(call.port_name, sizeof(call.port_name), "p%u", i);
		if (i)
			ports[i] = host_port_add(setup.vm_fd, i, call.port_name);
		CHECK(ports[i] >= 0, "port %u: %d", i, errno);
		memcpy(vm->memory + ROOTS + i * 4096, vm->memory + GUEST_TABLES, 4096);
		result = hypercall_from(vm, ROOTS + i * 4096, ELISA_HC_HELLO, &call, sizeof(call));
		CHECK(result == (i < PROCESSES ? 0 : -ENOSPC), "hello %u: %lld", i,
		      (long long)result);
	}
	for (i = 0; i < PROCESSES; i++)
		CHECK(vm_call_at(vm, guest_gate, ROOTS + i * 4096, 3, sum, &result) ==
				      OUTCOME_RETURNED &&
			      result == 3,
		      "process %u", i);
	CHECK(host_prove(&setup.host) == 0, "a proof");
	for (i = 1; i <= PROCESSES; i++)
		close(ports[i]);
	return setup_end(&setup);
}

/* What a process may not write the switch does not write for it, and it finds the process's pages. */
const char *case_callers_rights(void)
{
	const struct elisa_hc_hello call = {.abi = ELISA_GUEST_ABI};
	struct setup setup;
	struct vm *vm = &setup.vm;
	uint64_t *table, entry, window;
	int64_t result;
	int i;

	setup_hello(&setup);
	table = (uint64_t *)(vm->memory + GUEST_TABLES + 0x8000);
	table[1] &= ~PTE_WRITE;
	memcpy(vm->memory + GUEST_SMALL_PHYSICAL + 4096, &call, sizeof(call));
	CHECK(vm_call(vm, guest_hypercall, ELISA_HYPERCALL(ELISA_HC_HELLO),
		      GUEST_SMALL_PAGES + 4096, sizeof(call), &result) == OUTCOME_RETURNED &&
		      result == -EFAULT,
	      "an answer to a read-only page: %lld", (long long)result);
	CHECK(hello(vm) == 0, "hello");
	entry = table[2];
	table[2] = table[4];
	table[4] = entry;
	for (i = 0; i < 8; i++)
		*(uint64_t *)(vm->memory + GUEST_SMALL_PHYSICAL + i * 4096) = 0x100 + i;
	CHECK(region_call(vm, ELISA_HC_REGISTER, GUEST_SMALL_PAGES, 8192, ELISA_REGION_WRITE) ==
		      -EFAULT,
	      "writable for the switch, not for the process");
	CHECK(region_call(vm, ELISA_HC_REGISTER, GUEST_SMALL_PAGES, 8 * 4096, 0) == 0, "readable");
	window = first_window(vm);
	for (i = 0; i < 8; i++)
		CHECK(vm_gate(vm, IMAGE_LOAD, window + i * 4096, 0) == 0x100 + (i == 2   ? 4
										: i == 4 ? 2
											 : i),
		      "page %d", i);
	CHECK(vm_gate(vm, IMAGE_STORE, window, 1) == INT64_MIN, "a store to a read-only region");
	CHECK(*(uint64_t *)(vm->memory + GUEST_SMALL_PHYSICAL) == 0x100, "it was written");
	return setup_end(&setup);
}

static int try_as_another(struct setup *setup)
{
	struct elisa_domain_prove prove = {.version = ELISA_UAPI_VERSION};
	struct elisa_port_state state = {.version = ELISA_UAPI_VERSION};
	struct elisa_event event;

	if (!ioctl(setup->host.domain, ELISA_IOC_DOMAIN_PROVE, &prove) || errno != EPERM)
		return 1;
	if (host_stats_error(setup->vm_fd) != EPERM)
		return 2;
	if (!ioctl(setup->port_fd, ELISA_IOC_PORT_STATE, &state) || errno != EPERM)
		return 3;
	if (read(setup->host.domain, &event, sizeof(event)) != -1 || errno != EPERM)
		return 4;
	return 0;
}

/* Whoever inherits or receives the descriptors. */
const char *case_not_the_owner(void)
{
	struct setup setup;
	pid_t child;
	int status;

	setup_hello(&setup);
	child = fork();
	if (!child)
		_exit(try_as_another(&setup));
	if (waitpid(child, &status, 0) != child)
		die("waitpid");
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "object %d", WEXITSTATUS(status));
	return setup_end(&setup);
}

/* Versions and flags of all calls on a domain: the first two words of each structure. */
static const char *check_versions(struct setup *setup)
{
	static const struct {
		unsigned long call;
		bool flags;
	} calls[] = {
		{ELISA_IOC_DOMAIN_MAP, false},        {ELISA_IOC_DOMAIN_UNMAP, true},
		{ELISA_IOC_DOMAIN_CMPXCHG64, true},   {ELISA_IOC_DOMAIN_PROVE, true},
		{ELISA_IOC_DOMAIN_VCPU_REOPEN, true}, {ELISA_IOC_DOMAIN_VCPU_EVICT, true},
		{ELISA_IOC_VM_ATTACH, true},
	};
	uint32_t words[64];
	size_t i;

	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		memset(words, 0, sizeof(words));
		words[0] = ELISA_UAPI_VERSION + 1;
		/* An access that there is. */
		words[1] = calls[i].flags ? 0 : ELISA_MAP_READ;
		CHECK(ioctl(setup->host.domain, calls[i].call, words) == -1 && errno == EINVAL,
		      "version, call %zu: %d", i, errno);
		words[0] = ELISA_UAPI_VERSION;
		words[1] = 0x80000000;
		words[2] = setup->vm.fd;
		CHECK(ioctl(setup->host.domain, calls[i].call, words) == -1 && errno == EINVAL,
		      "flags, call %zu: %d", i, errno);
	}
	return NULL;
}

static int add_port(int vm_fd, const struct elisa_port_add *like, uint32_t number, const char *name,
		    uint8_t first_of_mac)
{
	struct elisa_port_add add = *like;

	add.port = number;
	add.mac[0] = first_of_mac;
	strcpy(add.name, name);
	return ioctl(vm_fd, ELISA_IOC_PORT_ADD, &add) < 0 ? errno : 0;
}

static const char *check_port_add(int vm_fd)
{
	const struct elisa_port_add good = {.version = ELISA_UAPI_VERSION,
					    .max_mtu = 1500,
					    .max_queues = 1,
					    .max_ring = 1024,
					    .mac = {2, 0, 0, 0, 0, 9}};
	struct elisa_port_add add = good;

	CHECK(add_port(vm_fd, &good, 9, "", 2) == EINVAL, "without a name");
	CHECK(add_port(vm_fd, &good, 9, "p9", 3) == EINVAL, "a multicast address");
	CHECK(add_port(vm_fd, &good, 9, "p0", 2) == EEXIST, "a name twice");
	add.mac[5] = 0;
	CHECK(add_port(vm_fd, &add, 9, "p9", 0) == EINVAL, "address 0");
	add = good;
	add.max_mtu = ELISA_MAX_MTU + 1;
	CHECK(add_port(vm_fd, &add, 9, "p9", 2) == ERANGE, "too long frames");
	add.max_mtu = ELISA_MIN_MTU - 1;
	CHECK(add_port(vm_fd, &add, 9, "p9", 2) == ERANGE, "too short frames");
	add = good;
	add.max_queues = ELISA_MAX_QUEUES + 1;
	CHECK(add_port(vm_fd, &add, 9, "p9", 2) == ERANGE, "too many queues");
	add = good;
	add.max_ring = ELISA_MAX_RING + 1;
	CHECK(add_port(vm_fd, &add, 9, "p9", 2) == ERANGE, "too large rings");
	add = good;
	add.flags = 1;
	CHECK(add_port(vm_fd, &add, 9, "p9", 2) == EINVAL, "flags");
	return NULL;
}

const char *case_uapi(void)
{
	struct elisa_domain_cmpxchg64 exchange = {.version = ELISA_UAPI_VERSION,
						  .offset = ELISA_OFFSET_SWITCH + 4};
	struct setup setup;
	const char *reason;
	void *memory;
	int error;

	setup_hello(&setup);
	CHECK(ioctl(setup.host.domain, ELISA_IOC_DOMAIN_CMPXCHG64, &exchange) == -1 &&
		      errno == ERANGE,
	      "a word that is not aligned: %d", errno);
	memory = mmap(NULL, 4096, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	error = host_map(&setup.host, memory, 4096, ELISA_OFFSET_CAPTURE, ELISA_MAP_WRITE);
	CHECK(error == EFAULT, "read-only memory mapped for writing: %d", error);
	error = host_map(&setup.host, setup.vm.memory, 4097, ELISA_OFFSET_CAPTURE, ELISA_MAP_WRITE);
	CHECK(error == ERANGE, "a page and a byte: %d", error);
	reason = check_versions(&setup);
	if (!reason)
		reason = check_port_add(setup.vm_fd);
	return reason ? reason : setup_end(&setup);
}

static const char *refused(struct host *host, int kvm_fd, uint32_t flags, uint32_t refusal)
{
	struct elisa_vm_attach attach = {
		.version = ELISA_UAPI_VERSION, .flags = flags, .kvm_fd = kvm_fd};
	int fd = ioctl(host->domain, ELISA_IOC_VM_ATTACH, &attach);

	CHECK(fd == -1 && errno == EOPNOTSUPP && attach.refusal == refusal,
	      "refusal %u: descriptor %d, error %d, refusal %u", refusal, fd, errno,
	      attach.refusal);
	return NULL;
}

static void set_slot(struct vm *vm, struct kvm_userspace_memory_region slot)
{
	if (ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &slot))
		die("KVM_SET_USER_MEMORY_REGION");
}

/* VMs that are not attached as they are. */
const char *case_refusals(void)
{
	const uint32_t accept = ELISA_ATTACH_ACCEPT_SIDE_CHANNELS;
	struct kvm_userspace_memory_region memory = {.memory_size = GUEST_MEMORY};
	struct kvm_userspace_memory_region other = {.slot = 1, .memory_size = 4096};
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	int empty = ioctl(kvm, KVM_CREATE_VM, 0);
	struct setup setup;
	struct host *host = &setup.host;
	const char *reason;

	host_open(host);
	setup.before = host_info(host);
	vm_create(&setup.vm);
	reason = refused(host, empty, accept, ELISA_REFUSED_NO_VCPU);
	close(empty);
	close(kvm);
	if (!reason && setup.before.missing & ELISA_MISSING_IMMUNITY)
		reason = refused(host, setup.vm.fd, 0, ELISA_REFUSED_SIDE_CHANNEL);
	memory.userspace_addr = (uintptr_t)setup.vm.memory;
	other.userspace_addr = memory.userspace_addr;
	other.guest_phys_addr = setup.before.window_gpa + ELISA_WINDOW_SIZE - 4096;
	set_slot(&setup.vm, other);
	if (!reason)
		reason = refused(host, setup.vm.fd, accept, ELISA_REFUSED_WINDOW);
	other.memory_size = 0;
	set_slot(&setup.vm, other);
	memory.flags = KVM_MEM_LOG_DIRTY_PAGES;
	set_slot(&setup.vm, memory);
	if (!reason)
		reason = refused(host, setup.vm.fd, accept, ELISA_REFUSED_DIRTY_LOG);
	memory.flags = 0;
	set_slot(&setup.vm, memory);
	if (reason)
		return reason;
	setup.vm_fd = host_attach(host, setup.vm.fd, &setup.attach);
	CHECK(setup.vm_fd >= 0, "attach at last: %d", errno);
	setup.port_fd = host_port_add(setup.vm_fd, 0, "p0");
	CHECK(hello(&setup.vm) == 0 && vm_gate(&setup.vm, IMAGE_SUM, 1, 2) == 3, "a call");
	return setup_end(&setup);
}
