// SPDX-License-Identifier: GPL-2.0-only
/*
 * kvm_hooks.c - wrapping stock KVM's static calls.
 *
 * KVM calls kvm_intel through static calls, each at one place. The hooks take their place and call
 * the originals through static calls of their own. With compat.h and refusal.c, the only place that
 * knows KVM's insides or a kernel's version.
 *
 * Called by main.c and refusal.c; the hooks by KVM.
 */
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/static_call.h>
#include <asm/ibt.h>

#include "compat.h"
#include "domain.h"
#include "gate/contexts.h"
#include "hypercall.h"
#include "kvm_hooks.h"
#include "processes.h"
#include "recover.h"
#include "vcpu.h"
#include "vm.h"

#define SS_PRIVILEGE_SHIFT 5 /* GUEST_SS_AR_BYTES, bits DPL */
#define VMFUNC_LENGTH 3
#define EXIT_REASON_BASIC 0xffffu

static struct kvm_x86_ops *kvm_ops;
static bool *kvm_tdp_enabled;
static struct module *kvm_intel;

/* Threads in hooks that sleep or run the guest: what RCU does not see. Unloading waits for 0. */
static DEFINE_PER_CPU(long, inside_hooks);

static __always_inline void hook_begin(void)
{
	this_cpu_inc(inside_hooks);
}

static __always_inline void hook_end(void)
{
	this_cpu_dec(inside_hooks);
}

static __always_inline struct elisa_vcpu *run_begin(struct kvm_vcpu *kvm_vcpu)
{
	struct elisa_vcpu *vcpu;

	hook_begin();
	vcpu = elisa_vcpu_find(kvm_vcpu);
	if (!vcpu)
		return NULL;
	if (elisa_kvm_nested(kvm_vcpu)) {
		/* Its own VMCS is away. It cannot have come here from inside: user space did it. */
		vcpu->reset_wanted |= vcpu->context != ELISA_CONTEXT_DEFAULT;
		elisa_vcpu_outside(vcpu);
		return NULL;
	}
	elisa_vcpu_enter(vcpu);
	return vcpu;
}

static __always_inline fastpath_t run_end(struct elisa_vcpu *vcpu, fastpath_t result)
{
	if (vcpu)
		elisa_vcpu_leave(vcpu);
	hook_end();
	return result;
}

/*
 * vcpu_run's second argument differs between kernels, and changed inside 6.1. There is a hook for
 * each type, with its original; the one whose type KVM has is installed.
 */
static fastpath_t vcpu_run_plain(struct kvm_vcpu *kvm_vcpu);
static fastpath_t vcpu_run_bool(struct kvm_vcpu *kvm_vcpu, bool immediate);
static fastpath_t vcpu_run_u64(struct kvm_vcpu *kvm_vcpu, u64 flags);
DEFINE_STATIC_CALL_NULL(elisa_vcpu_run_plain, vcpu_run_plain);
DEFINE_STATIC_CALL_NULL(elisa_vcpu_run_bool, vcpu_run_bool);
DEFINE_STATIC_CALL_NULL(elisa_vcpu_run_u64, vcpu_run_u64);

static fastpath_t __maybe_unused vcpu_run_plain(struct kvm_vcpu *kvm_vcpu)
{
	struct elisa_vcpu *vcpu = run_begin(kvm_vcpu);

	return run_end(vcpu, static_call(elisa_vcpu_run_plain)(kvm_vcpu));
}

static fastpath_t __maybe_unused vcpu_run_bool(struct kvm_vcpu *kvm_vcpu, bool immediate)
{
	struct elisa_vcpu *vcpu = run_begin(kvm_vcpu);

	return run_end(vcpu, static_call(elisa_vcpu_run_bool)(kvm_vcpu, immediate));
}

static fastpath_t __maybe_unused vcpu_run_u64(struct kvm_vcpu *kvm_vcpu, u64 flags)
{
	struct elisa_vcpu *vcpu = run_begin(kvm_vcpu);

	return run_end(vcpu, static_call(elisa_vcpu_run_u64)(kvm_vcpu, flags));
}

#define IS_VCPU_RUN(function)                                                        \
	__builtin_types_compatible_p(typeof(((struct kvm_x86_ops *)NULL)->vcpu_run), \
				     typeof(&(function)))

