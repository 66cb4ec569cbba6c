/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/*
 * contexts.h - one vCPU's gate context and trusted context, and the pages that are its own.
 *
 * Called by the host module. Unless a function says otherwise: may sleep, one thread at a time for
 * each domain.
 *
 * Slot 2 of the EPTP list holds an EPTP only while this vCPU executes the gate page, or is parked
 * in it. Whoever takes a vCPU out of a context by force calls elisa_contexts_reset() before the
 * guest runs again: that, and the entry code's first instruction, keep the rule.
 */
#ifndef ELISA_GATE_CONTEXTS_H
#define ELISA_GATE_CONTEXTS_H

#include "domain_tables.h"

enum {
	ELISA_CONTEXT_DEFAULT = 0, /* KVM's own EPT, or one that is not ours */
	ELISA_CONTEXT_GATE = 1,
	ELISA_CONTEXT_TRUSTED = 2,
};

#define ELISA_MAX_ROOTS 8u /* guest processes admitted at once */
#define ELISA_STACK_PAGES 8u
ELISA_STATIC_ASSERT(ELISA_STACK_PAGES *ELISA_PAGE_SIZE == ELISA_STACK_SIZE, "stack pages");

struct elisa_admitted_root {
	struct elisa_gpa gpa;
	uint32_t users; /* admissions minus evictions; 0 = free */
};

struct elisa_contexts {
	const struct elisa_domain_tables *tables;
	struct elisa_ept gate;
	struct elisa_ept trusted;
	uint64_t *list;  /* EPTP list, 512 slots */
	uint64_t *table; /* entry 0: the trusted EPTP while open, else 0 */
	struct elisa_identity *identity;
	void *stack[ELISA_STACK_PAGES];
	struct elisa_admitted_root roots[ELISA_MAX_ROOTS];
	uint64_t default_eptp; /* slot 0 as last set */
	bool is_open;
};

/*
 * For the domain's vCPU `vcpu_index` (below ELISA_MAX_VCPUS); closed, no root admitted, no port.
 * Its EPTPs are invalidated everywhere before it returns. `tables` must outlive it.
 * -EINVAL, -ENOMEM. Free with elisa_contexts_destroy().
 */
int elisa_contexts_create(const struct elisa_domain_tables *tables, uint32_t vcpu_index,
			  struct elisa_contexts **out);

/*
 * Invalidates its EPTPs and frees all. No VMCS may hold its EPTPs or its list: call it after KVM
 * has cleared the vCPU's VMCS. NULL is allowed.
 */
void elisa_contexts_destroy(struct elisa_contexts *contexts);

/* The EPTP of ELISA_CONTEXT_GATE or ELISA_CONTEXT_TRUSTED; constant. Any context. */
uint64_t elisa_contexts_eptp(const struct elisa_contexts *contexts, int context);

/* Which of its contexts `eptp` is; ELISA_CONTEXT_DEFAULT if neither. Any context. */
int elisa_contexts_which(const struct elisa_contexts *contexts, uint64_t eptp);

/* For the VMCS field EPTP_LIST_ADDRESS (SDM 25.6.14); constant. Any context. */
struct elisa_hpa elisa_contexts_list_hpa(const struct elisa_contexts *contexts);

/*
 * Lets the guest process whose CR3 holds `root` (bits 51:12, low bits 0) through the gate of each of
 * vcpus[0..count), of one domain; of none if there is an error. A root admitted twice needs two
 * evictions.
 *	-EINVAL	not page-aligned, or beyond 48 bits	-ERANGE	inside the window
 *	-ENOSPC	ELISA_MAX_ROOTS others are admitted	-ENOMEM
 */
int elisa_contexts_admit(struct elisa_contexts *const *vcpus, unsigned int count,
			 struct elisa_gpa root);

/*
 * Takes an admission back; with the last one the root resolves nowhere any more when this returns,
 * and a vCPU inside with that CR3 is thrown out with an EPT violation. A root that is not admitted
 * is ignored. However many vCPUs: at most one elisa_seam_invalidate().
 */
void elisa_contexts_evict(struct elisa_contexts *const *vcpus, unsigned int count,
			  struct elisa_gpa root);

/* Whether elisa_contexts_admit() of `root` is in force. */
bool elisa_contexts_admitted(const struct elisa_contexts *contexts, struct elisa_gpa root);

/*
 * Slot 0: where VMFUNC(0) leads. KVM's EPTP, or 0 if the return shall exit. Two plain stores;
 * interrupts may be off. Only by the thread of the vCPU.
 */
void elisa_contexts_set_default(struct elisa_contexts *contexts, uint64_t eptp);

/*
 * Open: slot 1 and the table entry are filled. Close: slots 1, 2 and the table entry are empty.
 * Plain stores; interrupts may be off. Only by the thread of the vCPU, outside guest mode; close
 * only while the vCPU is in its default context (a vCPU parked inside: recover it, then close).
 */
void elisa_contexts_open(struct elisa_contexts *contexts);
void elisa_contexts_close(struct elisa_contexts *contexts);

/*
 * After recovery: the whole list page is written anew (slots 0 and 1 as set_default and open/close
 * say, all others 0) and the stack with the registers saved on it is zeroed. Interrupts may be
 * off. Only by the thread of the vCPU, outside guest mode.
 */
void elisa_contexts_reset(struct elisa_contexts *contexts);

/*
 * The guest's FS base while trusted code has another in place; else 0 (ELISA_OFFSET_KEPT_FS_BASE).
 * elisa_contexts_reset() clears it. Any context.
 */
uint64_t elisa_contexts_kept_fs_base(const struct elisa_contexts *contexts);

/* Who the vCPU is. Its ports and features change under a reader. Any context. */
const struct elisa_identity *elisa_contexts_identity(const struct elisa_contexts *contexts);

/* Which ports the vCPU may use: bit p = port p. One store, seen at once. Any context. */
void elisa_contexts_set_ports(struct elisa_contexts *contexts, uint64_t ports);

/*
 * What the guest lets trusted code use on this vCPU: ELISA_IDENTITY_*; none at first. One store, if
 * it changes. Interrupts may be off. Only by the thread of the vCPU, outside guest mode.
 */
void elisa_contexts_set_features(struct elisa_contexts *contexts, uint32_t features);

/*
 * The vCPU's TSC minus the host's; valid while its features have ELISA_IDENTITY_TSC. As above, before
 * those are set.
 */
void elisa_contexts_set_tsc_offset(struct elisa_contexts *contexts, uint64_t offset);

#endif
