// SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause)
/*
 * contexts.c - one vCPU's gate context and trusted context.
 *
 * Called by the host module. Owns the vCPU's two EPTs, its list, table, identity and stack pages;
 * the shared tables belong to the domain.
 */
#include "contexts.h"

#include <elisa/version.h>

#include "entry.h"
#include "errno.h"
#include "seam.h"

ELISA_STATIC_ASSERT(sizeof(struct elisa_contexts) <= ELISA_PAGE_SIZE, "one page");
ELISA_STATIC_ASSERT(ELISA_PAGE_SIZE / sizeof(uint64_t) >= 2 * ELISA_MAX_VCPUS, "one page");

#define GIB_SIZE 0x40000000ull
#define KEPT_FS_BASE (ELISA_OFFSET_KEPT_FS_BASE - ELISA_OFFSET_STACK)

static int map_page(struct elisa_ept *ept, struct elisa_gpa gpa, const void *page, uint32_t rights)
{
	int error = elisa_ept_prepare(ept, gpa, ELISA_PAGE_SIZE, ELISA_PAGE_SIZE);

	if (!error)
		elisa_ept_commit(ept, gpa, elisa_seam_page_hpa(page), ELISA_PAGE_SIZE, rights);
	return error;
}

static int map_offset(const struct elisa_contexts *contexts, struct elisa_ept *ept, uint64_t offset,
		      const void *page, uint32_t rights)
{
	return map_page(ept, elisa_gpa_add(contexts->tables->window, offset), page, rights);
}

static int map_trusted_table(const struct elisa_contexts *contexts, struct elisa_ept *ept,
			     unsigned int count)
{
	unsigned int i;
	int error = 0;

	for (i = 0; !error && i < count; i++)
		error = map_offset(contexts, ept, ELISA_OFFSET_TABLES + i * ELISA_PAGE_SIZE,
				   contexts->tables->trusted.pages[i], ELISA_EPT_READ);
	return error;
}

static int build_gate(struct elisa_contexts *contexts)
{
	struct elisa_ept *ept = &contexts->gate;
	int error = elisa_ept_create(ept);

	if (!error)
		error = map_offset(contexts, ept, ELISA_OFFSET_GATE, contexts->tables->gate_page,
				   ELISA_EPT_EXECUTE);
	if (!error)
		error = map_offset(contexts, ept, ELISA_OFFSET_LIST, contexts->list,
				   ELISA_EPT_READ | ELISA_EPT_WRITE);
	if (!error)
		error = map_offset(contexts, ept, ELISA_OFFSET_TABLE, contexts->table,
				   ELISA_EPT_READ);
	if (!error)
		error = map_trusted_table(contexts, ept, ELISA_TRUSTED_PAGES_GATE);
	return error;
}

static int link_shared(struct elisa_contexts *contexts)
{
	struct elisa_gpa at = elisa_gpa_add(contexts->tables->window, ELISA_OFFSET_SHARED);
	uint64_t end = contexts->tables->window.value + ELISA_WINDOW_SIZE;
	int error = 0;

	for (; !error && at.value < end; at = elisa_gpa_add(at, GIB_SIZE))
		error = elisa_ept_link(&contexts->trusted, at,
				       elisa_ept_directory(&contexts->tables->shared, at));
	return error;
}

static int build_trusted(struct elisa_contexts *contexts)
{
	struct elisa_ept *ept = &contexts->trusted;
	unsigned int i;
	int error = elisa_ept_create(ept);

	if (!error)
		error = map_offset(contexts, ept, ELISA_OFFSET_GATE, contexts->tables->entry_page,
				   ELISA_EPT_EXECUTE);
	if (!error)
		error = map_offset(contexts, ept, ELISA_OFFSET_LIST, contexts->list,
				   ELISA_EPT_READ | ELISA_EPT_WRITE);
	if (!error)
		error = map_offset(contexts, ept, ELISA_OFFSET_IDENTITY, contexts->identity,
				   ELISA_EPT_READ);
	for (i = 0; !error && i < ELISA_STACK_PAGES; i++)
		error = map_offset(contexts, ept, ELISA_OFFSET_STACK + i * ELISA_PAGE_SIZE,
				   contexts->stack[i], ELISA_EPT_READ | ELISA_EPT_WRITE);
	if (!error)
		error = map_trusted_table(contexts, ept, ELISA_TRUSTED_PAGES);
	if (!error)
		error = link_shared(contexts);
	return error;
}

static int alloc_pages(struct elisa_contexts *contexts)
{
	unsigned int i;

	contexts->list = elisa_seam_page_alloc();
	contexts->table = elisa_seam_page_alloc();
	contexts->identity = elisa_seam_page_alloc();
	if (!contexts->list || !contexts->table || !contexts->identity)
		return -ENOMEM;
	for (i = 0; i < ELISA_STACK_PAGES; i++) {
		contexts->stack[i] = elisa_seam_page_alloc();
		if (!contexts->stack[i])
			return -ENOMEM;
	}
	return 0;
}

