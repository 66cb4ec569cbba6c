// SPDX-License-Identifier: GPL-2.0-only
/*
 * seam.c - what gate/ needs from the kernel: pages, their addresses, INVEPT. The contract is
 * gate/seam.h.
 */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/smp.h>
#include <linux/string.h>

#include "compat.h"
#include "gate/seam.h"

void *elisa_seam_page_alloc(void)
{
	return (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
}

void elisa_seam_page_free(void *page)
{
	memzero_explicit(page, PAGE_SIZE);
	free_page((unsigned long)page);
}

struct elisa_hpa elisa_seam_page_hpa(const void *page)
{
	return elisa_hpa(__pa(page));
}

void *elisa_seam_hpa_page(struct elisa_hpa hpa)
{
	if (!pfn_valid(hpa.value >> PAGE_SHIFT))
		return NULL;
	return __va(hpa.value);
}

struct eptps {
	const uint64_t *values;
	unsigned int count;
};

static void invalidate(void *argument)
{
	const struct eptps *eptps = argument;
	unsigned int i;

	for (i = 0; i < eptps->count; i++)
		elisa_invept_single(eptps->values[i]);
}

void elisa_seam_invalidate(const uint64_t *eptps, unsigned int count)
{
	struct eptps all = {eptps, count};

	on_each_cpu(invalidate, &all, 1);
}
