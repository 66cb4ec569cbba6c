/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * module.h - what the daemon asks of the host module: include/elisa/uapi.h as functions.
 *
 * The seam of the daemon: nothing else in it makes an ioctl on /dev/elisa or below. Unit tests link
 * a double instead of module.c. Functions fill in `version` and return 0, a file descriptor
 * (close-on-exec, the caller's) or -errno as uapi.h gives them. Main thread.
 */
#ifndef ELISA_DAEMON_MODULE_H
#define ELISA_DAEMON_MODULE_H

#include <elisa/uapi.h>

int elisa_module_open(void);
int elisa_module_info(int module, struct elisa_info *info);
int elisa_module_domain_create(int module, const char *name);
int elisa_module_domain_adopt(int module, int domain);

int elisa_module_domain_map(int domain, struct elisa_domain_map *map);
int elisa_module_domain_unmap(int domain, uint64_t offset, uint64_t length);
int elisa_module_domain_unmap_all(int domain, uint64_t offset, uint64_t length);
int elisa_module_domain_cmpxchg64(int domain, struct elisa_domain_cmpxchg64 *exchange);
int elisa_module_domain_vcpu_reopen(int domain, uint32_t vcpu);
int elisa_module_domain_vcpu_evict(int domain, uint32_t vcpu);
int elisa_module_domain_prove(int domain, struct elisa_domain_prove *proof);

/* Never blocks: -EAGAIN if there is no event. -EIO if a part of one came. */
int elisa_module_domain_event(int domain, struct elisa_event *event);

int elisa_module_vm_attach(int domain, struct elisa_vm_attach *attach);
int elisa_module_vm_vcpu_stats(int vm, struct elisa_vcpu_stats *stats);
int elisa_module_port_add(int vm, struct elisa_port_add *add);
int elisa_module_port_state(int port, struct elisa_port_state *state);

/*
 * Revokes a domain, vm or port and everything below it; returns when no vCPU can reach it any more. The
 * descriptor is to be closed still.
 */
void elisa_module_revoke(int object);

/* Closes a descriptor and nothing else: what is kept (store.h) goes on. */
void elisa_module_close(int object);

#endif
