// SPDX-License-Identifier: BSD-3-Clause
/* gate_bytes.c - see gate_bytes.h. */
#include "gate_bytes.h"

#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gate/page_offsets.h"

#define PAGE ELISA_PAGE_SIZE
#define OWN_PAGE 0x620000 /* guest-physical: where the gate's is in the gate context */
#define OWN_EPT 0x640000  /* guest-physical: root, pointers, directory, then the tables */
#define EPT_RIGHTS 7ull   /* read, write, execute */
#define EPT_LEAF 0x37ull  /* with write-back memory */
#define EPTP_FORM 0x1eull /* write-back, four levels */
#define INT3 0xcc
#define VECTOR_GP 13
#define VMFUNC_LENGTH 3
#define GUEST_VMFUNC 4 /* of guest_vmfunc: before it are two MOVs */
#define LIST ELISA_GVA(ELISA_OFFSET_LIST)
#define TRUSTED_SLOT (LIST + 8 * ELISA_SLOT_TRUSTED)
#define FLAGS_ARITHMETIC 0x8d5u
#define NOWHERE (~0ull)

#define AIMS 5   /* a base alone, with 8 and 32 bits behind a second and a third byte */
#define VALUES 3 /* to be stored: an EPTP of one's own, the trusted one, bytes of one */
#define ANYHOW 5 /* sets without an aim, of each byte */

static uint64_t draw(struct gate_bytes *bytes)
{
	bytes->random ^= bytes->random << 13;
	bytes->random ^= bytes->random >> 7;
	bytes->random ^= bytes->random << 17;
	return bytes->random;
}

/* Where the page of guest memory is in the host. */
static uint64_t host_physical(int pagemap, const uint8_t *page)
{
	uint64_t entry;

	if (pread(pagemap, &entry, sizeof(entry), (uintptr_t)page / PAGE * sizeof(entry)) !=
		    sizeof(entry) ||
	    !(entry << 9))
		die("/proc/self/pagemap");
	return (entry << 9 >> 9) * PAGE;
}

/* All guest memory, where it always is, with all rights. */
static void make_own_ept(struct gate_bytes *bytes)
{
	uint8_t *memory = bytes->vm->memory;
	uint64_t *table = (uint64_t *)(memory + OWN_EPT);
	int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

	/* It stays where it is. */
	if (madvise(memory, GUEST_MEMORY, MADV_NOHUGEPAGE) || mlock(memory, GUEST_MEMORY) ||
	    pagemap < 0)
		die("the guest's memory");
	for (int level = 0; level < 2; level++)
		table[level * 512] =
			host_physical(pagemap, memory + OWN_EPT + (level + 1) * PAGE) | EPT_RIGHTS;
	for (uint64_t i = 0; i < GUEST_MEMORY / ELISA_HUGE_PAGE_SIZE; i++)
		table[2 * 512 + i] =
			host_physical(pagemap, memory + OWN_EPT + (3 + i) * PAGE) | EPT_RIGHTS;
	for (uint64_t i = 0; i < GUEST_MEMORY / PAGE; i++)
		table[3 * 512 + i] = host_physical(pagemap, memory + i * PAGE) | EPT_LEAF;
	bytes->eptps[0] = host_physical(pagemap, memory + OWN_EPT) | EPTP_FORM;
	close(pagemap);
}

void gate_bytes_begin(struct gate_bytes *bytes, struct vm *vm, const uint8_t *page)
{
	uint64_t *table = (uint64_t *)(vm->memory + GUEST_TABLES + 0x6000);

	*bytes = (struct gate_bytes){.vm = vm, .page = page, .random = 0x2545f4914f6cdd1d};
	memset(vm->memory + OWN_PAGE, INT3, PAGE);
	table[ELISA_OFFSET_GATE >> 12] = OWN_PAGE | 7;
	make_own_ept(bytes);
}

