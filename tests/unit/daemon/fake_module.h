/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fake_module.h - a double of the host module behind vswitch/daemon/module.h, for unit tests only.
 *
 * As strict as uapi.h: it fails the test where the daemon asks for something that the module would
 * have to refuse, revokes a parent before its children, or leaves a port in the wrong order. An object
 * is known by what is behind its descriptor: others may hold descriptors of it too, and it lives until it
 * is revoked.
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
	int adopt_error; /* DOMAIN_ADOPT, adopt_errors times */
	unsigned int adopt_errors;
	unsigned int map_error_at; /* which DOMAIN_MAP fails, from 0 */
	uint32_t info_version, missing, refusal, invariant;
	uint32_t claimed; /* what PORT_STATE says */
	uint64_t held;    /* what VM_VCPU_STATS says */

	uint64_t tsc_offset; /* what VM_VCPU_STATS says */
	uint32_t tsc_scaled;
	void (*before_unmap)(const struct elisa_domain_map *map);
	void (*on_call)(void);           /* before each call that changes something; may be NULL */
	void (*on_evict)(uint32_t vcpu); /* what the vCPU does until it is out; may be NULL */

	/* What happened. maps: those that there are. */
	unsigned int maps, unmaps, attaches, port_adds, cmpxchgs, reopens, evicts, adopts;
	struct elisa_port_add last_port;
	uint64_t word; /* what every DOMAIN_CMPXCHG64 works on */
	uint64_t last_offset;
};

extern struct fake_module fake_module;

void fake_module_reset(void);

/* Objects that there are now: 0 after a clean end. */
unsigned int fake_module_objects(void);

/* As the kernel does when a process was killed: objects go that no descriptor is left of. */
void fake_module_collect(void);

/* The fake's own descriptors begin here: the daemon's are below. */
#define FAKE_MODULE_FD 700

/* What is mapped at an offset of the window, or NULL. */
void *fake_module_mapped(uint64_t offset);

void fake_module_send(const struct elisa_event *event);

#endif
