// SPDX-License-Identifier: GPL-2.0-only
/*
 * memory.c - memory of a process or of a guest: pinned, accounted, and mapped into a domain.
 *
 * Called by objects.c (the daemon's) and regions.c (guests'). Knows no port and no VM.
 */
#include <linux/highmem.h>
#include <linux/kvm_host.h>
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "compat.h"
#include "gate/domain_tables.h"
#include "memory.h"

#define PAGES_PER_HUGE (ELISA_HUGE_PAGE_SIZE / ELISA_PAGE_SIZE)

static atomic64_t pinned_pages = ATOMIC64_INIT(0);

u64 elisa_memory_pinned(void)
{
	return atomic64_read(&pinned_pages);
}

/* As other long-term pins do: mm->pinned_vm against the limit of the process that asks. */
static int account(struct mm_struct *mm, unsigned long nb_pages)
{
	unsigned long limit = rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT;
	u64 pinned = atomic64_add_return(nb_pages, &mm->pinned_vm);

	if (pinned > limit && !capable(CAP_IPC_LOCK)) {
		atomic64_sub(nb_pages, &mm->pinned_vm);
		return -ENOMEM;
	}
	atomic64_add(nb_pages, &pinned_pages);
	return 0;
}

/* Accounted, nothing pinned yet. */
static struct elisa_memory *memory_create(unsigned long nb_pages)
{
	struct elisa_memory *memory = kzalloc(sizeof(*memory), GFP_KERNEL_ACCOUNT);

	if (!memory)
		return NULL;
	INIT_LIST_HEAD(&memory->link);
	memory->pages = kvcalloc(nb_pages, sizeof(*memory->pages), GFP_KERNEL_ACCOUNT);
	if (!memory->pages)
		goto free_memory;
	if (account(current->mm, nb_pages))
		goto free_pages;
	memory->mm = current->mm;
	mmgrab(memory->mm);
	memory->nb_pages = nb_pages;
	return memory;

free_pages:
	kvfree(memory->pages);
free_memory:
	kfree(memory);
	return NULL;
}

/* Of `memory`, only the first `pinned` pages are pinned. */
static void memory_free(struct elisa_memory *memory, unsigned long pinned)
{
	vunmap(memory->host);
	unpin_user_pages_dirty_lock(memory->pages, pinned, memory->writable);
	atomic64_sub(memory->nb_pages, &memory->mm->pinned_vm);
	atomic64_sub(memory->nb_pages, &pinned_pages);
	mmdrop(memory->mm);
	kvfree(memory->pages);
	kfree(memory);
}

void elisa_memory_release(struct elisa_memory *memory)
{
	if (memory && memory->pages)
		memory_free(memory, memory->nb_pages);
	else
		kfree(memory);
}

/* Pin `count` pages at `address` of the calling process as pages [first, first + count). */
static int pin_run(struct elisa_memory *memory, unsigned long first, unsigned long address,
		   unsigned long count, unsigned int flags, unsigned long *pinned)
{
	while (count) {
		long got = pin_user_pages_fast(address, min(count, 1024ul), flags | FOLL_LONGTERM,
					       memory->pages + first);

		if (got <= 0)
			return got == -ENOMEM ? -ENOMEM : -EFAULT;
		*pinned += got;
		first += got;
		address += got << PAGE_SHIFT;
		count -= got;
		if (fatal_signal_pending(current))
			return -EFAULT;
		cond_resched();
	}
	return 0;
}

int elisa_memory_pin_process(unsigned long address, unsigned long nb_pages, bool write,
			     struct elisa_memory **out)
{
	struct elisa_memory *memory = memory_create(nb_pages);
	unsigned long pinned = 0;
	int error;

	if (!memory)
		return -ENOMEM;
	memory->writable = write;
	error = pin_run(memory, 0, address, nb_pages, write ? FOLL_WRITE : 0, &pinned);
	if (error) {
		memory_free(memory, pinned);
		return error;
	}
	*out = memory;
	return 0;
}

/* The page frame of registers that the process has mapped at `address`. Under mmap_lock. */
static int register_frame(unsigned long address, unsigned long *frame)
{
	struct vm_area_struct *vma = vma_lookup(current->mm, address);
	unsigned long wanted = VM_IO | VM_PFNMAP | VM_WRITE;
	int error;

	if (!vma || (vma->vm_flags & wanted) != wanted)
		return -EFAULT;
	error = elisa_follow_frame(vma, address, frame);
	if (error) {
		/* VFIO maps a page when it is touched first. */
		if (fixup_user_fault(current->mm, address, FAULT_FLAG_WRITE, NULL))
			return -EFAULT;
		error = elisa_follow_frame(vma, address, frame);
	}
	if (error || page_is_ram(*frame) || pfn_valid(*frame))
		return -EFAULT;
	return 0;
}

static int find_registers(unsigned long address, unsigned long nb_pages, u64 *registers)
{
	unsigned long first = 0, frame, i;
	int error;

	for (i = 0; i < nb_pages; i++) {
		error = register_frame(address + i * PAGE_SIZE, &frame);
		if (error)
			return error;
		if (!i)
			first = frame;
		else if (frame != first + i)
			return -EFAULT;
	}
	*registers = (u64)first << PAGE_SHIFT;
	return 0;
}

