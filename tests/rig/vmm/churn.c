// SPDX-License-Identifier: BSD-3-Clause
/*
 * churn.c - what domains, VMs, vCPUs, ports and memory go through, in random order; the contexts stay
 * proven all the time: by the module itself, and here, on the tables that it exports.
 *
 * usage: elisa-churn [SEED [OPERATIONS]]	needs the testing build of elisa.ko (tests/mutations)
 *
 * Prints the seed, "ok NAME" or "FAIL NAME REASON", and "figure NAME VALUE". Status 1 if one failed.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include <elisa/ring.h>

#include "cases.h"
#include "exported.h"
#include "gate/seam.h"

#define VMS 3u
#define PORTS 9u /* three of each VM, numbered in the domain */
#define MAX_VCPUS 3u
#define VCPU_NUMBERS 32u /* more than are given out */
#define PROVE_EVERY 1000u
#define HUGE ELISA_HUGE_PAGE_SIZE
#define SLOT_GPA 0x10000000u
#define DAEMON_LENGTH 16384u
#define DAEMON_PARTS 3u

struct machine {
	bool exists;
	int vm_fd; /* -1: not attached */
	uint32_t nb_vcpus;
	struct vm vcpus[MAX_VCPUS]; /* the first is the VM's own */
	bool has_slot;
};

static struct host host;
static struct machine machines[VMS];
static int ports[PORTS]; /* descriptors, -1: not there */
static uint64_t pinned_by_daemon;
static bool parts_mapped[DAEMON_PARTS];
static void *daemon_memory;
static uint64_t refused, proofs, entries;
static uint64_t random_state;

static const uint64_t part_offsets[DAEMON_PARTS] = {
	ELISA_OFFSET_CAPTURE, ELISA_OFFSET_UPLINK_MEMORY, ELISA_OFFSET_UPLINK_STATE};
static const uint32_t part_accesses[DAEMON_PARTS] = {ELISA_MAP_WRITE, ELISA_MAP_WRITE,
						     ELISA_MAP_READ};

static uint32_t draw(uint32_t below)
{
	random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
	return (random_state >> 33) % below;
}

static struct machine *owner_of(uint32_t port)
{
	return &machines[port % VMS];
}

/* Hypercalls and gate calls come from a vCPU that is drawn too, and from one of two processes. */
static struct vm *caller(struct machine *machine)
{
	return &machine->vcpus[draw(machine->nb_vcpus)];
}

static int64_t call(struct machine *machine, uint32_t number, const void *argument, uint32_t size)
{
	const uint64_t arguments[3] = {ELISA_HYPERCALL(number), GUEST_ARGUMENT, size};
	uint64_t root = draw(4) ? GUEST_TABLES : GUEST_OTHER_ROOT;
	struct vm *vm = caller(machine);
	int64_t result;

	memcpy(vm->memory + GUEST_ARGUMENT, argument, size);
	if (vm_call_at(vm, guest_hypercall, root, 3, arguments, &result) != OUTCOME_RETURNED)
		return INT64_MIN;
	return result;
}

static void add_vcpu(struct machine *machine)
{
	struct vm *last = &machine->vcpus[machine->nb_vcpus - 1];

	/* KVM lets all but the first wait for a start-up interrupt. */
	struct kvm_mp_state runnable = {.mp_state = KVM_MP_STATE_RUNNABLE};

	if (machine->nb_vcpus == MAX_VCPUS)
		return;
	vm_add_vcpu(last, last + 1);
	if (ioctl(last[1].vcpu, KVM_SET_MP_STATE, &runnable))
		die("KVM_SET_MP_STATE");
	machine->nb_vcpus++;
}

static void make_machine(struct machine *machine)
{
	vm_create(machine->vcpus);
	machine->exists = true;
	machine->has_slot = false;
	machine->vm_fd = -1;
	machine->nb_vcpus = 1;
	while (draw(2))
		add_vcpu(machine);
}

static void close_ports(struct machine *machine)
{
	uint32_t i;

	for (i = 0; i < PORTS; i++) {
		if (owner_of(i) == machine && ports[i] >= 0) {
			close(ports[i]);
			ports[i] = -1;
		}
	}
}

static int attach_or_detach(struct machine *machine)
{
	struct elisa_vm_attach attach;

	if (machine->vm_fd < 0) {
		machine->vm_fd = host_attach(&host, machine->vcpus->fd, &attach);
		return machine->vm_fd < 0 ? errno : 0;
	}
	/* In either order. */
	if (draw(2))
		close_ports(machine);
	close(machine->vm_fd);
	machine->vm_fd = -1;
	close_ports(machine);
	return 0;
}

