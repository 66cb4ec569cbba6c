/* SPDX-License-Identifier: GPL-2.0-only */
/* attach.h - joining a VM of KVM's to a domain. */
#ifndef ELISA_KMOD_ATTACH_H
#define ELISA_KMOD_ATTACH_H

#include <elisa/uapi.h>

struct elisa_domain;

/* VM_ATTACH: the vm's file descriptor, or an error; fills the out fields. */
int elisa_attach(struct elisa_domain *domain, struct elisa_vm_attach *argument);

#endif
