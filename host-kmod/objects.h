/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * objects.h - the daemon's memory and registers in a domain's trusted context.
 *
 * The ioctls of uapi.h, with the user's argument unread. They take domain->lock themselves.
 */
#ifndef ELISA_KMOD_OBJECTS_H
#define ELISA_KMOD_OBJECTS_H

struct elisa_domain;

long elisa_object_map(struct elisa_domain *domain, void __user *user);
long elisa_object_unmap(struct elisa_domain *domain, void __user *user);
long elisa_object_cmpxchg64(struct elisa_domain *domain, void __user *user);

/* Unmap and release all. Under domain->lock, when no VM is attached any more. */
void elisa_objects_release(struct elisa_domain *domain);

#endif
