// SPDX-License-Identifier: BSD-3-Clause
/* cases_vmcall.c - gate=vmcall: the host runs the datapath for the guest, if it was told to. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <elisa/ring.h>

#include "cases.h"
#include "vswitch/datapath/switch.h"

#define FDB_CAPACITY 64
#define LENGTH ELISA_HUGE_PAGE_SIZE
#define FRAME 60
#define RING ELISA_MIN_RING
#define ROOM 2048
#define EXIT_VMCALL 18
#define CALLS 5000 /* of a neighbour that keeps sending */

/* In each port's memory. */
#define TX_WINDOW 0
#define RX_RING 0x1000
#define TX_BUFFER 0x2000
#define RX_BUFFERS 0x10000

_Static_assert(GUEST_GATE_CALL == ELISA_HYPERCALL(ELISA_HC_GATE_CALL), "the guest's number");

static const uint64_t memory_of[2] = {GUEST_REGION, GUEST_REGION + LENGTH};

static int64_t call_from(struct vm *vm, uint64_t root, uint64_t operation, uint64_t first,
			 uint64_t second)
{
	const uint64_t arguments[3] = {operation, first, second};
	int64_t result;

	if (vm_call_at(vm, guest_gate_vmcall, root, 3, arguments, &result) != OUTCOME_RETURNED)
		return INT64_MIN;
	return result;
}

static int64_t call(struct vm *vm, uint64_t operation, uint64_t first, uint64_t second)
{
	return call_from(vm, GUEST_TABLES, operation, first, second);
}

const char *case_vmcall_off(void)
{
	struct setup setup;

	setup_attached(&setup);
	CHECK(call(&setup.vm, ELISA_CALL_NOP, 0, 0) == -ENOSYS, "without a hello");
	CHECK(hello(&setup.vm) == 0 && call(&setup.vm, ELISA_CALL_NOP, 0, 0) == -ENOSYS, "with");
	CHECK(host_stats(setup.vm_fd).gate_calls == 0, "counted");
	return setup_end(&setup);
}

static struct elisa_switch *make_switch(struct setup *setup)
{
	struct elisa_switch_params params = {
		.fdb_capacity = FDB_CAPACITY, .age_ticks = 1, .seed = 0x1357};
	uint64_t size = elisa_switch_size(FDB_CAPACITY);
	struct elisa_switch *sw;
	uint32_t port;

	setup_attached_with(setup, size);
	sw = (struct elisa_switch *)setup->host.memory;
	if (elisa_switch_init(sw, size, &params))
		die("elisa_switch_init");
	for (port = 0; port < 2; port++) {
		struct elisa_port_params port_params = {.mac = {2, 0, 0, 0, 0, (uint8_t)port}};

		if (elisa_switch_port_add(sw, port, &port_params))
			die("elisa_switch_port_add");
	}
	return sw;
}

static void post_slots(struct vm *vm, uint32_t port)
{
	struct elisa_desc *ring = (struct elisa_desc *)(vm->memory + memory_of[port] + RX_RING);
	uint32_t i;

	for (i = 0; i < RING; i++) {
		ring[i].addr = memory_of[port] + RX_BUFFERS + i * ROOM;
		ring[i].word = ELISA_DESC_POSTED << 16 | ROOM;
	}
}

static int64_t buffers_call(struct vm *vm, uint32_t number, uint32_t port)
{
	struct elisa_hc_region region = {
		.port = port,
		.flags = number == ELISA_HC_REGISTER ? ELISA_REGION_WRITE : 0,
		.gva = memory_of[port] + RX_BUFFERS,
		.length = LENGTH - RX_BUFFERS,
	};

	return vm_hypercall(vm, number, &region, sizeof(region));
}

/* The receive buffers are a region of their own. */
static const char *start_port(struct vm *vm, uint32_t port)
{
	struct elisa_hc_region region = {.port = port,
					 .flags = ELISA_REGION_WRITE,
					 .gva = memory_of[port],
					 .length = RX_BUFFERS};
	struct elisa_hc_queue queue = {.port = port,
				       .tx_window = memory_of[port] + TX_WINDOW,
				       .rx_ring = memory_of[port] + RX_RING,
				       .tx_size = RING,
				       .rx_size = RING};
	struct elisa_hc_port set = {.port = port, .flags = ELISA_PORT_STARTED, .mtu = 1500};

	post_slots(vm, port);
	CHECK(vm_hypercall(vm, ELISA_HC_REGISTER, &region, sizeof(region)) == 0, "port %u", port);
	CHECK(buffers_call(vm, ELISA_HC_REGISTER, port) == 0, "port %u", port);
	CHECK(vm_hypercall(vm, ELISA_HC_QUEUE_SETUP, &queue, sizeof(queue)) == 0, "port %u", port);
	CHECK(vm_hypercall(vm, ELISA_HC_PORT_SET, &set, sizeof(set)) == 0, "port %u", port);
	return NULL;
}

