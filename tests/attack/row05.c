// SPDX-License-Identifier: BSD-3-Clause
/*
 * row05.c - exceptions inside: descriptor tables that point at the window keep the gate closed; with
 * honest ones, whatever the guest provokes inside throws it out, and runs nothing there.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "attacks.h"
#include "step.h"

#define EFLAGS_TF 0x100u
#define EFLAGS_AC 0x40000u
#define CR0_AM 0x40000u
#define CR0_TS 8u
#define CR4_OSFXSR 0x200u
#define CR4_SMAP 0x200000u
#define OWN_PAGES (GUEST_TABLES + 0x2000) /* the guest's page directory: guest.h */
#define PTE_USER 4ull
#define SELECTOR_LDT 0x38 /* behind what the bare guest's GDT has; each has 16 bytes */
#define SELECTOR_TSS 0x48
#define OWN_GDT (GUEST_ARGUMENT + 0x100)
#define OWN_GDT_LIMIT 0x57
#define OWN_LDT (GUEST_ARGUMENT + 0x200)
#define MAX_STEPS 20000

enum table {
	TABLE_IDT,
	TABLE_GDT,
	TABLE_LDT,
	TABLE_TSS,
	TABLES,
};

static const struct {
	uint64_t base;
	uint32_t limit;
} places[] = {
	{ELISA_GVA(ELISA_OFFSET_GATE), 0xfff},
	{ELISA_GVA(ELISA_OFFSET_STACK), 0xfff},
	{ELISA_GVA(ELISA_OFFSET_SWITCH), 0xfff},
	{ELISA_GVA(ELISA_OFFSET_MEMORY), 0xfff}, /* registered memory, its own or another's */
	{ELISA_GVA(ELISA_WINDOW_SIZE) - 1, 0xfff},
	{ELISA_WINDOW_GVA - 0x100, 0xfff}, /* begins before, reaches in */
	{ELISA_WINDOW_GVA - 0xfff, 0xfff}, /* with its last byte */
};

static const uint64_t nop[3] = {ELISA_CALL_NOP, 0, 0};

static void point(struct vm *vm, enum table table, uint64_t base, uint32_t limit)
{
	struct kvm_sregs sregs;

	if (ioctl(vm->vcpu, KVM_GET_SREGS, &sregs))
		die("KVM_GET_SREGS");
	switch (table) {
	case TABLE_IDT:
		sregs.idt = (struct kvm_dtable){.base = base, .limit = limit};
		break;
	case TABLE_GDT:
		sregs.gdt = (struct kvm_dtable){.base = base, .limit = limit};
		break;
	case TABLE_LDT:
		sregs.ldt = (struct kvm_segment){
			.base = base, .limit = limit, .type = 2, .present = 1, .selector = 0x40};
		break;
	default:
		sregs.tr.base = base;
		sregs.tr.limit = limit;
		break;
	}
	if (ioctl(vm->vcpu, KVM_SET_SREGS, &sregs))
		die("KVM_SET_SREGS");
}

/* Closed: the documented call's answer is -ENODEV, through the return stub. */
static const char *try_table(struct attacker *attacker, enum table table, size_t place)
{
	struct vm *vm = &attacker->vm;
	enum outcome outcome;
	int64_t result;

	vm_begin(vm, vm_code_address(guest_gate), GUEST_TABLES, 3, nop);
	point(vm, table, places[place].base, places[place].limit);
	outcome = vm_finish(vm, &result);
	/* Without its TSS the guest cannot tell that it returned: its OUT needs the I/O map. */
	REQUIRE((outcome == OUTCOME_RETURNED || table == TABLE_TSS) && result == -ENODEV,
		"table %d at %#llx: outcome %d, result %lld", table,
		(unsigned long long)places[place].base, outcome, (long long)result);
	attack_forget_events(vm);
	/* vm_begin() sets all but the LDT. */
	point(vm, TABLE_LDT, 0, 0);
	return NULL;
}

static const char *try_tables(struct attacker *attacker, uint64_t *closed)
{
	const char *reason = NULL;

	for (enum table table = 0; table < TABLES; table++) {
		for (size_t i = 0; i < sizeof(places) / sizeof(places[0]) && !reason; i++) {
			reason = try_table(attacker, table, i);
			++*closed;
		}
	}
	return reason;
}

