/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/*
 * version.h - versions of the contracts in this folder.
 *
 * A side that meets another version refuses with a message naming both; nothing is negotiated.
 */
#ifndef ELISA_VERSION_H
#define ELISA_VERSION_H

#define ELISA_VERSION_STRING "0.1.0"

/* Guest driver <-> host: hypercall.h, ring.h and the guest's part of layout.h. */
#define ELISA_GUEST_ABI 2u

/* Daemon <-> module: uapi.h. */
#define ELISA_UAPI_VERSION 4u

/* Trusted image <-> daemon and module: layout.h. */
#define ELISA_IMAGE_ABI 3u

#endif
