// SPDX-License-Identifier: BSD-3-Clause
/*
 * exported.c - see exported.h. Pages come in ascending order, of kernel and of physical addresses.
 *
 * What the prover asks of its seam is answered from the copies: an entry that leads to a page that gate/
 * did not get from its own seam leads to nothing, and the prover says so. (In the module any RAM is
 * answered for.)
 */
#include "exported.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "gate/seam.h"
#include "tests/mutations/kmod/export.h"

#define ROOM 8192u
#define SPARE 64u /* pages that the prover itself asks for */
#define SPARE_HPA 0x7f0000000000ull

struct page {
	uint64_t address;
	uint64_t hpa;
};

static struct page pages[ROOM];
static uint8_t (*copies)[ELISA_PAGE_SIZE];
static uint32_t nb_pages;
static uint8_t spares[SPARE][ELISA_PAGE_SIZE] __attribute__((aligned(ELISA_PAGE_SIZE)));
static bool spare_used[SPARE];

static int compare_address(const void *key, const void *element)
{
	uint64_t wanted = *(const uint64_t *)key, there = ((const struct page *)element)->address;

	return wanted < there ? -1 : wanted > there;
}

static int compare_hpa(const void *key, const void *element)
{
	uint64_t wanted = *(const uint64_t *)key, there = ((const struct page *)element)->hpa;

	return wanted < there ? -1 : wanted > there;
}

/* The copy of the page that has this address in the kernel; NULL if there is none. */
static void *copy_of(const void *address)
{
	uint64_t key = (uintptr_t)address;
	struct page *page = bsearch(&key, pages, nb_pages, sizeof(*page), compare_address);

	return page ? copies[page - pages] : NULL;
}

void *elisa_seam_page_alloc(void)
{
	uint32_t i;

	for (i = 0; i < SPARE; i++) {
		if (!spare_used[i]) {
			spare_used[i] = true;
			return memset(spares[i], 0, ELISA_PAGE_SIZE);
		}
	}
	return NULL;
}

void elisa_seam_page_free(void *page)
{
	spare_used[((uint8_t(*)[ELISA_PAGE_SIZE])page) - spares] = false;
}

struct elisa_hpa elisa_seam_page_hpa(const void *page)
{
	uint64_t at = (const uint8_t *)page - copies[0];

	if (at < (uint64_t)nb_pages * ELISA_PAGE_SIZE)
		return elisa_hpa(pages[at / ELISA_PAGE_SIZE].hpa);
	return elisa_hpa(SPARE_HPA + ((const uint8_t *)page - spares[0]));
}

void *elisa_seam_hpa_page(struct elisa_hpa hpa)
{
	struct page *page = bsearch(&hpa.value, pages, nb_pages, sizeof(*page), compare_hpa);

	return page ? copies[page - pages] : NULL;
}

void elisa_seam_invalidate(const uint64_t *eptps, unsigned int count)
{
	(void)eptps;
	(void)count;
}

/* Pointers of the kernel's become pointers to copies. False: one leads to no page of gate/'s. */
static bool adopt(void *pointer)
{
	void **place = pointer;

	if (!*place)
		return true;
	*place = copy_of(*place);
	return *place;
}

static bool adopt_tables(struct elisa_domain_tables *tables)
{
	bool good = adopt(&tables->trusted.root) && adopt(&tables->shared.root) &&
		    adopt(&tables->gate_page) && adopt(&tables->entry_page) &&
		    adopt(&tables->claims);
	uint32_t i;

	for (i = 0; good && i < ELISA_TRUSTED_PAGES; i++)
		good = adopt(&tables->trusted.pages[i]);
	for (i = 0; good && i < ELISA_PAGE_SIZE / sizeof(uint64_t *); i++)
		good = adopt(&tables->claims[i]);
	return good;
}

static bool adopt_contexts(struct elisa_contexts *contexts)
{
	bool good = adopt(&contexts->tables) && adopt(&contexts->gate.root) &&
		    adopt(&contexts->trusted.root) && adopt(&contexts->list) &&
		    adopt(&contexts->table) && adopt(&contexts->identity);
	uint32_t i;

	for (i = 0; good && i < ELISA_STACK_PAGES; i++)
		good = adopt(&contexts->stack[i]);
	return good;
}

static int take(struct exported *exported, const struct elisa_test_export *argument,
		const struct elisa_test_page *from)
{
	uint32_t i;

	nb_pages = argument->nb_pages;
	free(copies);
	copies = aligned_alloc(ELISA_PAGE_SIZE, (size_t)nb_pages * ELISA_PAGE_SIZE);
	if (!copies)
		return ENOMEM;
	for (i = 0; i < nb_pages; i++) {
		pages[i] = (struct page){from[i].address, from[i].hpa};
		memcpy(copies[i], from[i].bytes, ELISA_PAGE_SIZE);
	}
	exported->nb_pages = nb_pages;
	exported->tables = copy_of((void *)(uintptr_t)argument->tables);
	if (!exported->tables || !adopt_tables(exported->tables))
		return EFAULT;
	for (i = 0; i < ELISA_MAX_VCPUS; i++) {
		exported->contexts[i] = copy_of((void *)(uintptr_t)argument->contexts[i]);
		if (argument->contexts[i] &&
		    (!exported->contexts[i] || !adopt_contexts(exported->contexts[i])))
			return EFAULT;
	}
	return 0;
}

int exported_read(struct exported *exported, int domain)
{
	struct elisa_test_page *buffer = malloc(ROOM * sizeof(*buffer));
	struct elisa_test_export argument = {.pages = (uintptr_t)buffer, .room = ROOM};
	int error;

	if (!buffer)
		return ENOMEM;
	error = ioctl(domain, ELISA_TEST_EXPORT, &argument) ? errno
							    : take(exported, &argument, buffer);
	free(buffer);
	return error;
}

int exported_prove(const struct exported *exported, struct elisa_proof *proof)
{
	int found = 0;
	uint32_t i;

	for (i = 0; !found && i < ELISA_MAX_VCPUS; i++) {
		if (exported->contexts[i])
			found = elisa_prove(exported->tables, exported->contexts[i], proof);
	}
	return found;
}