int elisa_memory_of_device(unsigned long address, unsigned long nb_pages, struct elisa_memory **out)
{
	struct elisa_memory *memory = kzalloc(sizeof(*memory), GFP_KERNEL_ACCOUNT);
	int error;

	if (!memory)
		return -ENOMEM;
	INIT_LIST_HEAD(&memory->link);
	memory->nb_pages = nb_pages;
	mmap_read_lock(current->mm);
	error = find_registers(address, nb_pages, &memory->registers);
	mmap_read_unlock(current->mm);
	if (error) {
		kfree(memory);
		return error;
	}
	*out = memory;
	return 0;
}

/* Where the VMM has the page that the guest process has at `address`; 0 if it has none. */
static unsigned long guest_page_address(struct kvm_vcpu *vcpu, u64 address, bool write)
{
	gpa_t gpa = elisa_kvm_translate(vcpu, address, write);

	return gpa == INVALID_GPA ? 0 : elisa_kvm_page_address(vcpu, gpa);
}

/*
 * Pages are looked up one by one, since the guest maps them as it likes, and pinned in runs that
 * are contiguous in the VMM. FOLL_WRITE also where the switch only reads: the guest's next write
 * would otherwise go to a copy of the page that is pinned here.
 */
int elisa_memory_pin_guest(struct kvm_vcpu *vcpu, u64 address, unsigned long nb_pages, bool write,
			   struct elisa_memory **out)
{
	struct elisa_memory *memory = memory_create(nb_pages);
	unsigned long pinned = 0, first = 0, run = 0, i, hva;
	int error = 0;

	if (!memory)
		return -ENOMEM;
	memory->writable = write;
	for (i = 0; i < nb_pages; i++) {
		cond_resched();
		hva = guest_page_address(vcpu, address + i * PAGE_SIZE, write);
		if (!hva || fatal_signal_pending(current)) {
			error = -EFAULT;
			goto unpin;
		}
		if (i > first && hva != run + (i - first) * PAGE_SIZE) {
			error = pin_run(memory, first, run, i - first, FOLL_WRITE, &pinned);
			if (error)
				goto unpin;
			first = i;
		}
		if (i == first)
			run = hva;
	}
	error = pin_run(memory, first, run, nb_pages - first, FOLL_WRITE, &pinned);
	if (error)
		goto unpin;
	*out = memory;
	return 0;

unpin:
	memory_free(memory, pinned);
	return error;
}

static u64 page_hpa(const struct elisa_memory *memory, unsigned long i)
{
	return memory->pages ? page_to_phys(memory->pages[i])
			     : memory->registers + i * ELISA_PAGE_SIZE;
}

/* Bytes of the leaf that maps page i: huge if its pages are one aligned piece of memory. */
static u64 leaf_size(const struct elisa_memory *memory, u64 offset, unsigned long i)
{
	unsigned long k;

	if ((offset + i * ELISA_PAGE_SIZE) % ELISA_HUGE_PAGE_SIZE ||
	    memory->nb_pages - i < PAGES_PER_HUGE || page_hpa(memory, i) % ELISA_HUGE_PAGE_SIZE)
		return ELISA_PAGE_SIZE;
	for (k = 1; k < PAGES_PER_HUGE; k++) {
		if (page_hpa(memory, i + k) != page_hpa(memory, i) + k * ELISA_PAGE_SIZE)
			return ELISA_PAGE_SIZE;
	}
	return ELISA_HUGE_PAGE_SIZE;
}

int elisa_memory_map(struct elisa_memory *memory, struct elisa_domain_tables *tables, u64 offset,
		     u32 rights)
{
	unsigned long i;
	u64 size;
	int error;

	for (i = 0; i < memory->nb_pages; i += size / ELISA_PAGE_SIZE) {
		cond_resched();
		size = leaf_size(memory, offset, i);
		error = elisa_domain_tables_prepare(tables, offset + i * ELISA_PAGE_SIZE, size,
						    size);
		if (error) {
			if (i)
				elisa_domain_tables_clear(tables, offset, i * ELISA_PAGE_SIZE);
			return error;
		}
	}
	for (i = 0; i < memory->nb_pages; i += size / ELISA_PAGE_SIZE) {
		cond_resched();
		size = leaf_size(memory, offset, i);
		elisa_domain_tables_commit(tables, offset + i * ELISA_PAGE_SIZE,
					   elisa_hpa(page_hpa(memory, i)), size, rights);
	}
	memory->offset = offset;
	return 0;
}

void elisa_memory_unmap(struct elisa_memory *memory, struct elisa_domain_tables *tables)
{
	elisa_domain_tables_clear(tables, memory->offset, memory->nb_pages * ELISA_PAGE_SIZE);
}

int elisa_memory_map_host(struct elisa_memory *memory)
{
	memory->host = vmap(memory->pages, memory->nb_pages, VM_MAP,
			    memory->writable ? PAGE_KERNEL : PAGE_KERNEL_RO);
	return memory->host ? 0 : -ENOMEM;
}

u64 elisa_memory_cmpxchg64(struct elisa_memory *memory, u64 where, u64 expected, u64 desired)
{
	unsigned long i = array_index_nospec(where / ELISA_PAGE_SIZE, memory->nb_pages);
	char *page = kmap_local_page(memory->pages[i]);
	u64 seen = cmpxchg64((u64 *)(page + where % ELISA_PAGE_SIZE), expected, desired);

	kunmap_local(page);
	return seen;
}
