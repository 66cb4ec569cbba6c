/* SPDX-License-Identifier: BSD-3-Clause */
/* vm_name.h - the name that a VMM's command line gives its VM. Pure functions, any thread. */
#ifndef ELISA_DAEMON_VM_NAME_H
#define ELISA_DAEMON_VM_NAME_H

#include <elisa/types.h>

#define ELISA_VM_NAME_SIZE 256 /* libvirt's names are shorter */

/*
 * Takes the guest's name from a /proc/PID/cmdline: NUL-separated arguments, QEMU's
 * "-name NAME[,…]" or "-name guest=NAME[,…]" (which libvirt passes), the last one if several, with
 * ",," standing for a comma. The bytes are another process's and may be anything.
 * False and an empty name if there is none, it does not fit, or it has control characters.
 */
bool elisa_vm_name_parse(const char *cmdline, size_t size, char name[ELISA_VM_NAME_SIZE]);

#endif
