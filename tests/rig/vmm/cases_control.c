// SPDX-License-Identifier: BSD-3-Clause
/* cases_control.c - ports, hypercalls and ioctls, and what they refuse. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cases.h"

#define MSR_TSC 0x10 /* IA32_TIME_STAMP_COUNTER */
#define HUGE ELISA_HUGE_PAGE_SIZE

/* What the kernel says of this CPU (docs/host-module.md). */
static bool cpu_leaks(void)
{
	static const char *const flaws[] = {" l1tf ", " mds ", " taa ", " mmio_stale_data ",
					    " rfds ", " gds "};
	FILE *file = fopen("/proc/cpuinfo", "re");
	char line[4096];
	bool leaks = false;

	while (file && fgets(line, sizeof(line), file)) {
		if (strncmp(line, "bugs", 4))
			continue;
		line[strcspn(line, "\n")] = ' ';
		for (size_t i = 0; i < sizeof(flaws) / sizeof(flaws[0]); i++)
			leaks |= strstr(line, flaws[i]) != NULL;
	}
	if (file)
		fclose(file);
	return leaks;
}

const char *case_info(void)
{
	struct elisa_info info = {.version = 99};
	struct host host;

	host_open(&host);
	CHECK(ioctl(host.device, ELISA_IOC_INFO, &info) == -1 && errno == EINVAL &&
		      info.version == ELISA_UAPI_VERSION,
	      "version %u", info.version);
	info = host_info(&host);
	CHECK(info.missing == (cpu_leaks() ? ELISA_MISSING_IMMUNITY : 0), "missing %#x",
	      info.missing);
	CHECK(info.window_gpa && !(info.window_gpa % ELISA_WINDOW_SIZE), "W %#llx",
	      (unsigned long long)info.window_gpa);
	CHECK(!strcmp(info.module_version, ELISA_VERSION_STRING), "version %s",
	      info.module_version);
	CHECK(info.nb_vms == 0 && info.pinned_pages == 2, "%u VMs, %llu pages", info.nb_vms,
	      (unsigned long long)info.pinned_pages);
	host_close(&host);
	return NULL;
}

const char *case_closed_gate(void)
{
	struct setup setup;
	int64_t result;

	setup_hello(&setup);
	CHECK(vm_gate(&setup.vm, IMAGE_SUM, 1, 2) == 3, "before");
	close(setup.vm_fd);
	setup.vm_fd = -1;
	result = vm_gate(&setup.vm, IMAGE_SUM, 1, 2);
	CHECK(result == -ENODEV, "%lld after the detachment", (long long)result);
	close(setup.host.domain);
	setup.host.domain = -1;
	result = vm_gate(&setup.vm, IMAGE_SUM, 1, 2);
	CHECK(result == -ENODEV, "%lld without a domain", (long long)result);
	result = hello(&setup.vm);
	CHECK(result == -EPERM, "hello: %lld", (long long)result);
	setup.before.pinned_pages = 0;
	return setup_end(&setup);
}

const char *case_deleted_port(void)
{
	struct setup setup;
	struct elisa_hc_port bye = {0};
	int64_t result;

	setup_hello(&setup);
	CHECK(region_call(&setup.vm, ELISA_HC_REGISTER, GUEST_REGION, HUGE, 0) == 0, "register");
	close(setup.port_fd);
	setup.port_fd = -1;
	CHECK(host_info(&setup.host).pinned_pages == setup.before.pinned_pages, "still pinned");
	CHECK(vm_gate(&setup.vm, IMAGE_SUM, 1, 2) == 3, "the process was harmed");
	CHECK(vm_gate(&setup.vm, IMAGE_LOAD, ELISA_GVA(ELISA_OFFSET_IDENTITY) + 16, 0) == 0,
	      "the identity page has the port");
	result = vm_hypercall(&setup.vm, ELISA_HC_BYE, &bye, sizeof(bye));
	CHECK(result == 0, "bye: %lld", (long long)result);
	result = hello(&setup.vm);
	CHECK(result == -EPERM, "hello without a port: %lld", (long long)result);
	setup.port_fd = host_port_add(setup.vm_fd, 0, "p0");
	CHECK(setup.port_fd >= 0 && hello(&setup.vm) == 0, "the port again");
	return setup_end(&setup);
}

