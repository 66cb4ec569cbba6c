/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * capture_memory.h - the memory of the capture rings (vswitch/datapath/capture.h): mapped into the
 * trusted context while somebody captures, with a ring for each vCPU there is. Main thread.
 */
#ifndef ELISA_DAEMON_CAPTURE_MEMORY_H
#define ELISA_DAEMON_CAPTURE_MEMORY_H

#include "domain.h"
#include "failure.h"

#include "vswitch/datapath/capture.h"

struct elisa_capture_memory {
	struct elisa_capture *rings;          /* NULL: not mapped */
	uint64_t mapped;                      /* bytes */
	unsigned int nb_pieces;               /* each was mapped by one call */
	uint64_t pieces[ELISA_MAX_VCPUS + 1]; /* where each ends */
};

/*
 * Rings for `nb_vcpus` vCPUs at least; the first call also makes the memory. After a failure there
 * are as many as before.
 */
int elisa_capture_memory_grow(struct elisa_capture_memory *memory, struct elisa_domain *domain,
			      uint32_t nb_vcpus, struct elisa_failure *failure);

/* Unmaps it all. First, no port may capture any more (elisa_switch_port_set_capture()). */
void elisa_capture_memory_free(struct elisa_capture_memory *memory, struct elisa_domain *domain);

#endif