static void free_page(void *page)
{
	if (page)
		elisa_seam_page_free(page);
}

static void free_all(struct elisa_contexts *contexts)
{
	unsigned int i;

	elisa_ept_destroy(&contexts->trusted);
	elisa_ept_destroy(&contexts->gate);
	for (i = 0; i < ELISA_STACK_PAGES; i++)
		free_page(contexts->stack[i]);
	free_page(contexts->identity);
	free_page(contexts->table);
	free_page(contexts->list);
	elisa_seam_page_free(contexts);
}

/* Both EPTPs of each of vcpus[0..count). */
static void invalidate(struct elisa_contexts *const *vcpus, unsigned int count)
{
	uint64_t *eptps = vcpus[0]->tables->eptps;
	unsigned int i;

	for (i = 0; i < count; i++) {
		eptps[2 * i] = elisa_ept_eptp(&vcpus[i]->gate);
		eptps[2 * i + 1] = elisa_ept_eptp(&vcpus[i]->trusted);
	}
	elisa_seam_invalidate(eptps, 2 * count);
}

int elisa_contexts_create(const struct elisa_domain_tables *tables, uint32_t vcpu_index,
			  struct elisa_contexts **out)
{
	struct elisa_contexts *contexts;
	int error;

	if (vcpu_index >= ELISA_MAX_VCPUS)
		return -EINVAL;
	contexts = elisa_seam_page_alloc();
	if (!contexts)
		return -ENOMEM;
	contexts->tables = tables;
	error = alloc_pages(contexts);
	if (!error)
		error = build_gate(contexts);
	if (!error)
		error = build_trusted(contexts);
	if (error) {
		free_all(contexts);
		return error;
	}
	contexts->identity->magic = ELISA_IDENTITY_MAGIC;
	contexts->identity->abi = ELISA_IMAGE_ABI;
	contexts->identity->vcpu = vcpu_index;
	/* A page that becomes an EPT root may have translations from another life (SDM 29.4.3.3). */
	invalidate(&contexts, 1);
	*out = contexts;
	return 0;
}

void elisa_contexts_destroy(struct elisa_contexts *contexts)
{
	if (!contexts)
		return;
	/* So may one that was. */
	invalidate(&contexts, 1);
	free_all(contexts);
}

uint64_t elisa_contexts_eptp(const struct elisa_contexts *contexts, int context)
{
	return elisa_ept_eptp(context == ELISA_CONTEXT_GATE ? &contexts->gate : &contexts->trusted);
}

int elisa_contexts_which(const struct elisa_contexts *contexts, uint64_t eptp)
{
	if (eptp == elisa_ept_eptp(&contexts->gate))
		return ELISA_CONTEXT_GATE;
	if (eptp == elisa_ept_eptp(&contexts->trusted))
		return ELISA_CONTEXT_TRUSTED;
	return ELISA_CONTEXT_DEFAULT;
}

struct elisa_hpa elisa_contexts_list_hpa(const struct elisa_contexts *contexts)
{
	return elisa_seam_page_hpa(contexts->list);
}

/* Which of roots[] is `root`, or ELISA_MAX_ROOTS. */
static unsigned int find_root(const struct elisa_contexts *contexts, struct elisa_gpa root)
{
	unsigned int i;

	for (i = 0; i < ELISA_MAX_ROOTS; i++) {
		if (contexts->roots[i].users != 0 && contexts->roots[i].gpa.value == root.value)
			break;
	}
	return i;
}

static unsigned int find_free_root(const struct elisa_contexts *contexts)
{
	unsigned int i;

	for (i = 0; i < ELISA_MAX_ROOTS && contexts->roots[i].users != 0; i++)
		;
	return i;
}

bool elisa_contexts_admitted(const struct elisa_contexts *contexts, struct elisa_gpa root)
{
	return find_root(contexts, root) < ELISA_MAX_ROOTS;
}

/* In both contexts; finish_removal() follows. */
static void remove_root(struct elisa_contexts *contexts, struct elisa_gpa root)
{
	elisa_ept_remove_page(&contexts->gate, root);
	elisa_ept_remove_page(&contexts->trusted, root);
}

/* One invalidation for all. */
static void finish_removal(struct elisa_contexts *const *vcpus, unsigned int count)
{
	unsigned int i;

	invalidate(vcpus, count);
	for (i = 0; i < count; i++) {
		elisa_ept_free_unlinked(&vcpus[i]->gate);
		elisa_ept_free_unlinked(&vcpus[i]->trusted);
	}
}

