// SPDX-License-Identifier: BSD-3-Clause
/*
 * row03.c - a gate call with a CR3 that was not admitted: another root, every page of the window that
 * could hold something, own page tables that point at the window.
 *
 * A guest cannot run with such a CR3 in its default context, but it can load it right before the
 * VMFUNC: the page with both instructions is global, so its translation outlives the load.
 */
#include <elf.h>
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "attacks.h"
#include "gate/trusted_table.h"
#include "vswitch/datapath/fdb.h"
#include "vswitch/datapath/switch.h"

#define CR4_PGE 0x80u
#define PTE_GLOBAL 0x100u
#define PTE_HUGE 0x87u
#define ALIAS_ENTRY 100 /* of the page directory: 2 MiB at ALIAS */
#define ALIAS ((uint64_t)ALIAS_ENTRY << 21)
#define PAGE 4096ull

#define MAX_PARTS 16
#define PAGES(bytes) (((bytes) + PAGE - 1) / PAGE)
#define TRUSTED_TABLES (ELISA_TRUSTED_PAGES + 2)

/* Some pages from an offset of the window on. */
struct part {
	uint64_t offset;
	uint64_t pages;
};

struct counts {
	uint64_t tried;
	uint64_t thrown_out; /* #GP at the call */
	uint64_t lost;       /* the VM cannot take a #GP with such a CR3 */
	uint64_t mmio;       /* a load in the default context: nothing is there */
};

/* mov %rdi, %cr3; vmfunc: the last six bytes before the gate's page. */
static void place_code(struct attacker *attacker)
{
	static const uint8_t code[] = {0x0f, 0x22, 0xdf, 0x0f, 0x01, 0xd4};
	uint64_t *table = (uint64_t *)(attacker->vm.memory + GUEST_TABLES + 0x6000);
	uint8_t *end = attacker->vm.memory + GUEST_STUB_PAGES + PAGE;

	for (size_t i = 0; i < sizeof(code); i++)
		end[i - sizeof(code)] = code[i];
	table[ELISA_OFFSET_CALL_STUB >> 12] |= PTE_GLOBAL;
}

static void place_stub(struct attacker *attacker)
{
	/* The stub's MOV of the 1 for ECX ended where MOV to CR3 began. */
	static const uint8_t code[] = {0x00, 0x00, 0x00, 0x0f, 0x01, 0xd4};
	uint8_t *end = attacker->vm.memory + GUEST_STUB_PAGES + PAGE;

	for (size_t i = 0; i < sizeof(code); i++)
		end[i - sizeof(code)] = code[i];
}

static void begin(struct attacker *attacker, uint64_t cr3)
{
	const uint64_t arguments[3] = {cr3, 0, 0};
	struct kvm_sregs sregs;
	struct kvm_regs regs;
	struct vm *vm = &attacker->vm;

	vm_begin(vm, ELISA_GVA(ELISA_OFFSET_GATE) - 6, GUEST_TABLES, 0, arguments);
	if (ioctl(vm->vcpu, KVM_GET_SREGS, &sregs) || ioctl(vm->vcpu, KVM_GET_REGS, &regs))
		die("KVM_GET_SREGS");
	sregs.cr4 |= CR4_PGE;
	regs.rax = 0;
	regs.rcx = 1;
	if (ioctl(vm->vcpu, KVM_SET_SREGS, &sregs) || ioctl(vm->vcpu, KVM_SET_REGS, &regs))
		die("KVM_SET_SREGS");
}

static const char *try_root(struct attacker *attacker, uint64_t cr3, struct counts *counts)
{
	const char *reason;
	enum outcome outcome;
	int64_t result;

	place_code(attacker);
	begin(attacker, cr3);
	outcome = vm_finish(&attacker->vm, &result);
	place_stub(attacker);
	attack_forget_events(&attacker->vm);
	counts->tried++;
	REQUIRE(outcome != OUTCOME_RETURNED, "a call with CR3 %#llx went through",
		(unsigned long long)cr3);
	if (attack_end(&attacker->vm, outcome) == ATTACK_THROWN_OUT)
		counts->thrown_out++;
	else
		counts->lost++;
	reason = attacker_rejoin(attacker);
	return reason;
}

static const char *try_other_root(struct attacker *attacker, struct counts *counts)
{
	const uint64_t arguments[3] = {0, 0, 0};
	enum outcome outcome;
	int64_t result;

	vm_begin(&attacker->vm, vm_code_address(guest_gate), GUEST_OTHER_ROOT, 3, arguments);
	outcome = vm_finish(&attacker->vm, &result);
	counts->tried++;
	REQUIRE(attack_end(&attacker->vm, outcome) == ATTACK_THROWN_OUT, "outcome %d", outcome);
	counts->thrown_out++;
	return attacker_rejoin(attacker);
}