/* Its VMM dies; the descriptors of what was attached are closed after that, or were before. */
static void unmake_machine(struct machine *machine)
{
	if (machine->vm_fd >= 0 && draw(2))
		attach_or_detach(machine);
	while (machine->nb_vcpus)
		vm_destroy(&machine->vcpus[--machine->nb_vcpus]);
	machine->exists = false;
	if (machine->vm_fd >= 0)
		attach_or_detach(machine);
}

static int add_or_delete_port(uint32_t port)
{
	struct machine *machine = owner_of(port);
	char name[8];

	if (ports[port] >= 0) {
		close(ports[port]);
		ports[port] = -1;
		return 0;
	}
	if (machine->vm_fd < 0)
		return 0;
	snprintf(name, sizeof(name), "p%u", port);
	ports[port] = host_port_add(machine->vm_fd, port, name);
	return ports[port] < 0 ? errno : 0;
}

static int64_t say_hello(uint32_t port)
{
	struct elisa_hc_hello hello = {.abi = ELISA_GUEST_ABI};

	snprintf(hello.port_name, sizeof(hello.port_name), "p%u", port);
	return call(owner_of(port), ELISA_HC_HELLO, &hello, sizeof(hello));
}

static int64_t change_region(uint32_t port)
{
	struct elisa_hc_region region = {.port = port};
	bool registers = draw(3);

	/* Aligned 2 MiB, or pages among the small ones. */
	if (draw(3)) {
		region.gva = GUEST_SMALL_PAGES + draw(32) * 16 * ELISA_PAGE_SIZE;
		region.length = (1 + draw(16)) * ELISA_PAGE_SIZE;
	} else {
		region.gva = GUEST_REGION;
		region.length = HUGE;
	}
	region.flags = registers && draw(2) ? ELISA_REGION_WRITE : 0;
	return call(owner_of(port), registers ? ELISA_HC_REGISTER : ELISA_HC_UNREGISTER, &region,
		    sizeof(region));
}

static int64_t change_queue(uint32_t port)
{
	struct elisa_hc_queue queue = {.port = port};

	if (!draw(3))
		return call(owner_of(port), ELISA_HC_QUEUE_RELEASE, &queue, sizeof(queue));
	queue.tx_window = queue.rx_ring = GUEST_REGION + draw(64) * ELISA_PAGE_SIZE;
	queue.tx_size = queue.rx_size = ELISA_MIN_RING;
	return call(owner_of(port), ELISA_HC_QUEUE_SETUP, &queue, sizeof(queue));
}

static int64_t set_port(uint32_t port)
{
	struct elisa_hc_port set = {
		.port = port, .flags = draw(2) ? ELISA_PORT_STARTED : 0, .mtu = 1500};
	struct elisa_hc_rss rss = {.port = port};

	if (draw(3))
		return call(owner_of(port), ELISA_HC_PORT_SET, &set, sizeof(set));
	rss.rss.types = draw(ELISA_RSS_ALL + 1);
	rss.rss.reta_size = 1u << draw(8);
	return call(owner_of(port), ELISA_HC_RSS_SET, &rss, sizeof(rss));
}

static int64_t say_bye(uint32_t port)
{
	struct elisa_hc_port bye = {.port = port};

	return call(owner_of(port), ELISA_HC_BYE, &bye, sizeof(bye));
}

static int map_or_unmap(uint32_t i)
{
	int error;

	if (parts_mapped[i])
		error = host_unmap(&host, part_offsets[i], DAEMON_LENGTH);
	else
		error = host_map(&host, daemon_memory, DAEMON_LENGTH, part_offsets[i],
				 part_accesses[i]);
	if (!error) {
		parts_mapped[i] = !parts_mapped[i];
		pinned_by_daemon += (parts_mapped[i] ? 1 : -1) * (DAEMON_LENGTH / ELISA_PAGE_SIZE);
	}
	return error;
}

/* Goes in; or goes in and is thrown out. */
static void cross(struct machine *machine, bool fails)
{
	uint32_t vcpu;

	vm_gate(caller(machine), fails ? IMAGE_UD2 : IMAGE_SUM, 1, 2);
	for (vcpu = 0; fails && vcpu < VCPU_NUMBERS; vcpu++)
		host_reopen(&host, vcpu);
}