static void fill(struct vm *vm, uint32_t from, uint32_t to, uint64_t address)
{
	struct elisa_desc *window = (struct elisa_desc *)(vm->memory + memory_of[from] + TX_WINDOW);
	uint8_t *frame = vm->memory + memory_of[from] + TX_BUFFER;

	memset(frame, 0x40 + from, FRAME);
	memcpy(frame, (uint8_t[]){2, 0, 0, 0, 0, (uint8_t)to, 2, 0, 0, 0, 0, (uint8_t)from}, 12);
	window->addr = address;
	window->word = FRAME;
}

/* A frame from one port to the other ends in slot `slot`. */
static const char *check_frame(struct vm *vm, uint32_t from, uint32_t slot)
{
	const uint8_t *there = vm->memory + memory_of[!from];
	const struct elisa_desc *desc = (const struct elisa_desc *)(there + RX_RING) + slot;
	int64_t result;

	fill(vm, from, !from, memory_of[from] + TX_BUFFER);
	result = call(vm, ELISA_CALL_TX, from, 1);
	CHECK(result == 1, "from port %u: %lld", from, (long long)result);
	CHECK(desc->flags == ELISA_DESC_DONE && desc->length == FRAME, "flags %#x, %u bytes",
	      desc->flags, desc->length);
	CHECK(!memcmp(there + RX_BUFFERS + slot * ROOM, vm->memory + memory_of[from] + TX_BUFFER,
		      FRAME),
	      "other bytes");
	return NULL;
}

static const char *check_refusals(struct setup *setup, struct elisa_switch *sw)
{
	struct vm *vm = &setup->vm;
	struct elisa_port_stats stats;

	CHECK(call(vm, ELISA_CALL_NOP, 0, 0) == 0, "nothing");
	CHECK(call(vm, 77, 0, 0) == -EINVAL, "an operation that there is not");
	CHECK(call(vm, ELISA_CALL_TX, 5, 1) == -EPERM, "a port that is not the VM's");
	CHECK(call(vm, ELISA_CALL_POLL, 0, 1) == -ENOENT, "there is no uplink");
	CHECK(call_from(vm, GUEST_OTHER_ROOT, ELISA_CALL_NOP, 0, 0) == -EPERM, "another process");
	fill(vm, 0, 1, 0x10);
	CHECK(call(vm, ELISA_CALL_TX, 0, 1) == 1, "a packet that is not registered");
	elisa_switch_port_stats(sw, 0, &stats);
	CHECK(stats.tx_drops[ELISA_DROP_BAD_DESCRIPTOR] == 1, "it was not dropped");
	return NULL;
}

static const char *check_end(struct setup *setup, struct elisa_switch *sw)
{
	struct vm *vm = &setup->vm;
	struct elisa_hc_port bye = {.port = 1};
	struct elisa_port_stats stats;

	CHECK(vm_hypercall(vm, ELISA_HC_BYE, &bye, sizeof(bye)) == 0, "bye");
	CHECK(host_info(&setup->host).pinned_pages == setup->before.pinned_pages + 512,
	      "pages of the port that went");
	fill(vm, 0, 1, memory_of[0] + TX_BUFFER);
	CHECK(call(vm, ELISA_CALL_TX, 0, 1) == 1, "to a port that went");
	elisa_switch_port_stats(sw, 0, &stats);
	CHECK(stats.tx_drops[ELISA_DROP_NO_DESTINATION] == 1, "it was not dropped");
	CHECK(call(vm, ELISA_CALL_TX, 1, 1) == -EPERM, "from a port that went");
	CHECK(vm_gate(vm, IMAGE_SUM, 1, 2) == 3, "the other gate");
	close(setup->port_fd);
	close(setup->vm_fd);
	setup->port_fd = setup->vm_fd = -1;
	CHECK(call(vm, ELISA_CALL_NOP, 0, 0) == -ENODEV, "detached");
	return NULL;
}

static const char *check_on(struct setup *setup)
{
	struct elisa_hc_hello second = {.abi = ELISA_GUEST_ABI, .port_name = "p1"};
	struct elisa_switch *sw = make_switch(setup);
	struct elisa_vcpu_stats before, after;
	struct vm *vm = &setup->vm;
	const char *reason;
	int port_fd;

	CHECK(call(vm, ELISA_CALL_NOP, 0, 0) == -EPERM, "before a hello");
	port_fd = host_port_add(setup->vm_fd, 1, "p1");
	CHECK(port_fd >= 0, "a second port: %d", errno);
	CHECK(vm_hypercall(vm, ELISA_HC_HELLO, &second, sizeof(second)) == 0 && hello(vm) == 0,
	      "hello");
	CHECK(call(vm, ELISA_CALL_TX, 0, 1) == -ENODEV, "without a queue");
	reason = start_port(vm, 0);
	if (!reason)
		reason = start_port(vm, 1);
	before = host_stats(setup->vm_fd);
	if (!reason)
		reason = check_frame(vm, 0, 0);
	if (!reason)
		reason = check_frame(vm, 0, 1);
	if (!reason)
		reason = check_frame(vm, 1, 0);
	after = host_stats(setup->vm_fd);
	if (!reason)
		reason = check_refusals(setup, sw);
	if (reason)
		return reason;
	CHECK(after.gate_calls - before.gate_calls == 3 &&
		      after.by_reason[EXIT_VMCALL] - before.by_reason[EXIT_VMCALL] == 3 &&
		      after.hypercalls == before.hypercalls && after.recoveries == 0,
	      "%llu gate calls", (unsigned long long)(after.gate_calls - before.gate_calls));
	CHECK(sw->queues[1][0].ring == 0, "the kernel's address of a ring is in the switch");
	reason = check_end(setup, sw);
	close(port_fd);
	return reason;
}