/* Of the attacker's own GDT: the bare guest's, with an LDT and another TSS behind. */
static void fill_gdt(struct vm *vm, uint64_t base, uint32_t limit)
{
	uint64_t *gdt = (uint64_t *)(vm->memory + OWN_GDT);

	memcpy(gdt, vm->memory + GUEST_GDT, SELECTOR_LDT);
	for (unsigned int selector = SELECTOR_LDT; selector <= SELECTOR_TSS; selector += 16) {
		uint64_t type = selector == SELECTOR_LDT ? 0x82 : 0x89; /* a TSS that is not busy */

		gdt[selector / 8] = (limit & 0xffff) | (base & 0xffffff) << 16 | type << 40 |
				    (uint64_t)(limit & 0xf0000) << 32 | (base >> 24 & 0xff) << 56;
		gdt[selector / 8 + 1] = base >> 32;
	}
}

/* LIDT, LGDT, LLDT or LTR by the guest, in ring 0, right before its call. */
static enum outcome load_table(struct vm *vm, enum table table, uint64_t base, uint32_t limit,
			       int64_t *result)
{
	static const char *const functions[TABLES] = {
		[TABLE_IDT] = guest_lidt_gate,
		[TABLE_GDT] = guest_lgdt_gate,
		[TABLE_LDT] = guest_lldt_gate,
		[TABLE_TSS] = guest_ltr_gate,
	};
	const uint64_t operands[TABLES] = {GUEST_ARGUMENT, GUEST_ARGUMENT, SELECTOR_LDT,
					   SELECTOR_TSS};
	const uint64_t arguments[3] = {operands[table], 0, 0};

	*(uint16_t *)(vm->memory + GUEST_ARGUMENT) = (uint16_t)limit;
	*(uint64_t *)(vm->memory + GUEST_ARGUMENT + 2) = base;
	fill_gdt(vm, base, limit);
	vm_begin(vm, vm_code_address(functions[table]), GUEST_TABLES, 0, arguments);
	point(vm, TABLE_GDT, OWN_GDT, OWN_GDT_LIMIT);
	return vm_finish(vm, result);
}

/* The instruction exits, and the gate closes. From ring 0 that is no documented call: #GP at the VMFUNC. */
static const char *load_refused(struct attacker *attacker, enum table table, size_t place)
{
	/* Without IDT or GDT the #GP finds no handler. */
	enum attack_end end = table < TABLE_LDT ? ATTACK_LOST : ATTACK_THROWN_OUT;
	struct vm *vm = &attacker->vm;
	int64_t result;
	enum outcome outcome =
		load_table(vm, table, places[place].base, places[place].limit, &result);

	REQUIRE(attack_end(vm, outcome) == end,
		"table %d at %#llx loaded: outcome %d, result %lld, vector %llu at %#llx", table,
		(unsigned long long)places[place].base, outcome, (long long)result,
		(unsigned long long)vm_mailbox(vm, GUEST_FAULT_VECTOR),
		(unsigned long long)vm_mailbox(vm, GUEST_FAULT_RIP));
	attack_forget_events(vm);
	point(vm, TABLE_LDT, 0, 0);
	return NULL;
}

struct table_register {
	uint64_t base;
	uint32_t limit;
	uint16_t selector;
};

static struct table_register table_register(struct vm *vm, enum table table)
{
	struct kvm_sregs sregs;

	if (ioctl(vm->vcpu, KVM_GET_SREGS, &sregs))
		die("KVM_GET_SREGS");
	switch (table) {
	case TABLE_IDT:
		return (struct table_register){sregs.idt.base, sregs.idt.limit, 0};
	case TABLE_GDT:
		return (struct table_register){sregs.gdt.base, sregs.gdt.limit, 0};
	case TABLE_LDT:
		return (struct table_register){sregs.ldt.base, sregs.ldt.limit, sregs.ldt.selector};
	default:
		return (struct table_register){sregs.tr.base, sregs.tr.limit, sregs.tr.selector};
	}
}

