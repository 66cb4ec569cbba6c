/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fake_module.h - a double of the host module behind vswitch/daemon/module.h, for unit tests only.
 *
 * As strict as uapi.h: it fails the test where the daemon asks for something that the module would
 * have to refuse, closes a parent before its children, or leaves a port in the wrong order.
 */
#ifndef ELISA_TESTS_FAKE_MODULE_H
#define ELISA_TESTS_FAKE_MODULE_H

#include <elisa/uapi.h>

#include <sys/types.h>

/* What a fake VM's "KVM descriptor" (a memfd) holds. */
struct fake_vm_content {
	pid_t pid;
	uint32_t nb_vcpus;
};

/* What the next calls answer: 0, or -errno. */
struct fake_module {
	int open_error, info_error, domain_error, map_error, attach_error, port_add_error;
	int port_state_error, stats_error, prove_error, cmpxchg_error, event_error;
	int unmap_error, evict_error;
	unsigned int map_error_at; /* which DOMAIN_MAP fails, from 0 */
	uint32_t info_version, missing, refusal, invariant;
	uint32_t claimed; /* what PORT_STATE says */
	uint64_t held;    /* what VM_VCPU_STATS says */

	uint64_t tsc_offset; /* what VM_VCPU_STATS says */
	uint32_t tsc_scaled;
	void (*before_unmap)(const struct elisa_domain_map *map);
	void (*on_evict)(uint32_t vcpu); /* what the vCPU does until it is out; may be NULL */

	/* What happened. maps: those that there are. */
	unsigned int maps, unmaps, attaches, port_adds, cmpxchgs, reopens, evicts;
	struct elisa_port_add last_port;
	uint64_t word; /* what every DOMAIN_CMPXCHG64 works on */
	uint64_t last_offset;
};

extern struct fake_module fake_module;

void fake_module_reset(void);

/* Objects that are open now: 0 after a clean end. */
unsigned int fake_module_objects(void);

/* What is mapped at an offset of the window, or NULL. */
void *fake_module_mapped(uint64_t offset);

void fake_module_send(const struct elisa_event *event);

#endif