const char *case_vmcall_gate(void)
{
	struct setup setup;
	const char *reason = check_on(&setup);

	return reason ? reason : setup_end(&setup);
}

struct neighbour {
	struct vm vm;
	int64_t taken;
	bool done;
};

static void *keep_sending(void *argument)
{
	struct neighbour *neighbour = argument;

	vm_call(&neighbour->vm, guest_vmcall_loop, CALLS, 1, 0, &neighbour->taken);
	__atomic_store_n(&neighbour->done, true, __ATOMIC_RELEASE);
	return NULL;
}

/* Gives the slots that came back to the switch again; `next` counts them. */
static void post_again(struct vm *vm, uint32_t *next)
{
	struct elisa_desc *ring = (struct elisa_desc *)(vm->memory + memory_of[0] + RX_RING);

	for (;; (*next)++) {
		uint64_t *word = &ring[*next % RING].word;
		uint32_t phase = *next & RING ? ELISA_DESC_PHASE : 0;
		uint32_t flags = __atomic_load_n(word, __ATOMIC_ACQUIRE) >> 16 & 0xffff;

		if (!(flags & ELISA_DESC_DONE) || (flags & ELISA_DESC_PHASE) != phase)
			return;
		flags = ELISA_DESC_POSTED | (phase ^ ELISA_DESC_PHASE);
		__atomic_store_n(word, (uint64_t)flags << 16 | ROOM, __ATOMIC_RELEASE);
	}
}

/* While the neighbour sends: nothing is written into memory that was taken back. */
static const char *take_back_and_forth(struct vm *vm, struct neighbour *neighbour)
{
	uint8_t *buffers = vm->memory + memory_of[0] + RX_BUFFERS;
	uint32_t i, next = 0;

	while (!__atomic_load_n(&neighbour->done, __ATOMIC_ACQUIRE)) {
		CHECK(buffers_call(vm, ELISA_HC_UNREGISTER, 0) == 0, "unregister");
		memset(buffers, 0xee, RING * ROOM);
		post_again(vm, &next);
		usleep(1000);
		for (i = 0; i < RING * ROOM; i++)
			CHECK(buffers[i] == 0xee, "byte %u was written after that", i);
		CHECK(buffers_call(vm, ELISA_HC_REGISTER, 0) == 0, "register");
		post_again(vm, &next);
		usleep(1000);
	}
	return NULL;
}

const char *case_vmcall_unregister(void)
{
	struct neighbour neighbour = {.done = false};
	struct elisa_port_stats stats;
	struct elisa_vm_attach attach;
	struct elisa_switch *sw;
	const char *reason;
	struct setup setup;
	pthread_t thread;
	int vm_fd, port_fd;

	sw = make_switch(&setup);
	vm_create(&neighbour.vm);
	vm_fd = host_attach(&setup.host, neighbour.vm.fd, &attach);
	port_fd = host_port_add(vm_fd, 1, "p0");
	CHECK(port_fd >= 0 && hello(&setup.vm) == 0 && hello(&neighbour.vm) == 0, "hello");
	reason = start_port(&setup.vm, 0);
	if (!reason)
		reason = start_port(&neighbour.vm, 1);
	if (reason)
		return reason;
	fill(&neighbour.vm, 1, 0, memory_of[1] + TX_BUFFER);
	if (pthread_create(&thread, NULL, keep_sending, &neighbour))
		die("pthread_create");
	reason = take_back_and_forth(&setup.vm, &neighbour);
	pthread_join(thread, NULL);
	if (reason)
		return reason;
	elisa_switch_port_stats(sw, 0, &stats);
	CHECK(neighbour.taken == CALLS, "%lld packets taken", (long long)neighbour.taken);
	CHECK(stats.rx_packets && stats.rx_drops[ELISA_DROP_BAD_RECEIVE_BUFFER],
	      "%llu packets, %llu dropped", (unsigned long long)stats.rx_packets,
	      (unsigned long long)stats.rx_drops[ELISA_DROP_BAD_RECEIVE_BUFFER]);
	close(port_fd);
	close(vm_fd);
	vm_destroy(&neighbour.vm);
	return setup_end(&setup);
}