static void toggle_slot(struct machine *machine)
{
	struct kvm_userspace_memory_region slot = {
		.slot = 1,
		.guest_phys_addr = SLOT_GPA,
		.memory_size = machine->has_slot ? 0 : HUGE,
		.userspace_addr = (uintptr_t)machine->vcpus->memory,
	};

	if (ioctl(machine->vcpus->fd, KVM_SET_USER_MEMORY_REGION, &slot))
		die("KVM_SET_USER_MEMORY_REGION");
	machine->has_slot = !machine->has_slot;
}

enum operation {
	CROSS,
	FAIL_INSIDE,
	ATTACH,
	REBORN,
	HOTPLUG,
	SLOT,
	PORT,
	HELLO,
	BYE,
	REGION,
	QUEUE,
	SET,
	MAP,
	OPERATIONS,
};

static uint64_t done[OPERATIONS];
static const char *const names[OPERATIONS] = {
	"gate-calls",     "recoveries",    "attachments", "new-vms", "vcpus-added",
	"slots-changed",  "ports-changed", "hellos",      "byes",    "regions-changed",
	"queues-changed", "settings",      "mappings"};

/* One of a hundred draws each; the rest are hellos and regions, which most need. */
static enum operation choose(void)
{
	static const uint8_t weights[OPERATIONS] = {10, 1, 2, 1, 1, 4, 8, 14, 4, 30, 10, 7, 8};
	uint32_t number = draw(100), i;

	for (i = 0; number >= weights[i]; i++)
		number -= weights[i];
	return i;
}

static void on_machine(enum operation operation, struct machine *machine)
{
	if (!machine->exists)
		make_machine(machine);
	else if (operation == REBORN)
		unmake_machine(machine);
	else if (operation == ATTACH)
		attach_or_detach(machine);
	else if (operation == HOTPLUG)
		add_vcpu(machine);
	else if (operation == SLOT)
		toggle_slot(machine);
	else
		cross(machine, operation == FAIL_INSIDE);
}

/* What may be refused: another's, twice, not there, too much. Everything else is wrong. */
static bool is_refusal(int64_t result)
{
	switch (result < 0 ? -result : result) {
	case 0:
	case EACCES:
	case EPERM:
	case EBUSY:
	case EEXIST:
	case ENOENT:
	case ENOSPC:
	case ENODEV:
	case EFAULT: /* a ring in no region */
	case ENOMEM: /* more than the VM has */
		return true;
	default:
		return false;
	}
}

static int64_t on_port(enum operation operation, uint32_t port)
{
	switch (operation) {
	case PORT:
		return add_or_delete_port(port);
	case HELLO:
		return say_hello(port);
	case BYE:
		return say_bye(port);
	case REGION:
		return change_region(port);
	case QUEUE:
		return change_queue(port);
	case SET:
		return set_port(port);
	default:
		return map_or_unmap(port % DAEMON_PARTS);
	}
}

static const char *operate(void)
{
	enum operation operation = choose();
	uint32_t port = draw(PORTS);
	int64_t result;

	done[operation]++;
	if (operation < PORT || !owner_of(port)->exists) {
		on_machine(operation, owner_of(port));
		return NULL;
	}
	result = on_port(operation, port);
	CHECK(is_refusal(result), "%s: %lld", names[operation], (long long)result);
	refused += result != 0;
	return NULL;
}

/* Pins are what the daemon has and what the ports say. */
static const char *check_pins(void)
{
	struct elisa_port_state state;
	uint64_t pages = pinned_by_daemon;
	uint32_t i;

	for (i = 0; i < PORTS; i++) {
		state = (struct elisa_port_state){.version = ELISA_UAPI_VERSION};
		if (ports[i] >= 0 && !ioctl(ports[i], ELISA_IOC_PORT_STATE, &state))
			pages += state.pinned_pages;
	}
	CHECK(host_info(&host).pinned_pages == pages, "%llu pinned, %llu known",
	      (unsigned long long)host_info(&host).pinned_pages, (unsigned long long)pages);
	return NULL;
}

static const char *check_proof(void)
{
	struct elisa_proof proof = {0};
	struct exported exported;
	uint32_t invariant = host_prove(&host);
	int error, found;

	error = exported_read(&exported, host.domain);
	CHECK(!error, "no export: %d", error);
	found = exported_prove(&exported, &proof);
	proofs++;
	entries += proof.entries;
	CHECK(found == 0, "exported tables: invariant %d at %#llx: %s", found,
	      (unsigned long long)proof.address, proof.text ? proof.text : "no memory");
	/* Without a vCPU the module has nothing to look at. */
	CHECK(invariant == 0 || invariant == UINT32_MAX, "the module's own proof: invariant %u",
	      invariant);
	return check_pins();
}