/* The guest's own for one that it was not told. */
static uint64_t eptp(const struct gate_bytes *bytes, unsigned int number)
{
	return bytes->eptps[number] ? bytes->eptps[number] : bytes->eptps[0];
}

/* Something that a gate could stumble over, or anything. */
static uint64_t hostile_value(struct gate_bytes *bytes)
{
	static const uint64_t values[] = {0,
					  1,
					  2,
					  ~0ull,
					  LIST,
					  TRUSTED_SLOT,
					  ELISA_GVA(ELISA_OFFSET_TABLE),
					  ELISA_GVA(ELISA_OFFSET_STACK) + 0x800,
					  ELISA_GVA(ELISA_OFFSET_GATE),
					  ELISA_GVA(ELISA_OFFSET_TEXT),
					  ELISA_GVA(ELISA_OFFSET_SWITCH),
					  0x4000};
	uint64_t choice = draw(bytes);

	switch (choice % 4) {
	case 0:
		return draw(bytes);
	case 1:
		return eptp(bytes, draw(bytes) % GATE_BYTES_EPTPS);
	default:
		return values[(choice >> 8) % (sizeof(values) / sizeof(values[0]))];
	}
}

/* By their number in an instruction. */
static __u64 *register_of(struct kvm_regs *regs, unsigned int number)
{
	__u64 *const low[] = {&regs->rax, &regs->rcx, &regs->rdx, &regs->rbx,
			      &regs->rsp, &regs->rbp, &regs->rsi, &regs->rdi};

	return number < 8 ? low[number] : &regs->r8 + (number - 8);
}

/*
 * As if the bytes from `offset` on were an instruction that stores: its base is made to lead to the
 * trusted slot, the register that it stores has what should get there.
 */
static void aim(struct gate_bytes *bytes, struct kvm_regs *regs, unsigned int offset,
		unsigned int set)
{
	const uint64_t values[VALUES] = {eptp(bytes, 0), eptp(bytes, 1), 0x1e1e1e1e1e1e1e1e};
	unsigned int at = offset + 1 + (set % AIMS) / 3; /* of the ModRM byte */
	uint64_t value = values[set / AIMS], target = TRUSTED_SLOT;
	uint8_t modrm = bytes->page[at];
	int32_t displacement = 0;

	if (set % AIMS == 1 || set % AIMS == 3)
		displacement = (int8_t)bytes->page[at + 1];
	else if (set % AIMS)
		memcpy(&displacement, bytes->page + at + 1, sizeof(displacement));
	/* AH to DH are registers 4 to 7 of an instruction for bytes. */
	for (unsigned int i = 0; i < 16; i += 4)
		*register_of(regs, (modrm >> 3 & 3) + i) = value;
	for (unsigned int i = 0; i < 16; i += 8)
		*register_of(regs, (modrm & 7) + i) = target - displacement;
}

bool gate_bytes_is_code(const struct gate_bytes *bytes, unsigned int offset)
{
	return bytes->page[offset] != INT3 && offset + 8 < PAGE;
}

unsigned int gate_bytes_sets(const struct gate_bytes *bytes, unsigned int offset)
{
	return gate_bytes_is_code(bytes, offset) ? AIMS * VALUES + ANYHOW : 2;
}

static void set_registers(struct gate_bytes *bytes, unsigned int offset, unsigned int set)
{
	struct kvm_regs regs = {.rip = ELISA_GVA(ELISA_OFFSET_GATE) + offset - VMFUNC_LENGTH};

	for (unsigned int i = 0; i < 16; i++)
		*register_of(&regs, i) = hostile_value(bytes);
	if (gate_bytes_is_code(bytes, offset) && set < AIMS * VALUES)
		aim(bytes, &regs, offset, set);
	regs.rflags = 2 | (draw(bytes) & FLAGS_ARITHMETIC);
	/* These 32 bits of each make the VMFUNC what it is. */
	regs.rax &= ~0xffffffffull;
	regs.rcx = (regs.rcx & ~0xffffffffull) | ELISA_SLOT_GATE;
	if (ioctl(bytes->vm->vcpu, KVM_SET_REGS, &regs))
		die("KVM_SET_REGS");
}

