/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * faults.h - allocations that fail when a test wants it, and the pages of gate/ kept track of.
 *
 * In the testing build only, included before each file of host-kmod/. The headers come first, so that
 * what is defined in them stays as it is.
 */
#ifndef ELISA_TEST_FAULTS_H
#define ELISA_TEST_FAULTS_H

#include <linux/anon_inodes.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/gfp.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

/* Is this the allocation that is to fail? Counts it. Any context. */
bool elisa_test_fails(void);

/* get_zeroed_page() and free_page(); what is between is for export.c to tell. */
unsigned long elisa_test_page_alloc(gfp_t flags);
void elisa_test_page_free(unsigned long page);

#define kmalloc(...) (elisa_test_fails() ? NULL : kmalloc(__VA_ARGS__))
#define kzalloc(...) (elisa_test_fails() ? NULL : kzalloc(__VA_ARGS__))
#define kvmalloc(...) (elisa_test_fails() ? NULL : kvmalloc(__VA_ARGS__))
#define kvzalloc(...) (elisa_test_fails() ? NULL : kvzalloc(__VA_ARGS__))
#define kvcalloc(...) (elisa_test_fails() ? NULL : kvcalloc(__VA_ARGS__))
#define vzalloc(...) (elisa_test_fails() ? NULL : vzalloc(__VA_ARGS__))
#define vmap(...) (elisa_test_fails() ? NULL : vmap(__VA_ARGS__))
#define alloc_pages_exact(...) (elisa_test_fails() ? NULL : alloc_pages_exact(__VA_ARGS__))
#undef free_page
#define get_zeroed_page(flags) (elisa_test_fails() ? 0 : elisa_test_page_alloc(flags))
#define free_page(page) elisa_test_page_free(page)
#define pin_user_pages_fast(...) (elisa_test_fails() ? -ENOMEM : pin_user_pages_fast(__VA_ARGS__))
#define get_unused_fd_flags(...) (elisa_test_fails() ? -EMFILE : get_unused_fd_flags(__VA_ARGS__))
#define anon_inode_getfile(...) \
	(elisa_test_fails() ? ERR_PTR(-ENFILE) : anon_inode_getfile(__VA_ARGS__))
#define anon_inode_getfd(...) (elisa_test_fails() ? -ENFILE : anon_inode_getfd(__VA_ARGS__))
#define misc_register(...) (elisa_test_fails() ? -ENOMEM : misc_register(__VA_ARGS__))

#endif