static int handle_exit(struct kvm_vcpu *kvm_vcpu, fastpath_t fastpath);
static int interrupt_allowed(struct kvm_vcpu *kvm_vcpu, bool injection);
static int nmi_allowed(struct kvm_vcpu *kvm_vcpu, bool injection);
static bool init_blocked(struct kvm_vcpu *kvm_vcpu);
static void vcpu_blocking(struct kvm_vcpu *kvm_vcpu);
static void vcpu_free(struct kvm_vcpu *kvm_vcpu);
DEFINE_STATIC_CALL_NULL(elisa_handle_exit, handle_exit);
DEFINE_STATIC_CALL_NULL(elisa_interrupt_allowed, interrupt_allowed);
DEFINE_STATIC_CALL_NULL(elisa_nmi_allowed, nmi_allowed);
DEFINE_STATIC_CALL_NULL(elisa_init_blocked, init_blocked);
DEFINE_STATIC_CALL_NULL(elisa_vcpu_blocking, vcpu_blocking);
DEFINE_STATIC_CALL_NULL(elisa_vcpu_free_original, vcpu_free);

struct exit {
	u32 reason;       /* basic */
	u32 interruption; /* VM-exit interruption information */
	bool failed;      /* it never was an entry */
};

static struct exit exit_information(struct kvm_vcpu *kvm_vcpu)
{
	u32 reason = 0, interruption = 0, code;
	u64 qualification, vectoring;

	kvm_ops->get_exit_info(kvm_vcpu, &reason, &qualification, &vectoring, &interruption, &code);
	return (struct exit){
		.reason = reason & EXIT_REASON_BASIC,
		.interruption = interruption,
		.failed = reason & VMX_EXIT_REASONS_FAILED_VMENTRY,
	};
}

static void count_exit(struct elisa_vcpu *vcpu, const struct exit *exit)
{
	struct elisa_vcpu_stats *stats = &vcpu->stats;

	stats->exits++;
	if (exit->reason == EXIT_REASON_IO_INSTRUCTION || exit->reason == EXIT_REASON_EPT_MISCONFIG)
		stats->exits_io++;
	if (exit->reason < ELISA_EXIT_REASONS)
		stats->by_reason[exit->reason]++;
	if (!vcpu->context)
		return;
	stats->exits_inside++;
	if (exit->reason < ELISA_EXIT_REASONS)
		stats->inside_by_reason[exit->reason]++;
}

/* Exits that are the host's business and may happen anywhere. */
static bool belongs_to_host(const struct elisa_vcpu *vcpu, const struct exit *exit)
{
	u32 type = exit->interruption & INTR_INFO_INTR_TYPE_MASK;
	u32 vector = exit->interruption & INTR_INFO_VECTOR_MASK;

	switch (exit->reason) {
	case EXIT_REASON_EXTERNAL_INTERRUPT:
	case EXIT_REASON_INTERRUPT_WINDOW:
	case EXIT_REASON_NMI_WINDOW:
	case EXIT_REASON_PREEMPTION_TIMER:
	case EXIT_REASON_PAUSE_INSTRUCTION:
	case EXIT_REASON_MCE_DURING_VMENTRY:
		return true;
	case EXIT_REASON_EXCEPTION_NMI:
		if (type == INTR_TYPE_NMI_INTR || vector == MC_VECTOR)
			return true;
		return vector == DB_VECTOR && vcpu->kvm_vcpu->guest_debug;
	default:
		return false;
	}
}

static bool registers_are(struct kvm_vcpu *kvm_vcpu, u32 eax, u32 ecx)
{
	return (u32)*elisa_kvm_register(kvm_vcpu, VCPU_REGS_RAX) == eax &&
	       (u32)*elisa_kvm_register(kvm_vcpu, VCPU_REGS_RCX) == ecx;
}

/* The documented call stub, from ring 3, while the gate is closed. */
static bool is_closed_call(struct elisa_vcpu *vcpu)
{
	struct kvm_vcpu *kvm_vcpu = vcpu->kvm_vcpu;

	return !vcpu->open && registers_are(kvm_vcpu, 0, ELISA_SLOT_GATE) &&
	       elisa_kvm_rip(kvm_vcpu) == ELISA_GVA(ELISA_OFFSET_GATE) - VMFUNC_LENGTH &&
	       ((elisa_vmread(GUEST_SS_AR_BYTES) >> SS_PRIVILEGE_SHIFT) & 3) == 3;
}

/* As if the switch had answered: the return stub moves RDX to RAX. */
static int answer_closed_call(struct elisa_vcpu *vcpu)
{
	struct kvm_vcpu *kvm_vcpu = vcpu->kvm_vcpu;
	int result = kvm_skip_emulated_instruction(kvm_vcpu);

	vcpu->stats.closed_calls++;
	*elisa_kvm_register(kvm_vcpu, VCPU_REGS_RAX) = 0;
	*elisa_kvm_register(kvm_vcpu, VCPU_REGS_RCX) = 0;
	*elisa_kvm_register(kvm_vcpu, VCPU_REGS_RDX) = -ENODEV;
	elisa_kvm_set_lazy_register(kvm_vcpu, VCPU_REGS_RIP, ELISA_GVA(ELISA_OFFSET_LIST));
	return result;
}