static int64_t raw_hypercall(struct vm *vm, uint64_t rax, uint64_t address, uint64_t size)
{
	int64_t result;

	if (vm_call(vm, guest_hypercall, rax, address, size, &result) != OUTCOME_RETURNED)
		return INT64_MIN;
	return result;
}

const char *case_bad_hypercalls(void)
{
	struct elisa_hc_hello call = {.abi = 77};
	struct setup setup;
	struct vm *vm = &setup.vm;
	uint32_t i;

	setup_attached(&setup);
	CHECK(region_call(vm, ELISA_HC_REGISTER, GUEST_REGION, HUGE, 0) == -EACCES,
	      "before a hello");
	CHECK(vm_hypercall(vm, ELISA_HC_HELLO, &call, sizeof(call)) == -EPROTO, "abi");
	call = (struct elisa_hc_hello){.abi = ELISA_GUEST_ABI, .port_name = "other"};
	CHECK(vm_hypercall(vm, ELISA_HC_HELLO, &call, sizeof(call)) == -ENOENT, "name");
	call = (struct elisa_hc_hello){.abi = ELISA_GUEST_ABI};
	memset(call.port_name, 'x', sizeof(call.port_name));
	CHECK(vm_hypercall(vm, ELISA_HC_HELLO, &call, sizeof(call)) == -EINVAL, "endless name");
	call = (struct elisa_hc_hello){.abi = ELISA_GUEST_ABI};
	memcpy(vm->memory + GUEST_ARGUMENT, &call, sizeof(call));
	CHECK(raw_hypercall(vm, ELISA_HYPERCALL(ELISA_HC_HELLO), GUEST_ARGUMENT, 8) == -EINVAL,
	      "size");
	CHECK(raw_hypercall(vm, ELISA_HYPERCALL(ELISA_HC_HELLO), 0x700000000000, sizeof(call)) ==
		      -EFAULT,
	      "address");
	CHECK(raw_hypercall(vm, ELISA_HYPERCALL(ELISA_HC_HELLO), -8ull, sizeof(call)) == -EFAULT,
	      "address at the end");
	CHECK(raw_hypercall(vm, ELISA_HYPERCALL(0), GUEST_ARGUMENT, 8) == -ENOSYS, "number 0");
	CHECK(raw_hypercall(vm, ELISA_HYPERCALL(0xffff), GUEST_ARGUMENT, 8) == -ENOSYS, "number");
	CHECK(hello(vm) == 0, "hello");
	CHECK(region_call(vm, ELISA_HC_REGISTER, GUEST_REGION + 1, HUGE, 0) == -EINVAL, "gva");
	CHECK(region_call(vm, ELISA_HC_REGISTER, GUEST_REGION, 0, 0) == -EINVAL, "length 0");
	CHECK(region_call(vm, ELISA_HC_REGISTER, GUEST_REGION, 1ull << 63, 0) == -EINVAL, "huge");
	CHECK(region_call(vm, ELISA_HC_REGISTER, -4096ull, 8192, 0) == -EINVAL, "wraps");
	CHECK(region_call(vm, ELISA_HC_REGISTER, GUEST_REGION, HUGE, 2) == -EINVAL, "flags");
	CHECK(region_call(vm, ELISA_HC_REGISTER, GUEST_REGION, 1ull << 33, 0) == -ENOMEM,
	      "more than the VM has");
	CHECK(region_call(vm, ELISA_HC_REGISTER, GUEST_APIC, 4096, 0) == -EFAULT, "not RAM");
	CHECK(region_call(vm, ELISA_HC_REGISTER, 0x20000000, 4096, 0) == -EFAULT, "not mapped");
	CHECK(region_call(vm, ELISA_HC_UNREGISTER, GUEST_REGION, HUGE, 0) == -ENOENT, "nothing");
	for (i = 0; i < ELISA_MAX_REGIONS; i++)
		CHECK(region_call(vm, ELISA_HC_REGISTER, GUEST_REGION + i * 4096, 4096, 0) == 0,
		      "region %u", i);
	CHECK(region_call(vm, ELISA_HC_REGISTER, GUEST_SMALL_PAGES, 4096, 0) == -ENOSPC,
	      "one more");
	CHECK(host_info(&setup.host).pinned_pages == setup.before.pinned_pages + ELISA_MAX_REGIONS,
	      "pinned %llu", (unsigned long long)host_info(&setup.host).pinned_pages);
	return setup_end(&setup);
}

