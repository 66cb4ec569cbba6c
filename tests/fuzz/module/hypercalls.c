// SPDX-License-Identifier: BSD-3-Clause
/*
 * hypercalls.c - inputs as what a guest does: hypercalls of two processes in two rings, gate calls, changes
 * of the page table; and its ports come and go.
 *
 * kind % 16: 1 to 8 that hypercall, its structure in the body; 0 the number in the body; 9 a gate call; 10 a
 * port is deleted or added; 11 an entry of the page table; else 2, for REGISTER is what most need.
 * who: bit 0 the other root, bit 1 ring 0. where, size: 0 as it should be, else wrong ones.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "fuzz.h"
#include "hypercall_sizes.h"

#define PORTS 2u
#define SMALL_TABLE (GUEST_TABLES + 0x8000) /* see fill_tables() of vmm.c; of both roots */
#define WINDOW_TABLE (GUEST_TABLES + 0x6000)
#define ROOTS_APART (GUEST_OTHER_ROOT - GUEST_TABLES)
#define KEPT_ENTRIES 2u /* of small pages: arguments lie there */

enum { HYPERCALL_BY_NUMBER, GATE = ELISA_HC_GATE_CALL, PORT, ENTRY, KINDS = 16 };

static int vm_fd;
static struct elisa_vm_attach attach;
static int ports[PORTS];
static uint64_t pages[PORTS]; /* registered, as far as calls said so */
static uint64_t small_table[512], stub_entry;

static uint64_t *table(struct world *world, int root, uint64_t address)
{
	return (uint64_t *)(world->vm.memory + address + root * ROOTS_APART);
}

static void add_port(uint32_t number, uint32_t max_queues)
{
	struct elisa_port_add add = {.version = ELISA_UAPI_VERSION,
				     .port = number,
				     .max_mtu = 1500,
				     .max_queues = max_queues,
				     .max_ring = 1024,
				     .mac = {2, 0, 0, 0, 0, (uint8_t)number},
				     .name = {'p', (char)('0' + number)}};

	pages[number] = 0;
	ports[number] = ioctl(vm_fd, ELISA_IOC_PORT_ADD, &add);
	if (ports[number] < 0)
		die("PORT_ADD");
}

static void open_target(struct world *world)
{
	vm_fd = host_attach(&world->host, world->vm.fd, &attach);
	if (vm_fd < 0)
		die("VM_ATTACH");
	memcpy(small_table, table(world, 0, SMALL_TABLE), sizeof(small_table));
	stub_entry = table(world, 0, WINDOW_TABLE)[ELISA_OFFSET_CALL_STUB / ELISA_PAGE_SIZE];
	world->info = host_info(&world->host);
}

static uint32_t size_of(uint32_t number)
{
	return number && number < sizeof(hypercall_sizes) ? hypercall_sizes[number] : 24;
}

static enum outcome call(struct world *world, const struct operation *operation,
			 const char *function, const uint64_t arguments[3], int64_t *result)
{
	return vm_call_at(&world->vm, function,
			  operation->who & 1 ? GUEST_OTHER_ROOT : GUEST_TABLES,
			  operation->who & 2 ? 0 : 3, arguments, result);
}

/* What a call that was done means for the pins of its port. */
static void follow(uint32_t number, const void *argument)
{
	const struct elisa_hc_region *region = argument;
	uint32_t port = number == ELISA_HC_HELLO ? ((const struct elisa_hc_hello *)argument)->port
						 : region->port;

	if (port >= PORTS)
		return;
	if (number == ELISA_HC_REGISTER)
		pages[port] += region->length / ELISA_PAGE_SIZE;
	else if (number == ELISA_HC_UNREGISTER)
		pages[port] -= region->length / ELISA_PAGE_SIZE;
	else if (number == ELISA_HC_HELLO || number == ELISA_HC_BYE)
		pages[port] = 0;
}

static const char *hypercall(struct world *world, const struct operation *operation,
			     uint32_t number)
{
	/*
	 * The first three can be written to: the argument is put there. Behind the APIC's page KVM has
	 * memory where the CPU has APICv, behind the next one never.
	 */
	static const uint64_t addresses[] = {GUEST_ARGUMENT,
					     GUEST_ARGUMENT + ELISA_PAGE_SIZE - 4,
					     GUEST_SMALL_PAGES + ELISA_PAGE_SIZE - 4,
					     GUEST_SMALL_PAGES + ELISA_HUGE_PAGE_SIZE - 4,
					     GUEST_MEMORY,
					     GUEST_MEMORY - 8,
					     GUEST_APIC + ELISA_PAGE_SIZE,
					     GUEST_CALL_STUB,
					     ELISA_GVA(ELISA_OFFSET_SWITCH),
					     0x7ffffffff000,
					     0x800000000000,
					     0xffff888000000000,
					     ~7ull};
	static const uint64_t sizes[] = {0,   0,    1,          23,         25,   104,
					 184, 4096, 0xffffffff, 1ull << 32, ~0ull};
	uint32_t where = operation->where % (sizeof(addresses) / sizeof(addresses[0]));
	uint64_t arguments[3] = {ELISA_HYPERCALL(number), addresses[where], size_of(number)};
	uint8_t *argument =
		world->vm.memory + (where == 2 ? GUEST_SMALL_PHYSICAL + ELISA_PAGE_SIZE - 4
					       : addresses[where < 2 ? where : 0]);
	enum outcome outcome;
	int64_t result;

	operation_fill(operation, argument, size_of(number));
	if (operation->size)
		arguments[2] = sizes[operation->size % (sizeof(sizes) / sizeof(sizes[0]))];
	outcome = call(world, operation, guest_hypercall, arguments, &result);
	CHECK(outcome == OUTCOME_RETURNED, "hypercall %u: outcome %d, exit reason %u", number,
	      outcome, world->vm.run->exit_reason);
	CHECK(result <= 0 && result > -4096, "hypercall %u: %lld", number, (long long)result);
	CHECK(result || (where < 3 && arguments[2] == size_of(number)),
	      "hypercall %u at %#llx with %llu bytes", number, (unsigned long long)arguments[1],
	      (unsigned long long)arguments[2]);
	if (!result)
		follow(number, argument);
	return NULL;
}