/* The VMFUNC(0) of a return, made to exit: what the CPU would have done, then KVM's events. */
static int finish_return(struct elisa_vcpu *vcpu)
{
	vcpu->stats.traps++;
	elisa_vcpu_outside(vcpu);
	kvm_make_request(KVM_REQ_EVENT, vcpu->kvm_vcpu);
	return kvm_skip_emulated_instruction(vcpu->kvm_vcpu);
}

static int handle_vmfunc(struct elisa_vcpu *vcpu)
{
	struct kvm_vcpu *kvm_vcpu = vcpu->kvm_vcpu;

	if (vcpu->context && vcpu->trap && registers_are(kvm_vcpu, 0, ELISA_SLOT_DEFAULT))
		return finish_return(vcpu);
	if (!vcpu->context && is_closed_call(vcpu))
		return answer_closed_call(vcpu);
	if (vcpu->context)
		elisa_recover_at_exit(vcpu, EXIT_REASON_VMFUNC);
	else
		kvm_queue_exception_e(kvm_vcpu, GP_VECTOR, 0);
	return 1;
}

/* 1: the guest goes on, 0: to user space, as of handle_exit; -1: this exit is KVM's. */
static int handle_own_exit(struct elisa_vcpu *vcpu, const struct exit *exit)
{
	if (exit->failed)
		return -1;
	if (exit->reason == EXIT_REASON_VMFUNC)
		return handle_vmfunc(vcpu);
	if (vcpu->context) {
		if (belongs_to_host(vcpu, exit))
			return -1;
		elisa_recover_at_exit(vcpu, exit->reason);
		return 1;
	}
	switch (exit->reason) {
	case EXIT_REASON_VMCALL:
		return elisa_hypercall_is_ours(vcpu) ? elisa_hypercall(vcpu) : -1;
	case EXIT_REASON_GDTR_IDTR:
	case EXIT_REASON_LDTR_TR:
		/* The next entry looks where the tables are now. */
		return kvm_emulate_instruction(vcpu->kvm_vcpu, 0);
	default:
		return -1;
	}
}

static void revoke_ports(struct elisa_vcpu *vcpu)
{
	struct elisa_vm *vm = elisa_vcpu_vm_get(vcpu);

	vcpu->process_failed = false;
	if (!vm)
		return;
	elisa_vm_process_failed(vm, vcpu->failed_root);
	elisa_vm_put(vm);
}

static int handle_exit_attached(struct elisa_vcpu *vcpu, fastpath_t fastpath)
{
	struct exit exit = exit_information(vcpu->kvm_vcpu);
	int result = -1;

	count_exit(vcpu, &exit);
	if (fastpath == EXIT_FASTPATH_NONE)
		result = handle_own_exit(vcpu, &exit);
	if (vcpu->process_failed)
		revoke_ports(vcpu);
	else if (!vcpu->context)
		elisa_processes_check(vcpu);
	if (result >= 0)
		return result;
	result = static_call(elisa_handle_exit)(vcpu->kvm_vcpu, fastpath);
	/* KVM skips a PAUSE. */
	if (vcpu->context)
		elisa_vcpu_park(vcpu);
	return result;
}

static int handle_exit(struct kvm_vcpu *kvm_vcpu, fastpath_t fastpath)
{
	struct elisa_vcpu *vcpu;
	int result;

	hook_begin();
	vcpu = elisa_vcpu_find(kvm_vcpu);
	if (vcpu && !elisa_kvm_nested(kvm_vcpu))
		result = handle_exit_attached(vcpu, fastpath);
	else
		result = static_call(elisa_handle_exit)(kvm_vcpu, fastpath);
	hook_end();
	return result;
}

static bool is_inside(struct kvm_vcpu *kvm_vcpu)
{
	struct elisa_vcpu *vcpu = elisa_vcpu_find(kvm_vcpu);

	return vcpu && vcpu->context;
}

/* While inside, KVM keeps an event pending and asks for a window; enter makes that a trap. */
static int interrupt_allowed(struct kvm_vcpu *kvm_vcpu, bool injection)
{
	return is_inside(kvm_vcpu) ? 0 : static_call(elisa_interrupt_allowed)(kvm_vcpu, injection);
}