static int64_t queue_call(struct vm *vm, uint32_t number, uint64_t ring, uint32_t size)
{
	struct elisa_hc_queue call = {
		.tx_window = ring,
		.rx_ring = ring,
		.tx_size = size,
		.rx_size = size,
	};

	return vm_hypercall(vm, number, &call, sizeof(call));
}

static int64_t port_set(struct vm *vm, uint32_t flags, uint32_t mtu)
{
	struct elisa_hc_port call = {.flags = flags, .mtu = mtu};

	return vm_hypercall(vm, ELISA_HC_PORT_SET, &call, sizeof(call));
}

static uint64_t map_word(struct vm *vm, uint64_t offset)
{
	return vm_gate(vm, IMAGE_LOAD, ELISA_GVA(ELISA_OFFSET_PORT_MAPS) + offset, 0);
}

/* A word of the ring is exchanged while it is the ring that it was, and no other word is. */
static const char *check_exchange(struct setup *setup, uint64_t window, uint8_t *memory)
{
	uint64_t map = offsetof(struct elisa_port_map, queues[0]);
	uint32_t epoch = map_word(&setup->vm, map + offsetof(struct elisa_queue_map, epoch));
	struct elisa_domain_cmpxchg64 exchange = {.version = ELISA_UAPI_VERSION,
						  .epoch = epoch % ELISA_RUN_EPOCHS,
						  .offset = window - ELISA_WINDOW_GVA + 8,
						  .expected = 99,
						  .desired = 100};
	int domain = setup->host.domain;

	*(uint64_t *)(memory + 8) = 99;
	CHECK(ioctl(domain, ELISA_IOC_DOMAIN_CMPXCHG64, &exchange) == 0 && exchange.seen == 99 &&
		      *(uint64_t *)(memory + 8) == 100,
	      "exchange");
	exchange.offset -= 16;
	CHECK(ioctl(domain, ELISA_IOC_DOMAIN_CMPXCHG64, &exchange) == -1 && errno == ESTALE,
	      "before the ring");
	exchange.offset += 16 + 4096;
	CHECK(ioctl(domain, ELISA_IOC_DOMAIN_CMPXCHG64, &exchange) == -1 && errno == ESTALE,
	      "after the ring");
	exchange.offset -= 4096;
	CHECK(queue_call(&setup->vm, ELISA_HC_QUEUE_RELEASE, 0, 0) == 0, "release");
	CHECK(ioctl(domain, ELISA_IOC_DOMAIN_CMPXCHG64, &exchange) == -1 && errno == ESTALE,
	      "released");
	CHECK(queue_call(&setup->vm, ELISA_HC_QUEUE_SETUP, GUEST_REGION + HUGE - 8192, 256) == 0,
	      "setup again");
	CHECK(ioctl(domain, ELISA_IOC_DOMAIN_CMPXCHG64, &exchange) == -1 && errno == ESTALE,
	      "another epoch");
	CHECK(*(uint64_t *)(memory + 8) == 100, "changed: %llu",
	      (unsigned long long)*(uint64_t *)(memory + 8));
	return NULL;
}

