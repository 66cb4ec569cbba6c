/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * grace.h - waiting until vCPUs have left the trusted context, or making one leave.
 *
 * But for elisa_grace_evict() the caller holds the domain's lock, so that no vCPU comes or goes
 * meanwhile.
 */
#ifndef ELISA_KMOD_GRACE_H
#define ELISA_KMOD_GRACE_H

#include <linux/types.h>

struct elisa_domain;
struct elisa_vcpu;

/*
 * On return every vCPU of the domain has been outside its contexts at some moment since the call,
 * and sees all stores that the caller made before. A vCPU that stays parked inside for more than
 * 1 s is thrown out when it is entered next. May sleep, a bit more than that.
 */
void elisa_grace_wait(struct elisa_domain *domain);

/*
 * DOMAIN_VCPU_EVICT of the vCPU `number` (below ELISA_MAX_VCPUS): on return it has been outside its
 * contexts at some moment since the call, or is EVICTED: it was parked for a second. Takes
 * domain->lock itself, not all the time.
 *	-ENOENT	no such vCPU attached	-ETIMEDOUT it ran inside all the time	-EINTR
 */
int elisa_grace_evict(struct elisa_domain *domain, u32 number);

/*
 * On return the vCPU does not run with the vcpu->contexts that it had before the call. Its hooks
 * may use them until synchronize_rcu(), which is the caller's. May sleep.
 */
void elisa_grace_quiesce(struct elisa_vcpu *vcpu);

#endif