static int admit(struct elisa_contexts *contexts, struct elisa_gpa root)
{
	uint64_t window = contexts->tables->window.value;
	struct elisa_hpa table = elisa_seam_page_hpa(contexts->tables->trusted.root);
	unsigned int i;
	int error;

	if (!elisa_aligned(root.value, ELISA_PAGE_SIZE) || root.value >= ELISA_GPA_LIMIT)
		return -EINVAL;
	if (root.value >= window && root.value - window < ELISA_WINDOW_SIZE)
		return -ERANGE;
	i = find_root(contexts, root);
	if (i < ELISA_MAX_ROOTS) {
		contexts->roots[i].users++;
		return 0;
	}
	i = find_free_root(contexts);
	if (i == ELISA_MAX_ROOTS)
		return -ENOSPC;
	error = elisa_ept_prepare(&contexts->trusted, root, ELISA_PAGE_SIZE, ELISA_PAGE_SIZE);
	if (!error)
		error = elisa_ept_prepare(&contexts->gate, root, ELISA_PAGE_SIZE, ELISA_PAGE_SIZE);
	if (error) {
		remove_root(contexts, root);
		finish_removal(&contexts, 1);
		return error;
	}
	elisa_ept_commit(&contexts->trusted, root, table, ELISA_PAGE_SIZE, ELISA_EPT_READ);
	elisa_ept_commit(&contexts->gate, root, table, ELISA_PAGE_SIZE, ELISA_EPT_READ);
	contexts->roots[i].gpa = root;
	contexts->roots[i].users = 1;
	return 0;
}

int elisa_contexts_admit(struct elisa_contexts *const *vcpus, unsigned int count,
			 struct elisa_gpa root)
{
	unsigned int i;
	int error;

	for (i = 0; i < count; i++) {
		error = admit(vcpus[i], root);
		if (error) {
			elisa_contexts_evict(vcpus, i, root);
			return error;
		}
	}
	return 0;
}

/* True: that was the last admission. */
static bool end_admission(struct elisa_contexts *contexts, struct elisa_gpa root)
{
	unsigned int i = find_root(contexts, root);

	return i < ELISA_MAX_ROOTS && --contexts->roots[i].users == 0;
}

void elisa_contexts_evict(struct elisa_contexts *const *vcpus, unsigned int count,
			  struct elisa_gpa root)
{
	bool any = false;
	unsigned int i;

	for (i = 0; i < count; i++) {
		if (!end_admission(vcpus[i], root))
			continue;
		remove_root(vcpus[i], root);
		any = true;
	}
	if (any)
		finish_removal(vcpus, count);
}

void elisa_contexts_set_default(struct elisa_contexts *contexts, uint64_t eptp)
{
	contexts->default_eptp = eptp;
	elisa_entry_store(&contexts->list[ELISA_SLOT_DEFAULT], eptp);
}

void elisa_contexts_open(struct elisa_contexts *contexts)
{
	contexts->is_open = true;
	elisa_entry_store(&contexts->table[0], elisa_ept_eptp(&contexts->trusted));
	elisa_entry_store(&contexts->list[ELISA_SLOT_GATE], elisa_ept_eptp(&contexts->gate));
}

void elisa_contexts_close(struct elisa_contexts *contexts)
{
	contexts->is_open = false;
	elisa_entry_store(&contexts->list[ELISA_SLOT_GATE], 0);
	elisa_entry_store(&contexts->table[0], 0);
	elisa_entry_store(&contexts->list[ELISA_SLOT_TRUSTED], 0);
}

void elisa_contexts_reset(struct elisa_contexts *contexts)
{
	unsigned int i;

	elisa_page_zero(contexts->list);
	elisa_entry_store(&contexts->list[ELISA_SLOT_DEFAULT], contexts->default_eptp);
	if (contexts->is_open)
		elisa_contexts_open(contexts);
	for (i = 0; i < ELISA_STACK_PAGES; i++)
		elisa_page_zero(contexts->stack[i]);
}

uint64_t elisa_contexts_kept_fs_base(const struct elisa_contexts *contexts)
{
	const uint64_t *page = contexts->stack[KEPT_FS_BASE / ELISA_PAGE_SIZE];

	return elisa_entry_load(&page[KEPT_FS_BASE % ELISA_PAGE_SIZE / sizeof(*page)]);
}

const struct elisa_identity *elisa_contexts_identity(const struct elisa_contexts *contexts)
{
	return contexts->identity;
}

void elisa_contexts_set_ports(struct elisa_contexts *contexts, uint64_t ports)
{
	elisa_entry_store(&contexts->identity->ports, ports);
}

void elisa_contexts_set_tsc_offset(struct elisa_contexts *contexts, uint64_t offset)
{
	if (contexts->identity->tsc_offset != offset)
		elisa_entry_store(&contexts->identity->tsc_offset, offset);
}

void elisa_contexts_set_features(struct elisa_contexts *contexts, uint32_t features)
{
	if (contexts->identity->features != features)
		__atomic_store_n(&contexts->identity->features, features, __ATOMIC_RELAXED);
}