const char *case_queues(void)
{
	uint64_t regions = offsetof(struct elisa_port_map, regions);
	struct elisa_port_state state = {.version = ELISA_UAPI_VERSION};
	struct setup setup;
	struct vm *vm = &setup.vm;
	const char *reason;
	uint64_t window;

	setup_hello(&setup);
	CHECK(region_call(vm, ELISA_HC_REGISTER, GUEST_REGION, HUGE, 0) == 0, "read-only");
	window = map_word(vm, regions + offsetof(struct elisa_region, window));
	CHECK(map_word(vm, regions) == GUEST_REGION && !(window % HUGE), "region at %#llx",
	      (unsigned long long)window);
	CHECK(queue_call(vm, ELISA_HC_QUEUE_SETUP, GUEST_REGION, 256) == -EFAULT,
	      "ring not writable");
	CHECK(region_call(vm, ELISA_HC_UNREGISTER, GUEST_REGION, HUGE, 0) == 0, "unregister");
	CHECK(region_call(vm, ELISA_HC_REGISTER, GUEST_REGION, HUGE, ELISA_REGION_WRITE) == 0,
	      "writable");
	window = map_word(vm, regions + offsetof(struct elisa_region, window));
	CHECK(port_set(vm, ELISA_PORT_STARTED, 1500) == -ENOENT, "start without a queue");
	CHECK(queue_call(vm, ELISA_HC_QUEUE_SETUP, GUEST_REGION, 100) == -ERANGE, "size");
	CHECK(queue_call(vm, ELISA_HC_QUEUE_SETUP, GUEST_REGION, 2048) == -ERANGE, "too large");
	CHECK(queue_call(vm, ELISA_HC_QUEUE_SETUP, GUEST_REGION + 8, 256) == -EFAULT, "alignment");
	CHECK(queue_call(vm, ELISA_HC_QUEUE_SETUP, GUEST_REGION + HUGE - 4080, 256) == -EFAULT,
	      "end");
	CHECK(queue_call(vm, ELISA_HC_QUEUE_SETUP, window, 256) == -EFAULT, "not registered");
	CHECK(queue_call(vm, ELISA_HC_QUEUE_SETUP, GUEST_REGION + HUGE - 8192, 256) == 0, "setup");
	CHECK(queue_call(vm, ELISA_HC_QUEUE_SETUP, GUEST_REGION, 256) == -EBUSY, "again");
	CHECK(map_word(vm, offsetof(struct elisa_port_map, queues[0].rx_ring)) ==
		      window + HUGE - 8192,
	      "where the switch finds the ring");
	reason = check_exchange(&setup, window + HUGE - 8192,
				vm->memory + GUEST_REGION + HUGE - 8192);
	if (reason)
		return reason;
	CHECK(region_call(vm, ELISA_HC_UNREGISTER, GUEST_REGION, HUGE, 0) == -EBUSY, "in use");
	CHECK(port_set(vm, ELISA_PORT_STARTED, 67) == -ERANGE, "mtu");
	CHECK(port_set(vm, ELISA_PORT_FLAGS + 1, 1500) == -EINVAL, "flags");
	CHECK(port_set(vm, ELISA_PORT_RX_TSO, 1500) == -EINVAL, "TSO without checksums");
	CHECK(port_set(vm, ELISA_PORT_FLAGS & ~ELISA_PORT_STARTED, 1500) == 0, "all flags");
	CHECK(map_word(vm, 0) == (1500ull << 32 | (ELISA_PORT_FLAGS & ~ELISA_PORT_STARTED)),
	      "flags and mtu: %#llx", (unsigned long long)map_word(vm, 0));
	CHECK(port_set(vm, ELISA_PORT_STARTED, 1400) == 0, "start");
	CHECK(map_word(vm, 0) == (1400ull << 32 | ELISA_PORT_STARTED), "flags and mtu: %#llx",
	      (unsigned long long)map_word(vm, 0));
	CHECK(ioctl(setup.port_fd, ELISA_IOC_PORT_STATE, &state) == 0 && state.claimed == 1 &&
		      state.started == 1 && state.nb_regions == 1 && state.pinned_pages == 512,
	      "state: %u %u %u %llu", state.claimed, state.started, state.nb_regions,
	      (unsigned long long)state.pinned_pages);
	CHECK(queue_call(vm, ELISA_HC_QUEUE_RELEASE, 0, 0) == -EBUSY, "started");
	CHECK(port_set(vm, 0, 1400) == 0, "stop");
	CHECK(queue_call(vm, ELISA_HC_QUEUE_RELEASE, 0, 0) == 0, "release");
	CHECK(queue_call(vm, ELISA_HC_QUEUE_RELEASE, 0, 0) == -ENOENT, "release again");
	CHECK(host_prove(&setup.host) == 0, "a proof");
	return setup_end(&setup);
}

static int64_t rss_set(struct vm *vm, uint32_t types, uint32_t reta_size, uint8_t first)
{
	struct elisa_hc_rss call = {.rss = {.types = types, .reta_size = reta_size}};

	memset(call.rss.key, 0x6d, sizeof(call.rss.key));
	call.rss.reta[0] = first;
	return vm_hypercall(vm, ELISA_HC_RSS_SET, &call, sizeof(call));
}

