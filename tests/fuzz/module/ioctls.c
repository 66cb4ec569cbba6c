// SPDX-License-Identifier: BSD-3-Clause
/*
 * ioctls.c - inputs as what a daemon does: calls of /dev/elisa, on right and wrong descriptors, which are
 * closed in any order; and what the guest process of its VM does meanwhile.
 *
 * kind % 19: below 14 that call of `calls`, with the structure in the body; 14 opens /dev/elisa, 15 closes,
 * 16 reads an event, 17 the call whose number is in the body; 18 the guest claims its port, registers memory,
 * starts. who: the descriptor. size: where one that is made is kept. where: 0 the
 * structure is where it should be, else a wrong address.
 * In structures, descriptors are numbers of ours, and addresses are offsets in `area`.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <elisa/ring.h>

#include "fuzz.h"

#define SLOTS 8u
#define AREA \
	0x80000u /* bytes; the second half cannot be written; behind it, that much is nothing */
#define STRUCTURE ELISA_PAGE_SIZE
#define USER_END (1ull << 47)
#define OUR_VM 8 /* as descriptors, behind the slots */
#define BYSTANDERS_VM 9

enum { REVOKE = 13, OPEN, CLOSE, READ, BY_NUMBER, GUEST, KINDS };

static const unsigned long calls[] = {
	ELISA_IOC_INFO,
	ELISA_IOC_DOMAIN_CREATE,
	ELISA_IOC_DOMAIN_ADOPT,
	ELISA_IOC_DOMAIN_MAP,
	ELISA_IOC_DOMAIN_UNMAP,
	ELISA_IOC_DOMAIN_CMPXCHG64,
	ELISA_IOC_DOMAIN_PROVE,
	ELISA_IOC_DOMAIN_VCPU_REOPEN,
	ELISA_IOC_DOMAIN_VCPU_EVICT,
	ELISA_IOC_VM_ATTACH,
	ELISA_IOC_PORT_ADD,
	ELISA_IOC_VM_VCPU_STATS,
	ELISA_IOC_PORT_STATE,
	ELISA_IOC_REVOKE,
};

static int slots[SLOTS]; /* -1: free */
static uint8_t *area;
/* For TEXT, by the offset there: a daemon that maps its code twice is not refused, but PROVE says so. */
static uint8_t *code;
static uint8_t *structures,
	*read_only; /* of any call; the same page, and where it cannot be written */

static void *make_area(uint64_t length)
{
	void *made = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (made == MAP_FAILED)
		die("mmap");
	return made;
}

static void open_target(struct world *world)
{
	uint32_t i;

	(void)world;
	for (i = 0; i < SLOTS; i++)
		slots[i] = -1;
	code = make_area(ELISA_TEXT_MAX);
	area = make_area(2 * AREA);
	mprotect(area + AREA / 2, AREA / 2, PROT_READ);
	mprotect(area + AREA, AREA, PROT_NONE);
	structures = make_area(STRUCTURE);
	read_only = mremap(structures, 0, STRUCTURE, MREMAP_MAYMOVE);
	if (read_only == MAP_FAILED || mprotect(read_only, STRUCTURE, PROT_READ))
		die("mremap");
}

static void keep(uint32_t slot, int fd)
{
	if (slots[slot] >= 0)
		close(slots[slot]);
	slots[slot] = fd;
}

static int descriptor(const struct world *world, uint32_t number)
{
	if (number == OUR_VM || number == BYSTANDERS_VM)
		return number == OUR_VM ? world->vm.fd : world->bystander.fd;
	return number < SLOTS ? slots[number] : (int)number;
}

static void translate(const struct world *world, unsigned long number, uint8_t *structure)
{
	struct elisa_domain_adopt *adopt = (void *)structure;
	struct elisa_vm_attach *attach = (void *)structure;
	struct elisa_domain_map *map = (void *)structure;

	if (number == ELISA_IOC_DOMAIN_ADOPT)
		adopt->domain_fd = descriptor(world, adopt->domain_fd);
	else if (number == ELISA_IOC_VM_ATTACH)
		attach->kvm_fd = descriptor(world, attach->kvm_fd);
	else if (number == ELISA_IOC_DOMAIN_MAP && map->access == ELISA_MAP_EXECUTE)
		map->address = (uintptr_t)code + (map->offset - ELISA_OFFSET_TEXT);
	else if (number == ELISA_IOC_DOMAIN_MAP && map->address < USER_END)
		map->address = (uintptr_t)area + map->address % (2 * AREA);
}

