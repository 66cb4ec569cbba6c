// SPDX-License-Identifier: BSD-3-Clause
/*
 * row12.c - random calls of /dev/elisa, from root: all of them and some that are none, on right and
 * wrong objects, with random and plausible structures, and descriptors closed in any order. Domains are
 * the test's own. Each call ends with a result or an errno; nothing stays pinned, attached or allocated.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "attacks.h"
#include "host_memory.h"

#define CALLS 22000u
#define WARM_UP 3000u /* before the kernel's memory is looked at: what is allocated once and kept */
#define OBJECTS 24    /* descriptors held at once */
#define ERRORS 134
#define LEAK_KIB 2048
#define AREA 0x20000 /* bytes of the test's own for DOMAIN_MAP, of one part of the window */
#define MEMORY (6 * AREA)
#define STRUCTURE 2048

enum sort {
	SORT_DEVICE,
	SORT_DOMAIN,
	SORT_VM,
	SORT_PORT,
	SORT_OTHER, /* a file that is none of the module's */
	SORTS,
};

static const struct {
	unsigned long number;
	enum sort sort; /* of the object that it is meant for */
	enum sort makes;
} calls[] = {
	{ELISA_IOC_INFO, SORT_DEVICE, SORTS},
	{ELISA_IOC_DOMAIN_CREATE, SORT_DEVICE, SORT_DOMAIN},
	{ELISA_IOC_DOMAIN_ADOPT, SORT_DEVICE, SORTS},
	{ELISA_IOC_REVOKE, SORT_DOMAIN, SORTS},
	{ELISA_IOC_REVOKE, SORT_VM, SORTS},
	{ELISA_IOC_REVOKE, SORT_PORT, SORTS},
	{ELISA_IOC_DOMAIN_MAP, SORT_DOMAIN, SORTS},
	{ELISA_IOC_DOMAIN_UNMAP, SORT_DOMAIN, SORTS},
	{ELISA_IOC_DOMAIN_CMPXCHG64, SORT_DOMAIN, SORTS},
	{ELISA_IOC_DOMAIN_PROVE, SORT_DOMAIN, SORTS},
	{ELISA_IOC_DOMAIN_VCPU_REOPEN, SORT_DOMAIN, SORTS},
	{ELISA_IOC_DOMAIN_VCPU_EVICT, SORT_DOMAIN, SORTS},
	{ELISA_IOC_VM_ATTACH, SORT_DOMAIN, SORT_VM},
	{ELISA_IOC_PORT_ADD, SORT_VM, SORT_PORT},
	{ELISA_IOC_VM_VCPU_STATS, SORT_VM, SORTS},
	{ELISA_IOC_PORT_STATE, SORT_PORT, SORTS},
};

#define NB_CALLS (sizeof(calls) / sizeof(calls[0]))

struct object {
	int fd; /* -1: free */
	enum sort sort;
};

struct state {
	struct object objects[OBJECTS];
	uint64_t random;
	uint64_t results[ERRORS]; /* 0: done */
	uint8_t *memory;
	int kvm_fd;
};

/* A structure of any call; more than the largest, so that the module may read what it likes. */
static union {
	uint8_t bytes[STRUCTURE];
	struct elisa_domain_create create;
	struct elisa_domain_adopt adopt;
	struct elisa_domain_map map;
	struct elisa_domain_unmap unmap;
	struct elisa_vm_attach attach;
	struct elisa_port_add port;
	struct elisa_domain_vcpu_evict vcpu;
} argument;

static uint64_t next(struct state *state)
{
	state->random ^= state->random << 13;
	state->random ^= state->random >> 7;
	state->random ^= state->random << 17;
	return state->random;
}

static bool one_in(struct state *state, unsigned int n)
{
	return next(state) % n == 0;
}

static int descriptor(struct state *state, enum sort sort)
{
	unsigned int from = next(state) % OBJECTS;

	for (unsigned int i = 0; i < OBJECTS; i++) {
		const struct object *object = &state->objects[(from + i) % OBJECTS];

		if (object->fd >= 0 && (object->sort == sort || sort == SORTS))
			return object->fd;
	}
	return -1;
}

static void keep(struct state *state, int fd, enum sort sort)
{
	struct object *object = &state->objects[next(state) % OBJECTS];

	if (object->fd >= 0)
		close(object->fd);
	*object = (struct object){fd, sort};
}