/* The test's port has one queue: 0. */
const char *case_rss(void)
{
	uint64_t rss = offsetof(struct elisa_port_map, rss);
	struct elisa_hc_port bye = {0};
	struct setup setup;
	struct vm *vm = &setup.vm;

	setup_attached(&setup);
	CHECK(rss_set(vm, ELISA_RSS_IPV4, 1, 0) == -EACCES, "before a hello");
	CHECK(hello(vm) == 0 && map_word(vm, rss) == 0, "RSS is on at first");
	CHECK(rss_set(vm, ELISA_RSS_ALL + 1, 1, 0) == -EINVAL, "types");
	CHECK(rss_set(vm, ELISA_RSS_ALL, 3, 0) == -EINVAL, "size");
	CHECK(rss_set(vm, ELISA_RSS_ALL, 2 * ELISA_RSS_RETA_MAX, 0) == -EINVAL, "large size");
	CHECK(rss_set(vm, ELISA_RSS_ALL, 4, 1) == -ERANGE, "a queue that the port has not");
	CHECK(map_word(vm, rss) == 0, "a refused call changed it");
	CHECK(rss_set(vm, ELISA_RSS_ALL, ELISA_RSS_RETA_MAX, 0) == 0, "RSS_SET");
	CHECK(map_word(vm, rss) == ((uint64_t)ELISA_RSS_RETA_MAX << 32 | ELISA_RSS_ALL),
	      "types and size: %#llx", (unsigned long long)map_word(vm, rss));
	CHECK(map_word(vm, rss + 8 + ELISA_RSS_KEY_SIZE - 8) == 0x6d6d6d6d6d6d6d6dull, "key");
	CHECK(rss_set(vm, 0, 0, 0) == 0 && map_word(vm, rss) == 0, "off");
	CHECK(rss_set(vm, ELISA_RSS_ALL, 1, 0) == 0, "on again");
	CHECK(vm_hypercall(vm, ELISA_HC_BYE, &bye, sizeof(bye)) == 0 && hello(vm) == 0, "again");
	CHECK(map_word(vm, rss) == 0 && map_word(vm, rss + 8) == 0, "it outlived a bye");
	return setup_end(&setup);
}

/* The identity page has the offset that the vCPU runs with, and says if it has none. */
static bool identity_has(struct setup *setup, const struct elisa_vcpu_stats *stats)
{
	const uint64_t identity = ELISA_GVA(ELISA_OFFSET_IDENTITY);
	uint64_t features = vm_gate(&setup->vm, IMAGE_LOAD, identity + 8, 0) >> 32;
	uint64_t offset = vm_gate(&setup->vm, IMAGE_LOAD, identity + 24, 0);

	if (stats->tsc_scaled)
		return !(features & ELISA_IDENTITY_TSC);
	return features & ELISA_IDENTITY_TSC && offset == stats->tsc_offset;
}

static void set_tsc(struct setup *setup, uint64_t tsc)
{
	struct kvm_msrs *msrs = calloc(1, sizeof(*msrs) + sizeof(msrs->entries[0]));

	if (!msrs)
		die("calloc");
	msrs->nmsrs = 1;
	msrs->entries[0].index = MSR_TSC;
	msrs->entries[0].data = tsc;
	if (ioctl(setup->vm.vcpu, KVM_SET_MSRS, msrs) != 1)
		die("KVM_SET_MSRS");
	free(msrs);
}