static void *wrong_address(uint32_t where)
{
	const uintptr_t wrong[] = {0,
				   (uintptr_t)read_only,
				   (uintptr_t)read_only,
				   (uintptr_t)area + AREA - 8,
				   0x7fffffffeff8,
				   0xffff888000000000,
				   ~7ull};

	return (void *)wrong[where % (sizeof(wrong) / sizeof(wrong[0]))];
}

static const char *call(struct world *world, const struct operation *operation,
			unsigned long number)
{
	uint8_t *structure = structures;
	int fd = slots[operation->who % SLOTS], result;
	bool bystanders;

	operation_fill(operation, structure, STRUCTURE);
	bystanders = number == ELISA_IOC_VM_ATTACH &&
		     operation_word(operation, offsetof(struct elisa_vm_attach, kvm_fd), 4) ==
			     BYSTANDERS_VM;
	translate(world, number, structure);
	result = ioctl(fd, number, operation->where ? wrong_address(operation->where) : structure);
	CHECK(result >= 0 || (errno > 0 && errno < 134), "ioctl %#lx: %d, errno %d", number, result,
	      errno);
	CHECK(result >= 0 || errno != EUCLEAN, "an invariant does not hold");
	CHECK(result < 0 || !bystanders, "the bystander's VM was attached again");
	if (result > 0)
		keep(operation->size % SLOTS, result);
	return NULL;
}

static void read_event(int fd)
{
	struct pollfd poll_domain = {.fd = fd, .events = POLLIN};
	struct elisa_event event;

	if (poll(&poll_domain, 1, 0) == 1 && (poll_domain.revents & POLLIN) &&
	    read(fd, &event, sizeof(event)) < 0)
		return;
}

/* If it has a port: whatever is refused then is. */
static void start_guest(struct vm *vm)
{
	struct elisa_hc_hello hello = {.abi = ELISA_GUEST_ABI};
	struct elisa_hc_region region = {
		.flags = ELISA_REGION_WRITE, .gva = GUEST_SMALL_PAGES, .length = ELISA_PAGE_SIZE};
	struct elisa_hc_queue queue = {.tx_window = GUEST_SMALL_PAGES,
				       .rx_ring = GUEST_SMALL_PAGES,
				       .tx_size = ELISA_MIN_RING,
				       .rx_size = ELISA_MIN_RING};
	struct elisa_hc_port set = {.flags = ELISA_PORT_STARTED, .mtu = ELISA_MIN_MTU};

	if (vm_hypercall(vm, ELISA_HC_HELLO, &hello, sizeof(hello)))
		return;
	region.port = queue.port = set.port = hello.port;
	vm_hypercall(vm, ELISA_HC_REGISTER, &region, sizeof(region));
	vm_hypercall(vm, ELISA_HC_QUEUE_SETUP, &queue, sizeof(queue));
	vm_hypercall(vm, ELISA_HC_PORT_SET, &set, sizeof(set));
}

static const char *operate(struct world *world, const struct operation *operation)
{
	uint32_t kind = operation->kind % KINDS, slot = operation->who % SLOTS;

	switch (kind) {
	case OPEN:
		keep(slot, open("/dev/elisa", O_RDWR | O_CLOEXEC));
		return NULL;
	case CLOSE:
		keep(slot, -1);
		return NULL;
	case READ:
		read_event(slots[slot]);
		return NULL;
	case BY_NUMBER:
		return call(world, operation, operation_word(operation, 0, 4));
	case GUEST:
		start_guest(&world->vm);
		return NULL;
	default:
		return call(world, operation, calls[kind]);
	}
}

static const char *run(struct world *world, const struct input *input)
{
	const char *reason = NULL;
	uint32_t i;

	for (i = 0; i < input->nb && !reason; i++)
		reason = operate(world, &input->operations[i]);
	for (i = 0; i < SLOTS; i++)
		keep(i, -1);
	return reason;
}

const struct target fuzz_ioctls = {"ioctls", fuzz_ioctls_corpus, open_target, run};
