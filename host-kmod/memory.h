/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * memory.h - memory of a process or of a guest: pinned, accounted, and mapped into a domain. And
 * registers of a device, which are mapped likewise.
 *
 * Pins keep the pages from being freed or moved, whatever the VMM does to its mappings: if it drops
 * or replaces one (balloon, MADV_DONTNEED, a removed memory slot), the switch goes on with the old
 * page, the guest sees another, and nobody else is concerned. So there is no MMU notifier.
 */
#ifndef ELISA_KMOD_MEMORY_H
#define ELISA_KMOD_MEMORY_H

#include <linux/list.h>
#include <linux/mm_types.h>
#include <linux/types.h>

struct elisa_domain_tables;
struct kvm_vcpu;

struct elisa_memory {
	struct list_head link;  /* the owner's use */
	struct mm_struct *mm;   /* accounted there (pinned_vm); held */
	struct page **pages;    /* NULL: registers */
	u64 registers;          /* host-physical, of the first byte; not pinned, not accounted */
	unsigned long nb_pages; /* 4 KiB pages */
	u64 offset;             /* in the window, while mapped */
	bool writable;          /* mapped so */
	void *host;             /* elisa_memory_map_host(), or NULL */
};

/*
 * Pin [address, address + nb_pages) of the calling process. May sleep.
 *	-EFAULT	not mapped, not writable if `write`, or not RAM	-ENOMEM	RLIMIT_MEMLOCK, or memory
 */
int elisa_memory_pin_process(unsigned long address, unsigned long nb_pages, bool write,
			     struct elisa_memory **out);

/*
 * Registers that the calling process has mapped at [address, address + nb_pages), writable, in one
 * piece: of a PCI device, by VFIO, UIO or sysfs. They can be taken away from the device's user at
 * any time; who maps them unmaps them before.
 *	-EFAULT	not mapped so, or RAM	-ENOMEM
 */
int elisa_memory_of_device(unsigned long address, unsigned long nb_pages,
			   struct elisa_memory **out);

/*
 * Pin [address, address + nb_pages) of the guest process that runs on `vcpu`, with its rights.
 * The vCPU's thread, in handle_exit. Errors as above.
 */
int elisa_memory_pin_guest(struct kvm_vcpu *vcpu, u64 address, unsigned long nb_pages, bool write,
			   struct elisa_memory **out);

/* Unpin and free. Nothing maps it any more. NULL is allowed. May sleep. */
void elisa_memory_release(struct elisa_memory *memory);

/*
 * Map at `offset`, with `rights` (ELISA_EPT_*; _DEVICE for registers), huge where it can be. -EEXIST, -ENOMEM, -ERANGE:
 * nothing is mapped then.
 */
int elisa_memory_map(struct elisa_memory *memory, struct elisa_domain_tables *tables, u64 offset,
		     u32 rights);

/* The reverse. The caller waits, and invalidates, before it releases. */
void elisa_memory_unmap(struct elisa_memory *memory, struct elisa_domain_tables *tables);

/*
 * For the VMCALL gate: map it in the kernel too, until it is released, by elisa_memory_release(). Pinned
 * memory only. -ENOMEM. May sleep.
 */
int elisa_memory_map_host(struct elisa_memory *memory);

/* 4 KiB pages pinned now, all domains. */
u64 elisa_memory_pinned(void);

/* *word at byte `where` of it: compare and exchange. Returns what was there. */
u64 elisa_memory_cmpxchg64(struct elisa_memory *memory, u64 where, u64 expected, u64 desired);

#endif