static int nmi_allowed(struct kvm_vcpu *kvm_vcpu, bool injection)
{
	return is_inside(kvm_vcpu) ? 0 : static_call(elisa_nmi_allowed)(kvm_vcpu, injection);
}

/*
 * KVM keeps an INIT pending, and asks again when it is told to look at its events. Not of a vCPU that
 * its VMM lets wait: that one cannot return.
 */
static bool init_blocked(struct kvm_vcpu *kvm_vcpu)
{
	struct elisa_vcpu *vcpu = elisa_vcpu_find(kvm_vcpu);

	if (vcpu && vcpu->context && kvm_vcpu->arch.mp_state == KVM_MP_STATE_RUNNABLE) {
		WRITE_ONCE(vcpu->init_waits, true);
		return true;
	}
	return static_call(elisa_init_blocked)(kvm_vcpu);
}

/* No code inside waits: the VMM had it do so, as when it resets the VM. For how long, nobody knows. */
static void vcpu_blocking(struct kvm_vcpu *kvm_vcpu)
{
	struct elisa_vcpu *vcpu = elisa_vcpu_find(kvm_vcpu);

	if (vcpu && vcpu->context)
		elisa_vcpu_evict(vcpu, ELISA_HELD_THROWN_OUT);
	/* kvm_intel may have none. */
	static_call_cond(elisa_vcpu_blocking)(kvm_vcpu);
}

static void vcpu_free(struct kvm_vcpu *kvm_vcpu)
{
	struct elisa_vcpu *vcpu;

	hook_begin();
	vcpu = elisa_vcpu_find(kvm_vcpu);
	if (vcpu)
		elisa_vm_vcpu_lost(vcpu);
	static_call(elisa_vcpu_free_original)(kvm_vcpu);
	if (vcpu) {
		elisa_vm_vcpu_freed(vcpu);
		elisa_vcpu_free(vcpu);
	}
	hook_end();
}

#ifdef HF_SMM_MASK
static int smi_allowed(struct kvm_vcpu *kvm_vcpu, bool injection);
DEFINE_STATIC_CALL_NULL(elisa_smi_allowed, smi_allowed);

static int smi_allowed(struct kvm_vcpu *kvm_vcpu, bool injection)
{
	return is_inside(kvm_vcpu) ? 0 : static_call(elisa_smi_allowed)(kvm_vcpu, injection);
}
#endif

struct hook {
	const char *name; /* of KVM's operation */
	void *function;
	struct static_call_key *own_key; /* calls the original */
	void *own_trampoline;
	struct static_call_key *key; /* KVM's */
	void *trampoline;
	void *original;
};

#define HOOK(operation, own_name, hook_function)                    \
	{                                                           \
		.name = #operation, .function = (hook_function),    \
		.own_key = &STATIC_CALL_KEY(own_name),              \
		.own_trampoline = STATIC_CALL_TRAMP_ADDR(own_name), \
	}

static struct hook hooks[] = {
	HOOK(vcpu_free, elisa_vcpu_free_original, vcpu_free),
	HOOK(interrupt_allowed, elisa_interrupt_allowed, interrupt_allowed),
	HOOK(nmi_allowed, elisa_nmi_allowed, nmi_allowed),
	HOOK(apic_init_signal_blocked, elisa_init_blocked, init_blocked),
	HOOK(vcpu_blocking, elisa_vcpu_blocking, vcpu_blocking),
#ifdef HF_SMM_MASK
	HOOK(smi_allowed, elisa_smi_allowed, smi_allowed),
#endif
	HOOK(handle_exit, elisa_handle_exit, handle_exit),
	{}, /* vcpu_run: the one that has KVM's type */
};

#define CHECK_TYPE(operation, hook_function)        \
	BUILD_BUG_ON(!__builtin_types_compatible_p( \
		typeof(((struct kvm_x86_ops *)NULL)->operation), typeof(&(hook_function))))

static void choose_vcpu_run(struct hook *hook)
{
	CHECK_TYPE(vcpu_free, vcpu_free);
	CHECK_TYPE(interrupt_allowed, interrupt_allowed);
	CHECK_TYPE(nmi_allowed, nmi_allowed);
	CHECK_TYPE(apic_init_signal_blocked, init_blocked);
	CHECK_TYPE(vcpu_blocking, vcpu_blocking);
	CHECK_TYPE(handle_exit, handle_exit);
#ifdef HF_SMM_MASK
	CHECK_TYPE(smi_allowed, smi_allowed);
#endif
	BUILD_BUG_ON(IS_VCPU_RUN(vcpu_run_plain) + IS_VCPU_RUN(vcpu_run_bool) +
			     IS_VCPU_RUN(vcpu_run_u64) !=
		     1);
	if (IS_VCPU_RUN(vcpu_run_plain))
		*hook = (struct hook)HOOK(vcpu_run, elisa_vcpu_run_plain, vcpu_run_plain);
	else if (IS_VCPU_RUN(vcpu_run_bool))
		*hook = (struct hook)HOOK(vcpu_run, elisa_vcpu_run_bool, vcpu_run_bool);
	else
		*hook = (struct hook)HOOK(vcpu_run, elisa_vcpu_run_u64, vcpu_run_u64);
}

