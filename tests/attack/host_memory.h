/* SPDX-License-Identifier: BSD-3-Clause */
/* host_memory.h - what the host has pinned and allocated, to see a leak. */
#ifndef ELISA_TEST_ATTACK_HOST_MEMORY_H
#define ELISA_TEST_ATTACK_HOST_MEMORY_H

#include <stdint.h>

/* Pages that the module has pinned now (INFO). */
uint64_t host_pinned_pages(void);

/* KiB that the kernel itself has allocated: slabs that cannot be reclaimed, and vmalloc. */
uint64_t host_kernel_kib(void);

#endif