/* Read by the guest between two readings here, one counter behind the other. */
const char *case_guest_tsc(void)
{
	struct elisa_vcpu_stats stats;
	struct setup setup;
	uint64_t before, after;
	int64_t guest;
	int khz;

	setup_hello(&setup);
	before = __builtin_ia32_rdtsc();
	CHECK(vm_call(&setup.vm, guest_rdtsc, 0, 0, 0, &guest) == OUTCOME_RETURNED, "RDTSC");
	after = __builtin_ia32_rdtsc();
	stats = host_stats(setup.vm_fd);
	CHECK(!stats.tsc_scaled && (uint64_t)guest - stats.tsc_offset - before <= after - before,
	      "guest %#llx, offset %#llx, host %#llx to %#llx", (unsigned long long)guest,
	      (unsigned long long)stats.tsc_offset, (unsigned long long)before,
	      (unsigned long long)after);
	CHECK(identity_has(&setup, &stats), "the identity page");
	before = stats.tsc_offset;
	set_tsc(&setup, 1ull << 50);
	stats = host_stats(setup.vm_fd);
	CHECK(stats.tsc_offset != before, "the offset did not change with the TSC");
	CHECK(identity_has(&setup, &stats), "the identity page, after the TSC was set");
	khz = ioctl(setup.vm.vcpu, KVM_GET_TSC_KHZ, 0);
	if (khz <= 0 || ioctl(setup.vm.vcpu, KVM_SET_TSC_KHZ, 2 * khz))
		die("KVM_SET_TSC_KHZ");
	stats = host_stats(setup.vm_fd);
	CHECK(stats.tsc_scaled == 1 && stats.tsc_offset == 0, "scaled %u, offset %#llx",
	      stats.tsc_scaled, (unsigned long long)stats.tsc_offset);
	CHECK(identity_has(&setup, &stats), "the identity page, with a scaled TSC");
	return setup_end(&setup);
}

static const char *check_memory(struct setup *setup, uint64_t gva, uint64_t gpa)
{
	uint64_t region = offsetof(struct elisa_port_map, regions);
	struct vm *vm = &setup->vm;
	uint64_t window;

	*(uint64_t *)(vm->memory + gpa + 0x3008) = 0x1234567;
	CHECK(region_call(vm, ELISA_HC_REGISTER, gva, HUGE, ELISA_REGION_WRITE) == 0, "register");
	CHECK(region_call(vm, ELISA_HC_REGISTER, gva + 0x1000, 4096, 0) == -EEXIST, "overlap");
	CHECK(host_prove(&setup->host) == 0, "invariant %u", host_prove(&setup->host));
	window = map_word(vm, region + offsetof(struct elisa_region, window));
	CHECK(vm_gate(vm, IMAGE_LOAD, window + 0x3008, 0) == 0x1234567, "load");
	CHECK(vm_gate(vm, IMAGE_STORE, window + HUGE - 8, 99) == 0, "store");
	CHECK(*(uint64_t *)(vm->memory + gpa + HUGE - 8) == 99, "the guest does not see it");
	CHECK(region_call(vm, ELISA_HC_UNREGISTER, gva, 4096, 0) == -ENOENT, "part of it");
	CHECK(region_call(vm, ELISA_HC_UNREGISTER, gva, HUGE, 0) == 0, "unregister");
	CHECK(host_info(&setup->host).pinned_pages == setup->before.pinned_pages, "pinned");
	return expect_thrown_out(setup, IMAGE_LOAD, window + 0x3008);
}

const char *case_unregister(void)
{
	const char *reason;
	struct setup setup;

	setup_hello(&setup);
	reason = check_memory(&setup, GUEST_REGION, GUEST_REGION);
	if (!reason)
		reason = check_memory(&setup, GUEST_SMALL_PAGES, GUEST_SMALL_PHYSICAL);
	return reason ? reason : setup_end(&setup);
}

/* In a process of its own: it gives up its rights. */
static int limited_process(void)
{
	struct rlimit limit = {1 << 20, 1 << 20};
	struct setup setup;

	setup_hello(&setup);
	if (setrlimit(RLIMIT_MEMLOCK, &limit) || setresuid(65534, 65534, 65534))
		die("giving up rights");
	if (region_call(&setup.vm, ELISA_HC_REGISTER, GUEST_REGION, HUGE, 0) != -ENOMEM)
		return 1;
	if (region_call(&setup.vm, ELISA_HC_REGISTER, GUEST_REGION, HUGE / 4, 0) != 0)
		return 2;
	if (region_call(&setup.vm, ELISA_HC_REGISTER, GUEST_REGION + HUGE / 2, HUGE / 2, 0) !=
	    -ENOMEM)
		return 3;
	return 0;
}

const char *case_memlock_limit(void)
{
	pid_t child = fork();
	int status;

	if (!child)
		_exit(limited_process());
	if (waitpid(child, &status, 0) != child)
		die("waitpid");
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "step %d", WEXITSTATUS(status));
	return NULL;
}