/* What the guest's SGDT, SIDT, SLDT and STR stored after the call. */
static bool stored_is(struct vm *vm, enum table table, const struct table_register *expected)
{
	const uint8_t *dump = vm->memory + GUEST_DUMP;

	switch (table) {
	case TABLE_IDT:
		return *(uint16_t *)(dump + 0x10) == expected->limit &&
		       *(uint64_t *)(dump + 0x12) == expected->base;
	case TABLE_GDT:
		return *(uint16_t *)dump == expected->limit &&
		       *(uint64_t *)(dump + 2) == expected->base;
	case TABLE_LDT:
		return *(uint16_t *)(dump + 0x20) == SELECTOR_LDT;
	default:
		return *(uint16_t *)(dump + 0x28) == SELECTOR_TSS;
	}
}

/* Outside the window it is nothing to the call, and the register is what the guest loaded. */
static const char *load_works(struct attacker *attacker, enum table table, uint64_t base,
			      uint32_t limit)
{
	struct vm *vm = &attacker->vm;
	struct table_register seen;
	enum outcome outcome;
	int64_t result;

	memset(vm->memory + GUEST_DUMP, 0, 0x30);
	outcome = load_table(vm, table, base, limit, &result);
	REQUIRE(outcome == OUTCOME_RETURNED && !result,
		"table %d at %#llx loaded: outcome %d, result %lld", table,
		(unsigned long long)base, outcome, (long long)result);
	seen = table_register(vm, table);
	REQUIRE(seen.base == base && seen.limit == limit && stored_is(vm, table, &seen),
		"table %d is at %#llx, limit %#x, not %#llx, %#x", table,
		(unsigned long long)seen.base, seen.limit, (unsigned long long)base, limit);
	REQUIRE(table < TABLE_LDT ||
			seen.selector == (table == TABLE_LDT ? SELECTOR_LDT : SELECTOR_TSS),
		"table %d has selector %#x", table, seen.selector);
	point(vm, TABLE_LDT, 0, 0);
	return NULL;
}

static const char *load_tables(struct attacker *attacker, uint64_t *closed, uint64_t *open)
{
	const uint64_t own[TABLES] = {GUEST_IDT, OWN_GDT, OWN_LDT, GUEST_TSS};
	const uint32_t limits[TABLES] = {0xfff, OWN_GDT_LIMIT, 0xf, 0x87};
	/* Right before and right behind the window. */
	const uint64_t beside[] = {ELISA_WINDOW_GVA - 0x1000, ELISA_GVA(ELISA_WINDOW_SIZE)};
	const uint64_t recoveries = attacker_recoveries(attacker);
	const char *reason = NULL;

	for (enum table table = 0; table < TABLES && !reason; table++) {
		for (size_t i = 0; i < sizeof(places) / sizeof(places[0]) && !reason; i++) {
			reason = load_refused(attacker, table, i);
			++*closed;
		}
		if (!reason)
			reason = load_works(attacker, table, own[table], limits[table]);
		for (size_t i = 0; i < 2 && !reason; i++)
			reason = load_works(attacker, table, beside[i], 0xfff);
		*open += 3;
	}
	if (reason)
		return reason;
	REQUIRE(attacker_recoveries(attacker) == recoveries, "it had been inside");
	return attacker_is_well(attacker);
}

struct provocation {
	const char *name;
	uint64_t rflags;
	uint64_t cr0, cr4;   /* bits that change */
	uint64_t breakpoint; /* DR0: execution of it */
	uint64_t watched;    /* DR1: access to it */
	bool kernel;         /* from ring 0 */
};

static const struct provocation provocations[] = {
	{.name = "TF", .rflags = EFLAGS_TF},
	{.name = "DR0-gate", .breakpoint = ELISA_GVA(ELISA_OFFSET_GATE)},
	{.name = "DR0-text", .breakpoint = ELISA_GVA(ELISA_OFFSET_TEXT)},
	{.name = "DR1-list", .watched = ELISA_GVA(ELISA_OFFSET_LIST) + 16},
	{.name = "DR1-identity", .watched = ELISA_GVA(ELISA_OFFSET_IDENTITY)},
	{.name = "DR1-switch", .watched = ELISA_GVA(ELISA_OFFSET_SWITCH)},
	{.name = "NM", .cr0 = CR0_TS},
	{.name = "UD", .cr4 = CR4_OSFXSR},
};

