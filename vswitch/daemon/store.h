/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * store.h - descriptors that somebody else keeps, so that they outlive this process: systemd's file
 * descriptor store (sd_notify(3), FDSTORE=1), or elisa-switchd --monitor, which speaks the same.
 *
 * A thing is kept by one message with all its descriptors, so it is kept whole or not at all: right after
 * it was made, before anybody hears of it; and it is dropped after it was revoked. Whoever adopts them
 * (kept.h, adopt.h) relies on that order. Main thread.
 */
#ifndef ELISA_DAEMON_STORE_H
#define ELISA_DAEMON_STORE_H

#include "records.h"

#define ELISA_KEPT_NAME_SIZE 24

/* Whether somebody keeps descriptors. If not, the functions below do nothing. */
bool elisa_store_present(void);

/*
 * Keeps a thing: its record, and up to two descriptors (-1: none), which stay the caller's. If that
 * fails, the log says what it means. Waits no longer than notify.h says.
 */
void elisa_store_keep(enum elisa_kept_kind kind, unsigned int number, const void *record,
		      uint32_t size, int first, int second);

void elisa_store_drop(enum elisa_kept_kind kind, unsigned int number);

/* The same by the name it is kept under. */
void elisa_store_drop_name(const char *name);

/* The name that it is kept under: "vm-3". */
void elisa_kept_name(enum elisa_kept_kind kind, unsigned int number,
		     char name[ELISA_KEPT_NAME_SIZE]);

#endif