/* It may be thrown out; the daemon then lets it in again. */
static const char *gate(struct world *world, const struct operation *operation)
{
	const uint64_t arguments[3] = {operation->body[0] & 1 ? IMAGE_UD2 : IMAGE_SUM, 1, 2};
	struct operation caller = *operation;
	enum outcome outcome;
	int64_t result;

	caller.who &= 1;
	outcome = call(world, &caller, guest_gate, arguments, &result);
	CHECK(outcome == OUTCOME_RETURNED || outcome == OUTCOME_FAULT,
	      "gate call: outcome %d, exit reason %u", outcome, world->vm.run->exit_reason);
	CHECK(outcome == OUTCOME_FAULT || result == 3 || result == -ENODEV, "gate call: %lld",
	      (long long)result);
	CHECK(host_reopen(&world->host, attach.first_vcpu) == 0, "reopen");
	return NULL;
}

static void change_entry(struct world *world, const struct operation *operation)
{
	uint32_t entry = operation_word(operation, 0, 2) % 512;
	uint64_t value = operation_word(operation, 8, 8);

	if (entry < KEPT_ENTRIES)
		table(world, operation->who & 1,
		      WINDOW_TABLE)[ELISA_OFFSET_CALL_STUB / ELISA_PAGE_SIZE] =
			value ? stub_entry : 0;
	else
		table(world, operation->who & 1, SMALL_TABLE)[entry] = value;
}

static const char *operate(struct world *world, const struct operation *operation)
{
	uint32_t kind = operation->kind % KINDS, number = operation->body[0] % PORTS;

	switch (kind) {
	case HYPERCALL_BY_NUMBER:
		return hypercall(world, operation, operation_word(operation, 0, 2));
	case GATE:
		return gate(world, operation);
	case PORT:
		if (ports[number] >= 0) {
			close(ports[number]);
			ports[number] = -1;
		} else {
			add_port(number, 1 + operation->body[1] % ELISA_MAX_QUEUES);
		}
		return NULL;
	case ENTRY:
		change_entry(world, operation);
		return NULL;
	default:
		return hypercall(world, operation, kind < GATE ? kind : ELISA_HC_REGISTER);
	}
}

/* Pages that are pinned are those that calls said are registered. */
static const char *check_ports(void)
{
	struct elisa_port_state state;
	uint32_t i;

	for (i = 0; i < PORTS; i++) {
		state = (struct elisa_port_state){.version = ELISA_UAPI_VERSION};
		if (ports[i] < 0)
			continue;
		CHECK(!ioctl(ports[i], ELISA_IOC_PORT_STATE, &state), "PORT_STATE");
		CHECK(state.pinned_pages == (state.claimed ? pages[i] : 0),
		      "port %u: %llu pages pinned, %llu registered, claimed %u", i,
		      (unsigned long long)state.pinned_pages, (unsigned long long)pages[i],
		      state.claimed);
	}
	return NULL;
}

/* With their bye, processes whose ports were deleted end. */
static const char *clear_away(struct world *world)
{
	static const struct operation byes[] = {{.kind = ELISA_HC_BYE},
						{.kind = ELISA_HC_BYE, .who = 1}};
	const char *reason;
	uint32_t i;

	for (i = 0; i < PORTS; i++) {
		if (ports[i] >= 0)
			close(ports[i]);
	}
	reason = hypercall(world, &byes[0], ELISA_HC_BYE);
	return reason ? reason : hypercall(world, &byes[1], ELISA_HC_BYE);
}

static const char *run(struct world *world, const struct input *input)
{
	const char *reason = NULL, *away;
	uint32_t i;

	for (i = 0; i < PORTS; i++)
		add_port(i, 1);
	for (i = 0; i < input->nb && !reason; i++)
		reason = operate(world, &input->operations[i]);
	if (!reason)
		reason = check_ports();
	for (i = 0; i < 2; i++) {
		memcpy(table(world, i, SMALL_TABLE), small_table, sizeof(small_table));
		table(world, i, WINDOW_TABLE)[ELISA_OFFSET_CALL_STUB / ELISA_PAGE_SIZE] =
			stub_entry;
	}
	away = clear_away(world);
	return reason ? reason : away;
}

const struct target fuzz_hypercalls = {"hypercalls", fuzz_hypercalls_corpus, open_target, run};
