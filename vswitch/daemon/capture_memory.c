// SPDX-License-Identifier: BSD-3-Clause
/* capture_memory.c - see capture_memory.h. */
#include "capture_memory.h"

#include "log.h"
#include "module.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

/* Pages that are not mapped into the trusted context are never touched: only addresses are taken. */
static int reserve(struct elisa_capture_memory *memory, struct elisa_failure *failure)
{
	void *place = mmap(NULL, ELISA_CAPTURE_MAX, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (place == MAP_FAILED)
		return elisa_fail(failure, -ENOMEM, "no memory for a capture; free some");
	*memory = (struct elisa_capture_memory){.rings = place};
	return 0;
}

static int map(struct elisa_capture_memory *memory, struct elisa_domain *domain, uint64_t end,
	       struct elisa_failure *failure)
{
	struct elisa_domain_map request = {
		.access = ELISA_MAP_WRITE,
		.address = (uintptr_t)memory->rings + memory->mapped,
		.length = end - memory->mapped,
		.offset = ELISA_OFFSET_CAPTURE + memory->mapped,
	};
	int result = elisa_module_domain_map(domain->fd, &request);

	if (result == -ENOMEM)
		return elisa_fail(failure, result,
				  "%llu KiB for a capture cannot be pinned: free memory, or raise "
				  "RLIMIT_MEMLOCK (systemd: LimitMEMLOCK=infinity)",
				  (unsigned long long)request.length / 1024);
	if (result)
		return elisa_fail(
			failure, result,
			"the module does not map the memory of a capture: %s; install the "
			"same version of the module and of elisa-switchd",
			strerror(-result));
	memory->mapped = end;
	memory->pieces[memory->nb_pieces++] = end;
	return 0;
}

int elisa_capture_memory_grow(struct elisa_capture_memory *memory, struct elisa_domain *domain,
			      uint32_t nb_vcpus, struct elisa_failure *failure)
{
	uint64_t end = ELISA_CAPTURE_RINGS_AT + (uint64_t)nb_vcpus * ELISA_CAPTURE_RING;
	bool fresh = !memory->rings;
	int result = fresh ? reserve(memory, failure) : 0;

	if (result || end <= memory->mapped)
		return result;
	result = map(memory, domain, end, failure);
	if (!result)
		__atomic_store_n(&memory->rings->nb_rings, nb_vcpus, __ATOMIC_RELEASE);
	else if (fresh)
		elisa_capture_memory_free(memory, domain);
	return result;
}

void elisa_capture_memory_free(struct elisa_capture_memory *memory, struct elisa_domain *domain)
{
	uint64_t begin = 0;

	if (!memory->rings)
		return;
	for (unsigned int i = 0; i < memory->nb_pieces; i++) {
		int result = elisa_module_domain_unmap(domain->fd, ELISA_OFFSET_CAPTURE + begin,
						       memory->pieces[i] - begin);

		if (result)
			elisa_log(ELISA_LOG_ERROR,
				  "the module does not unmap the memory of a capture: %s; look for "
				  "its messages in the kernel's log (dmesg)",
				  strerror(-result));
		begin = memory->pieces[i];
	}
	munmap(memory->rings, ELISA_CAPTURE_MAX);
	*memory = (struct elisa_capture_memory){0};
}