/* Alignment checks of the guest's are off inside. */
static const struct provocation alignment = {.name = "AC", .rflags = EFLAGS_AC, .cr0 = CR0_AM};

/* Inside, the window's pages are the user's: it depends on who calls whether SMAP holds there. */
static const struct provocation smap = {.name = "SMAP", .cr4 = CR4_SMAP, .kernel = true};
static const struct provocation smap_of_user = {.name = "SMAP, ring 3", .cr4 = CR4_SMAP};

static void provoke(struct vm *vm, const struct provocation *p)
{
	struct kvm_debugregs debug = {.dr6 = 0xffff0ff0, .dr7 = 0x400};
	struct kvm_sregs sregs;
	struct kvm_regs regs;

	if (ioctl(vm->vcpu, KVM_GET_SREGS, &sregs) || ioctl(vm->vcpu, KVM_GET_REGS, &regs))
		die("KVM_GET_SREGS");
	sregs.cr0 ^= p->cr0;
	sregs.cr4 ^= p->cr4;
	regs.rflags |= p->rflags;
	if (p->breakpoint) {
		debug.db[0] = p->breakpoint;
		debug.dr7 |= 2;
	}
	if (p->watched) {
		debug.db[1] = p->watched;
		debug.dr7 |= 8 | 0xf00000; /* reads and writes of 4 bytes */
	}
	if (ioctl(vm->vcpu, KVM_SET_SREGS, &sregs) || ioctl(vm->vcpu, KVM_SET_REGS, &regs) ||
	    ioctl(vm->vcpu, KVM_SET_DEBUGREGS, &debug))
		die("KVM_SET_DEBUGREGS");
}

/* The guest's own pages are the supervisor's or the user's. */
static void own_pages(struct vm *vm, bool kernel)
{
	uint64_t *entries = (uint64_t *)(vm->memory + OWN_PAGES);

	for (size_t i = 0; i < GUEST_MEMORY >> 21; i++)
		entries[i] = (entries[i] & ~PTE_USER) | (kernel ? 0 : PTE_USER);
}

/* One packet to itself is sent under the provocation. */
static enum outcome send_under(struct attacker *attacker, const struct provocation *p,
			       int64_t *result)
{
	const struct provocation none = {0};
	struct vm *vm = &attacker->vm;
	enum outcome outcome;
	uint64_t arguments[3];

	step_prepare_send(attacker, arguments);
	own_pages(vm, p->kernel);
	vm_begin(vm, ELISA_GVA(ELISA_OFFSET_GATE) - 10, GUEST_TABLES, p->kernel ? 0 : 3, arguments);
	provoke(vm, p);
	/* TF would stop it at once outside: from the VMFUNC on. */
	if (p->rflags & EFLAGS_TF) {
		struct kvm_regs regs;

		ioctl(vm->vcpu, KVM_GET_REGS, &regs);
		regs.rip = ELISA_GVA(ELISA_OFFSET_GATE) - 3;
		regs.rax = 0;
		regs.rcx = 1;
		ioctl(vm->vcpu, KVM_SET_REGS, &regs);
	}
	outcome = vm_finish(vm, result);
	provoke(vm, &none);
	own_pages(vm, false);
	return outcome;
}

static const char *try_provocation(struct attacker *attacker, const struct provocation *p)
{
	struct vm *vm = &attacker->vm;
	int64_t result;
	enum outcome outcome = send_under(attacker, p, &result);

	attack_forget_events(vm);
	REQUIRE(attack_end(vm, outcome) == ATTACK_THROWN_OUT,
		"%s: outcome %d, vector %llu at %#llx, result %lld", p->name, outcome,
		(unsigned long long)vm_mailbox(vm, GUEST_FAULT_VECTOR),
		(unsigned long long)vm_mailbox(vm, GUEST_FAULT_RIP), (long long)result);
	return attacker_is_well(attacker);
}