const char *case_second_attach(void)
{
	struct elisa_domain_create other = {.version = ELISA_UAPI_VERSION, .name = "test"};
	struct elisa_vm_attach attach;
	struct setup setup;

	setup_attached(&setup);
	CHECK(setup.attach.nb_vcpus == 1 && setup.attach.first_vcpu == 0, "%u vCPUs from %u",
	      setup.attach.nb_vcpus, setup.attach.first_vcpu);
	CHECK(host_attach(&setup.host, setup.vm.fd, &attach) == -1 && errno == EBUSY, "%d", errno);
	CHECK(ioctl(setup.host.device, ELISA_IOC_DOMAIN_CREATE, &other) == -1 && errno == EEXIST,
	      "a second domain of that name: %d", errno);
	CHECK(host_attach(&setup.host, setup.vm.vcpu, &attach) == -1 && errno == EBADF,
	      "a vCPU's descriptor: %d", errno);
	CHECK(host_attach(&setup.host, -1, &attach) == -1 && errno == EBADF, "%d", errno);
	CHECK(host_port_add(setup.vm_fd, 0, "other") == -1 && errno == EEXIST, "%d", errno);
	CHECK(host_port_add(setup.vm_fd, ELISA_MAX_PORTS, "other") == -1 && errno == ERANGE, "%d",
	      errno);
	return setup_end(&setup);
}

static bool map_fails(struct host *host, uint64_t offset, uint64_t length, uint32_t access,
		      int error)
{
	static char page[8192] __attribute__((aligned(4096)));

	return host_map(host, page, length, offset, access) == error;
}

const char *case_bad_ioctls(void)
{
	struct elisa_domain_map map = {.version = ELISA_UAPI_VERSION,
				       .access = ELISA_MAP_WRITE,
				       .address = 0x1000,
				       .length = 4096,
				       .offset = ELISA_OFFSET_SWITCH + 4096};
	struct elisa_vm_attach attach = {.version = 7};
	struct host host;

	host_open(&host);
	CHECK(ioctl(host.device, ELISA_IOC_DOMAIN_MAP, &map) == -1 && errno == ENOTTY, "%d", errno);
	CHECK(ioctl(host.domain, ELISA_IOC_INFO, &map) == -1 && errno == ENOTTY, "%d", errno);
	CHECK(ioctl(host.domain, ELISA_IOC_DOMAIN_MAP, &map) == -1 && errno == EFAULT, "%d", errno);
	CHECK(ioctl(host.domain, ELISA_IOC_DOMAIN_MAP, NULL) == -1 && errno == EFAULT, "%d", errno);
	CHECK(ioctl(host.domain, ELISA_IOC_VM_ATTACH, &attach) == -1 && errno == EINVAL, "%d",
	      errno);
	CHECK(map_fails(&host, ELISA_OFFSET_SWITCH, 4096, ELISA_MAP_WRITE, EEXIST), "%d", errno);
	CHECK(map_fails(&host, ELISA_OFFSET_SWITCH + 1, 4096, ELISA_MAP_WRITE, ERANGE), "%d",
	      errno);
	CHECK(map_fails(&host, ELISA_OFFSET_SWITCH - 4096, 4096, ELISA_MAP_WRITE, EINVAL), "%d",
	      errno);
	CHECK(map_fails(&host, ELISA_OFFSET_RODATA - 4096, 8192, ELISA_MAP_EXECUTE, ERANGE), "%d",
	      errno);
	CHECK(map_fails(&host, ELISA_OFFSET_TEXT - 4096, 8192, ELISA_MAP_EXECUTE, ERANGE), "%d",
	      errno);
	CHECK(map_fails(&host, ELISA_OFFSET_PORT_MAPS, 4096, ELISA_MAP_WRITE, ERANGE), "%d", errno);
	CHECK(map_fails(&host, ELISA_OFFSET_SWITCH + 4096, -4096ull, ELISA_MAP_WRITE, ERANGE), "%d",
	      errno);
	CHECK(map_fails(&host, ELISA_OFFSET_SWITCH + 4096, 4096, 7, EINVAL), "%d", errno);
	CHECK(host_info(&host).pinned_pages == 2, "%llu pages",
	      (unsigned long long)host_info(&host).pinned_pages);
	host_close(&host);
	return NULL;
}