static const char *churn(uint32_t operations)
{
	const char *reason = NULL;
	uint32_t i;

	for (i = 0; i < operations && !reason; i++) {
		reason = operate();
		if (!reason && i % PROVE_EVERY == PROVE_EVERY - 1)
			reason = check_proof();
	}
	return reason;
}

/* The prover here sees what it must not find: in the list, in a shared leaf, in a root. */
static const char *check_prover(void)
{
	uint64_t *directory, *leaf, before;
	struct exported exported;
	struct elisa_proof proof;
	struct elisa_contexts *contexts;
	uint32_t i = 0;
	int found;

	CHECK(exported_read(&exported, host.domain) == 0, "export");
	while (i < ELISA_MAX_VCPUS && !exported.contexts[i])
		i++;
	CHECK(i < ELISA_MAX_VCPUS, "no vCPU");
	contexts = exported.contexts[i];
	before = contexts->list[ELISA_SLOT_TRUSTED];
	contexts->list[ELISA_SLOT_TRUSTED] = 0x123401e;
	CHECK(exported_prove(&exported, &proof) == 6, "a filled slot 2");
	contexts->list[ELISA_SLOT_TRUSTED] = before;
	directory = elisa_ept_directory(
		&contexts->trusted, elisa_gpa(exported.tables->window.value + ELISA_OFFSET_TEXT));
	leaf = elisa_seam_hpa_page(elisa_hpa(directory[0] & ELISA_FRAME_MASK));
	before = leaf[0];
	leaf[0] |= ELISA_EPT_READ | ELISA_EPT_WRITE;
	CHECK(exported_prove(&exported, &proof) == 3, "writable code");
	leaf[0] = before;
	exported.tables->trusted.root[0] = exported.tables->trusted.root[144];
	found = exported_prove(&exported, &proof);
	/* The gate's, if a process is admitted. */
	CHECK(found == 1 || found == 3, "the window at a second address: %d", found);
	return NULL;
}

static const char *clear_away(void)
{
	struct elisa_info info;
	uint32_t i;

	for (i = 0; i < VMS; i++) {
		if (machines[i].exists)
			unmake_machine(&machines[i]);
	}
	for (i = 0; i < DAEMON_PARTS; i++) {
		if (parts_mapped[i])
			map_or_unmap(i);
	}
	info = host_info(&host);
	CHECK(info.nb_vms == 0 && info.pinned_pages == 2, "%u VMs, %llu pages", info.nb_vms,
	      (unsigned long long)info.pinned_pages);
	close(host.domain);
	host.domain = -1;
	info = host_info(&host);
	CHECK(info.pinned_pages == 0, "%llu pages", (unsigned long long)info.pinned_pages);
	return NULL;
}

static int report(const char *name, const char *reason)
{
	printf(reason ? "FAIL %s %s\n" : "ok %s\n", name, reason);
	return !!reason;
}

int main(int argc, char **argv)
{
	uint32_t i, operations = argc > 2 ? atoi(argv[2]) : 10000;
	int failed = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc > 1)
		random_state = strtoull(argv[1], NULL, 0);
	else if (getrandom(&random_state, sizeof(random_state), 0) != sizeof(random_state))
		die("getrandom");
	printf("figure seed %llu\n", (unsigned long long)random_state);
	for (i = 0; i < PORTS; i++)
		ports[i] = -1;
	host_open(&host);
	pinned_by_daemon = host_info(&host).pinned_pages;
	daemon_memory = mmap(NULL, DAEMON_LENGTH, PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	failed += report("random-operations", churn(operations));
	if (!machines[0].exists)
		make_machine(&machines[0]);
	if (machines[0].vm_fd < 0)
		attach_or_detach(&machines[0]);
	failed += report("last-proof", check_proof());
	failed += report("prover-sees-changes", check_prover());
	failed += report("all-pins-back", clear_away());
	for (i = 0; i < OPERATIONS; i++)
		printf("figure %s %llu\n", names[i], (unsigned long long)done[i]);
	printf("figure refused %llu\n", (unsigned long long)refused);
	printf("figure proofs %llu\nfigure entries-walked %llu\n", (unsigned long long)proofs,
	       (unsigned long long)entries);
	return !!failed;
}