/* What does not hold inside is nothing to the call. */
static const char *try_harmless(struct attacker *attacker, const struct provocation *p)
{
	int64_t result;
	enum outcome outcome = send_under(attacker, p, &result);

	/* Under SMAP the guest cannot tell that it returned: its OUT needs the TSS, in a page of the user. */
	REQUIRE((outcome == OUTCOME_RETURNED || p->cr4 & CR4_SMAP) && result == 1,
		"%s: outcome %d, result %lld", p->name, outcome, (long long)result);
	attack_forget_events(&attacker->vm);
	return NULL;
}

/* An NMI that comes at any instruction is taken after the return. */
static const char *try_nmis(struct attacker *attacker, uint64_t *held)
{
	struct vm *vm = &attacker->vm;
	enum outcome outcome;
	uint64_t arguments[3];
	int64_t result;

	step_prepare_send(attacker, arguments);
	for (unsigned int steps = 1; steps < MAX_STEPS; steps += steps < 150 ? 1 : 17) {
		uint64_t before = vm_mailbox(vm, GUEST_NMIS);
		bool inside;

		if (!step_into_call(vm, arguments, steps))
			return NULL;
		inside = step_is_inside(vm);
		if (ioctl(vm->vcpu, KVM_NMI))
			die("KVM_NMI");
		outcome = vm_finish(vm, &result);
		REQUIRE(outcome == OUTCOME_RETURNED && result == 1,
			"an NMI after %u instructions: outcome %d, result %lld", steps, outcome,
			(long long)result);
		REQUIRE(vm_mailbox(vm, GUEST_NMIS) == before + 1, "NMI after %u instructions",
			steps);
		REQUIRE(!inside || vm_mailbox(vm, GUEST_INTERRUPTED_RIP) ==
					   ELISA_GVA(ELISA_OFFSET_LIST),
			"NMI after %u instructions taken at %#llx", steps,
			(unsigned long long)vm_mailbox(vm, GUEST_INTERRUPTED_RIP));
		++*held;
	}
	return "the call never ended";
}

/* Does this CPU, and its KVM, have these bits of CR4? */
static bool has(struct attacker *attacker, uint64_t cr4)
{
	struct vm *vm = &attacker->vm;
	struct kvm_sregs sregs;
	bool taken;

	if (ioctl(vm->vcpu, KVM_GET_SREGS, &sregs))
		die("KVM_GET_SREGS");
	sregs.cr4 |= cr4;
	taken = !ioctl(vm->vcpu, KVM_SET_SREGS, &sregs);
	sregs.cr4 &= ~cr4;
	if (ioctl(vm->vcpu, KVM_SET_SREGS, &sregs))
		die("KVM_SET_SREGS");
	return taken;
}

static const char *try_smap(struct attacker *attacker, uint64_t *thrown_out)
{
	const char *reason;

	if (!has(attacker, CR4_SMAP)) {
		attack_skipped("smap", "this CPU has no SMAP");
		return NULL;
	}
	reason = try_harmless(attacker, &smap_of_user);
	if (reason)
		return reason;
	++*thrown_out;
	return try_provocation(attacker, &smap);
}

const char *attack_row05(struct attacker *attacker)
{
	uint64_t closed = 0, open = 0, thrown_out = 0, held = 0;
	const char *reason;

	attacker_begin(attacker);
	reason = try_tables(attacker, &closed);
	if (!reason)
		reason = load_tables(attacker, &closed, &open);
	for (size_t i = 0; i < sizeof(provocations) / sizeof(provocations[0]) && !reason; i++) {
		reason = try_provocation(attacker, &provocations[i]);
		thrown_out++;
	}
	if (!reason)
		reason = try_harmless(attacker, &alignment);
	if (!reason)
		reason = try_smap(attacker, &thrown_out);
	attack_skipped("pkru", "not tried: no emulated CPU has protection keys that work");
	if (!reason)
		reason = try_nmis(attacker, &held);
	attack_tried(closed + open + thrown_out + held + 1);
	attack_saw("closed", closed);
	attack_saw("loaded_outside", open);
	attack_saw("thrown_out", thrown_out);
	attack_saw("nmi_after_return", held);
	return reason ? reason : attacker_is_well(attacker);
}