typedef unsigned long (*lookup_function)(const char *name);
typedef struct module *(*module_address_function)(unsigned long address);

/* Modules cannot name it; a kprobe finds it. With IBT the probe stands behind the ENDBR. */
static lookup_function find_lookup(void)
{
	struct kprobe probe = {.symbol_name = "kallsyms_lookup_name"};
	unsigned long address;

	if (register_kprobe(&probe))
		return NULL;
	address = (unsigned long)probe.addr;
	unregister_kprobe(&probe);
#ifdef CONFIG_X86_KERNEL_IBT
	if (is_endbr(*(u32 *)(address - 4)))
		address -= 4;
#endif
	return (lookup_function)address;
}

static int find_hooks(lookup_function lookup)
{
	char symbol[64];
	int i;

	for (i = 0; i < (int)ARRAY_SIZE(hooks); i++) {
		snprintf(symbol, sizeof(symbol), "kvm:__SCK__kvm_x86_%s", hooks[i].name);
		hooks[i].key = (void *)lookup(symbol);
		snprintf(symbol, sizeof(symbol), "kvm:__SCT__kvm_x86_%s", hooks[i].name);
		hooks[i].trampoline = (void *)lookup(symbol);
		if (!hooks[i].key || !hooks[i].trampoline) {
			pr_err("elisa: this kernel's KVM has no %s\n", symbol);
			return -ENOENT;
		}
		hooks[i].original = hooks[i].key->func;
	}
	return 0;
}

/* KVM calls into kvm_intel through us: it must stay. */
static int hold_kvm_intel(lookup_function lookup, void *original)
{
	module_address_function module_address = (void *)lookup("__module_address");
	int error = 0;

	if (!module_address)
		return -ENOENT;
	preempt_disable();
	kvm_intel = module_address((unsigned long)original);
	if (kvm_intel && !try_module_get(kvm_intel))
		error = -EBUSY;
	preempt_enable();
	if (error)
		kvm_intel = NULL;
	return error;
}

int elisa_hooks_install(void)
{
	lookup_function lookup = find_lookup();
	int i, error;

	if (!lookup)
		return -ENOENT;
	kvm_ops = (void *)lookup("kvm:kvm_x86_ops");
	kvm_tdp_enabled = (void *)lookup("kvm:tdp_enabled");
	if (!kvm_ops || !kvm_tdp_enabled)
		return -ENOENT;
	if (!kvm_ops->vcpu_run || strcmp(kvm_ops->name, "kvm_intel")) {
		kvm_ops = NULL;
		return -ENODEV;
	}
	choose_vcpu_run(&hooks[ARRAY_SIZE(hooks) - 1]);
	error = find_hooks(lookup);
	if (!error)
		error = hold_kvm_intel(lookup, hooks[0].original);
	if (error) {
		kvm_ops = NULL;
		return error;
	}
	for (i = 0; i < (int)ARRAY_SIZE(hooks); i++)
		__static_call_update(hooks[i].own_key, hooks[i].own_trampoline, hooks[i].original);
	for (i = 0; i < (int)ARRAY_SIZE(hooks); i++)
		__static_call_update(hooks[i].key, hooks[i].trampoline, hooks[i].function);
	return 0;
}

static long threads_inside(void)
{
	long threads = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		threads += per_cpu(inside_hooks, cpu);
	return threads;
}

void elisa_hooks_remove(void)
{
	int i;

	if (!kvm_ops)
		return;
	for (i = 0; i < (int)ARRAY_SIZE(hooks); i++)
		__static_call_update(hooks[i].key, hooks[i].trampoline, hooks[i].original);
	/* First those that have begun and not counted themselves, last those about to return. */
	synchronize_rcu_tasks();
	while (threads_inside())
		schedule_timeout_uninterruptible(1);
	synchronize_rcu_tasks();
	module_put(kvm_intel);
	kvm_ops = NULL;
}

bool elisa_kvm_has_ept(void)
{
	return *kvm_tdp_enabled;
}