/* The last of the bytes before the gate's page are the call stub's: its own VMFUNC ends there. */
static void place_vmfunc(struct gate_bytes *bytes, unsigned int offset, bool there)
{
	static const uint8_t vmfunc[VMFUNC_LENGTH] = {0x0f, 0x01, 0xd4};
	uint8_t *stub = bytes->vm->memory + GUEST_STUB_PAGES + PAGE - VMFUNC_LENGTH;

	for (unsigned int i = 0; i < VMFUNC_LENGTH; i++) {
		if (offset + i < VMFUNC_LENGTH)
			stub[offset + i] = there ? vmfunc[i] : vmfunc[offset + i];
		else
			bytes->vm->memory[OWN_PAGE + offset + i - VMFUNC_LENGTH] =
				there ? vmfunc[i] : INT3;
	}
}

static enum gate_end end_of(struct gate_bytes *bytes, enum outcome outcome, uint64_t vmfunc)
{
	uint64_t rip = vm_mailbox(bytes->vm, GUEST_FAULT_RIP);
	bool gp = vm_mailbox(bytes->vm, GUEST_FAULT_VECTOR) == VECTOR_GP;

	if (outcome == OUTCOME_RETURNED)
		return GATE_BACK;
	if (outcome != OUTCOME_FAULT)
		return GATE_LOST;
	if (gp && rip == vmfunc)
		return GATE_REFUSED;
	if (gp && rip == ELISA_GVA(ELISA_OFFSET_GATE) - VMFUNC_LENGTH)
		return GATE_THROWN_OUT;
	if (rip - ELISA_WINDOW_GVA < ELISA_WINDOW_SIZE && rip - LIST >= PAGE)
		return GATE_ESCAPED;
	return GATE_BACK;
}

enum gate_end gate_bytes_into_gate(struct gate_bytes *bytes, unsigned int offset, unsigned int set)
{
	const uint64_t none[3] = {0, 0, 0};
	enum outcome outcome;
	int64_t result;

	vm_begin(bytes->vm, 0, GUEST_TABLES, 3, none);
	place_vmfunc(bytes, offset, true);
	set_registers(bytes, offset, set);
	outcome = vm_finish(bytes->vm, &result);
	place_vmfunc(bytes, offset, false);
	/* The gate is open: this VMFUNC is refused nowhere. */
	return end_of(bytes, outcome, NOWHERE);
}

enum gate_end gate_bytes_into_entry(struct gate_bytes *bytes, unsigned int offset)
{
	uint64_t vmfunc = ELISA_GVA(ELISA_OFFSET_GATE) + offset - VMFUNC_LENGTH;
	const uint64_t none[3] = {0, 0, 0};
	struct kvm_regs regs;
	enum outcome outcome;
	int64_t result;

	vm_begin(bytes->vm, vmfunc, GUEST_TABLES, 3, none);
	if (ioctl(bytes->vm->vcpu, KVM_GET_REGS, &regs))
		die("KVM_GET_REGS");
	regs.rcx = ELISA_SLOT_TRUSTED;
	if (ioctl(bytes->vm->vcpu, KVM_SET_REGS, &regs))
		die("KVM_SET_REGS");
	place_vmfunc(bytes, offset, true);
	outcome = vm_finish(bytes->vm, &result);
	place_vmfunc(bytes, offset, false);
	return end_of(bytes, outcome, vmfunc);
}

bool gate_bytes_slot_is_empty(struct gate_bytes *bytes, uint64_t slot)
{
	int64_t result;
	enum outcome outcome = vm_call(bytes->vm, guest_vmfunc, 0, slot, 0, &result);

	return end_of(bytes, outcome, vm_code_address(guest_vmfunc) + GUEST_VMFUNC) == GATE_REFUSED;
}