/* Loads through own page tables that point at the window: nothing is there in the default context. */
static const char *try_alias(struct attacker *attacker, uint64_t gpa, struct counts *counts)
{
	const uint64_t arguments[3] = {ALIAS + (gpa & 0x1fffff), 0, 0};
	uint64_t *directory = (uint64_t *)(attacker->vm.memory + GUEST_TABLES + 0x2000);
	struct vm *vm = &attacker->vm;
	enum outcome outcome;
	int64_t result;

	directory[ALIAS_ENTRY] = (gpa & ~0x1fffffull) | PTE_HUGE;
	vm_begin(vm, vm_code_address(guest_load), GUEST_TABLES, 3, arguments);
	outcome = vm_finish(vm, &result);
	directory[ALIAS_ENTRY] = 0;
	counts->tried++;
	REQUIRE(outcome == OUTCOME_OTHER && vm->run->exit_reason == KVM_EXIT_MMIO &&
			vm->run->mmio.phys_addr == gpa,
		"a load of %#llx: outcome %d, exit reason %u", (unsigned long long)gpa, outcome,
		vm->run->exit_reason);
	counts->mmio++;
	return NULL;
}

/*
 * Whatever is mapped in any context of the attacker's vCPU, some pages of what is not, and the window's
 * last ones: the image's segments are found in its file, and the regions of attacker and victim are the first
 * 4 MiB of MEMORY.
 */
static size_t list_parts(struct part *parts)
{
	static const struct part fixed[] = {
		{0, 64}, /* the vCPU's own: stubs, gate, list, table, identity, stack and guards */
		{ELISA_OFFSET_TABLES, TRUSTED_TABLES},
		{ELISA_OFFSET_SWITCH, PAGES(sizeof(struct elisa_switch) +
					    ELISA_FDB_DEFAULT_CAPACITY * sizeof(uint64_t))},
		{ELISA_OFFSET_PORT_MAPS, PAGES(ELISA_MAX_PORTS * sizeof(struct elisa_port_map))},
		{ELISA_OFFSET_CAPTURE, 4},
		{ELISA_OFFSET_UPLINK_DEVICES, 4},
		{ELISA_OFFSET_UPLINK_MEMORY, 4},
		{ELISA_OFFSET_UPLINK_STATE, 1},
		{ELISA_OFFSET_MEMORY, PAGES(0x400000)},
		{ELISA_WINDOW_SIZE - 4 * PAGE, 4},
	};
	size_t count = sizeof(fixed) / sizeof(fixed[0]);
	const Elf64_Ehdr *header;
	struct program image;

	memcpy(parts, fixed, sizeof(fixed));
	program_read(&image, "elisa-image");
	header = (const void *)image.file;
	for (int i = 0; i < header->e_phnum; i++) {
		const Elf64_Phdr *segment = (const Elf64_Phdr *)(image.file + header->e_phoff) + i;

		if (segment->p_type != PT_LOAD)
			continue;
		if (count == MAX_PARTS) {
			errno = E2BIG;
			die("the image's segments");
		}
		parts[count++] =
			(struct part){segment->p_vaddr - ELISA_WINDOW_GVA, PAGES(segment->p_memsz)};
	}
	return count;
}

const char *attack_row03(struct attacker *attacker)
{
	uint64_t window = attack_window_gpa(), recoveries;
	struct part parts[MAX_PARTS];
	size_t nb_parts = list_parts(parts);
	struct counts counts = {0};
	const char *reason;

	attacker_begin(attacker);
	recoveries = attacker_recoveries(attacker);
	reason = try_other_root(attacker, &counts);
	/* A root that is in the guest's own memory, but that is not admitted, and one beyond it. */
	if (!reason)
		reason = try_root(attacker, GUEST_OTHER_ROOT, &counts);
	if (!reason)
		reason = try_root(attacker, 0x7ffffff000, &counts);
	for (size_t i = 0; i < nb_parts && !reason; i++) {
		for (uint64_t page = 0; page < parts[i].pages && !reason; page++) {
			uint64_t gpa = window + parts[i].offset + page * PAGE;

			reason = try_root(attacker, gpa, &counts);
			if (!reason)
				reason = try_alias(attacker, gpa, &counts);
		}
	}
	attack_tried(counts.tried);
	attack_saw("thrown_out", counts.thrown_out);
	attack_saw("lost", counts.lost);
	attack_saw("nothing_there", counts.mmio);
	if (reason)
		return reason;
	recoveries = attacker_recoveries(attacker) - recoveries;
	REQUIRE(recoveries == counts.thrown_out + counts.lost,
		"%llu recoveries: some calls did not get as far as the gate context",
		(unsigned long long)recoveries);
	return attacker_is_well(attacker);
}
