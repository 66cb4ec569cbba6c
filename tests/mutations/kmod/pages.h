/* SPDX-License-Identifier: BSD-3-Clause */
/* pages.h - in the testing build: code pages with a mutant in them (tests/mutations/mutants.py makes them). */
#ifndef ELISA_TEST_PAGES_H
#define ELISA_TEST_PAGES_H

/* What the module is to copy instead of this page; the page itself, unless a mutant of it is alive. */
const unsigned char *elisa_test_page_of(const unsigned char *page);

#endif