static void fill_random(struct state *state)
{
	static const uint64_t values[] = {0,
					  1,
					  2,
					  63,
					  64,
					  1500,
					  4096,
					  AREA,
					  0x7fffffff,
					  0xffffffff,
					  ELISA_OFFSET_SWITCH,
					  ELISA_OFFSET_CAPTURE,
					  ELISA_OFFSET_UPLINK_DEVICES,
					  ELISA_WINDOW_SIZE,
					  0xffff888000000000ull,
					  ~0ull};
	uint64_t *words = (uint64_t *)argument.bytes;

	for (size_t i = 0; i < STRUCTURE / sizeof(*words); i++)
		words[i] = one_in(state, 3)
				   ? next(state)
				   : values[next(state) % (sizeof(values) / sizeof(values[0]))];
}

static void fill_map(struct state *state)
{
	static const struct {
		uint64_t offset;
		uint32_t access;
	} parts[] = {
		{ELISA_OFFSET_TEXT, ELISA_MAP_EXECUTE},
		{ELISA_OFFSET_RODATA, ELISA_MAP_READ},
		{ELISA_OFFSET_SWITCH, ELISA_MAP_WRITE},
		{ELISA_OFFSET_CAPTURE, ELISA_MAP_WRITE},
		{ELISA_OFFSET_UPLINK_MEMORY, ELISA_MAP_WRITE},
		{ELISA_OFFSET_UPLINK_DEVICES, ELISA_MAP_DEVICE},
	};
	unsigned int part = next(state) % (sizeof(parts) / sizeof(parts[0]));

	argument.map.access = parts[part].access;
	argument.map.address = (uintptr_t)state->memory + part * AREA;
	argument.map.length = 4096 * (1 + next(state) % (AREA / 4096));
	argument.map.offset = parts[part].offset + 4096 * (next(state) % 4);
}

/* What could be right, for the calls that need more than zeroes. */
static void fill_plausible(struct state *state, unsigned long number)
{
	memset(argument.bytes, 0, sizeof(argument.bytes));
	argument.create.version = ELISA_UAPI_VERSION;
	if (number == ELISA_IOC_DOMAIN_CREATE) {
		snprintf(argument.create.name, sizeof(argument.create.name), "row12-%u",
			 (unsigned int)(next(state) % 4));
	} else if (number == ELISA_IOC_DOMAIN_ADOPT) {
		argument.adopt.domain_fd =
			descriptor(state, one_in(state, 4) ? SORTS : SORT_DOMAIN);
	} else if (number == ELISA_IOC_DOMAIN_MAP) {
		fill_map(state);
	} else if (number == ELISA_IOC_DOMAIN_UNMAP) {
		argument.unmap.flags = next(state) % 2;
		argument.unmap.offset = ELISA_OFFSET_CAPTURE + 4096 * (next(state) % 4);
		argument.unmap.length = 4096 * (1 + next(state) % (AREA / 4096));
	} else if (number == ELISA_IOC_VM_ATTACH) {
		argument.attach.flags = ELISA_ATTACH_ACCEPT_SIDE_CHANNELS;
		argument.attach.kvm_fd =
			one_in(state, 8) ? descriptor(state, SORTS) : state->kvm_fd;
	} else if (number == ELISA_IOC_PORT_ADD) {
		argument.port.port = next(state) % (ELISA_MAX_PORTS + 2);
		argument.port.max_mtu = 1500;
		argument.port.max_queues = 1 + next(state) % 2;
		argument.port.max_ring = 1024;
		argument.port.mac[0] = 2;
		snprintf(argument.port.name, sizeof(argument.port.name), "p%u", argument.port.port);
	} else if (number == ELISA_IOC_DOMAIN_VCPU_REOPEN ||
		   number == ELISA_IOC_DOMAIN_VCPU_EVICT) {
		argument.vcpu.vcpu = next(state) % 3;
	}
}

/* Wrong in one place, as a bug of the daemon's would make it. */
static void spoil(struct state *state)
{
	uint64_t *words = (uint64_t *)argument.bytes;

	words[next(state) % 8] ^= 1ull << next(state) % 64;
}

/* Objects are revoked now and then only: there is little to be done with one that was. */
static unsigned int choose(struct state *state)
{
	unsigned int which = next(state) % NB_CALLS;

	if (calls[which].number == ELISA_IOC_REVOKE && !one_in(state, 16))
		which = next(state) % NB_CALLS;
	return which;
}

