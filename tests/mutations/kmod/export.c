// SPDX-License-Identifier: BSD-3-Clause
/*
 * export.c - see export.h. The pages are kept track of here, not found by walking the tables: a table
 * entry that leads to any other page is then seen by the prover that gets them.
 *
 * Called by faults.h's half of seam.c, and by domain.c.
 */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/xarray.h>

#include "export.h"
#include "host-kmod/domain.h"
#include "host-kmod/vcpu.h"

unsigned long elisa_test_page_alloc(gfp_t flags);
void elisa_test_page_free(unsigned long page);
long elisa_test_export(struct elisa_domain *domain, void __user *user);

static DEFINE_XARRAY(pages); /* by page frame */

unsigned long elisa_test_page_alloc(gfp_t flags)
{
	unsigned long page = get_zeroed_page(flags);

	if (page && xa_err(xa_store(&pages, __pa(page) >> PAGE_SHIFT, (void *)page, GFP_KERNEL))) {
		free_page(page);
		page = 0;
	}
	return page;
}

void elisa_test_page_free(unsigned long page)
{
	xa_erase(&pages, __pa(page) >> PAGE_SHIFT);
	free_page(page);
}

static int copy_page_out(struct elisa_test_page __user *to, unsigned long frame, void *page)
{
	u64 addresses[2] = {(u64)page, (u64)frame << PAGE_SHIFT};

	if (copy_to_user(to, addresses, sizeof(addresses)) ||
	    copy_to_user(to->bytes, page, PAGE_SIZE))
		return -EFAULT;
	return 0;
}

static int copy_out(struct elisa_domain *domain, struct elisa_test_export *argument)
{
	struct elisa_test_page __user *to = (void __user *)argument->pages;
	struct elisa_vcpu *vcpu;
	unsigned long frame;
	int error = 0;
	void *page;
	u32 i;

	argument->nb_pages = 0;
	argument->tables = (u64)domain->tables;
	xa_for_each(&pages, frame, page) {
		if (argument->nb_pages < argument->room && !error)
			error = copy_page_out(to + argument->nb_pages, frame, page);
		argument->nb_pages++;
	}
	memset(argument->contexts, 0, sizeof(argument->contexts));
	elisa_domain_for_each_vcpu(domain, i, vcpu)
		argument->contexts[i] = (u64)vcpu->contexts;
	return error ? error : argument->nb_pages > argument->room ? -ENOSPC : 0;
}

long elisa_test_export(struct elisa_domain *domain, void __user *user)
{
	struct elisa_test_export *argument = memdup_user(user, sizeof(*argument));
	long error;

	if (IS_ERR(argument))
		return PTR_ERR(argument);
	mutex_lock(&domain->lock);
	error = copy_out(domain, argument);
	mutex_unlock(&domain->lock);
	if (copy_to_user(user, argument, sizeof(*argument)))
		error = -EFAULT;
	kfree(argument);
	return error;
}