static const char *call(struct state *state)
{
	unsigned int which = choose(state);
	unsigned long number = calls[which].number;
	void *address = &argument;
	int fd, result;

	if (one_in(state, 4))
		fill_random(state);
	else
		fill_plausible(state, number);
	if (one_in(state, 6))
		spoil(state);
	if (one_in(state, 16))
		number ^= 1ul << next(state) % 32;
	if (one_in(state, 16))
		address = (void *)(uintptr_t)(one_in(state, 2) ? next(state) : 8);
	fd = descriptor(state, one_in(state, 8) ? SORTS : calls[which].sort);
	errno = 0;
	result = ioctl(fd, number, address);
	REQUIRE(result >= 0 || (errno > 0 && errno < ERRORS), "ioctl %#lx: %d, errno %d", number,
		result, errno);
	state->results[result < 0 ? errno : 0]++;
	/* Only what was called unspoiled makes something. */
	if (result > 0 && number == calls[which].number && calls[which].makes < SORTS)
		keep(state, result, calls[which].makes);
	if (one_in(state, 12))
		keep(state, open("/dev/elisa", O_RDWR | O_CLOEXEC), SORT_DEVICE);
	if (one_in(state, 64))
		keep(state, open("/dev/null", O_RDWR | O_CLOEXEC), SORT_OTHER);
	return NULL;
}

static void close_all(struct state *state)
{
	for (unsigned int i = 0; i < OBJECTS; i++) {
		if (state->objects[i].fd >= 0)
			close(state->objects[i].fd);
		state->objects[i].fd = -1;
	}
}

static const char *rounds(struct state *state, unsigned int count)
{
	const char *reason = NULL;

	for (unsigned int i = 0; i < count && !reason; i++)
		reason = call(state);
	close_all(state);
	return reason;
}

static uint64_t vms(void)
{
	struct elisa_info info = {.version = ELISA_UAPI_VERSION};
	int device = open("/dev/elisa", O_RDWR | O_CLOEXEC);

	if (device < 0 || ioctl(device, ELISA_IOC_INFO, &info))
		die("/dev/elisa");
	close(device);
	return info.nb_vms;
}

static void show_results(const struct state *state)
{
	char name[32];

	for (int i = 0; i < ERRORS; i++) {
		if (!state->results[i])
			continue;
		snprintf(name, sizeof(name), "%s", i ? strerrorname_np(i) : "done");
		attack_saw(name, state->results[i]);
	}
}

static const char *nothing_is_left(uint64_t pinned, uint64_t attached, uint64_t kib)
{
	REQUIRE(host_pinned_pages() == pinned, "%llu pages pinned, %llu before",
		(unsigned long long)host_pinned_pages(), (unsigned long long)pinned);
	REQUIRE(vms() == attached, "%llu VMs attached, %llu before", (unsigned long long)vms(),
		(unsigned long long)attached);
	REQUIRE(host_kernel_kib() < kib + LEAK_KIB, "the kernel has %llu KiB more than before",
		(unsigned long long)(host_kernel_kib() - kib));
	return NULL;
}

const char *attack_row12(struct attacker *attacker)
{
	static struct state state = {.random = 0x2545f4914f6cdd1d};
	uint64_t pinned = host_pinned_pages(), attached = vms(), kib;
	const char *reason;

	attacker_create(attacker);
	state.kvm_fd = attacker->vm.fd;
	for (unsigned int i = 0; i < OBJECTS; i++)
		state.objects[i].fd = -1;
	state.memory =
		mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (state.memory == MAP_FAILED)
		die("mmap");
	reason = rounds(&state, WARM_UP);
	kib = host_kernel_kib();
	if (!reason)
		reason = nothing_is_left(pinned, attached, kib);
	if (!reason)
		reason = rounds(&state, CALLS);
	attack_tried(WARM_UP + CALLS);
	show_results(&state);
	if (!reason)
		reason = nothing_is_left(pinned, attached, kib);
	munmap(state.memory, MEMORY);
	if (reason)
		return reason;
	/* The VM is as good as before for the switch that runs. */
	attacker_add_port(attacker, "");
	strcpy(attacker_data(attacker, "attacker_port_name"), attacker->port);
	return attacker_is_well(attacker);
}
