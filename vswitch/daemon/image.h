/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * image.h - reading the trusted image, elisa-image.elf.
 *
 * Accepts exactly what the datapath's linker script makes and nothing more general: one executable
 * segment from ELISA_OFFSET_TEXT on, one read-only segment from ELISA_OFFSET_RODATA on that begins
 * with struct elisa_image_header, entered at its first byte of text, nothing writable, nothing to
 * relocate. The file is the administrator's, but no byte of it is trusted before it is checked.
 */
#ifndef ELISA_DAEMON_IMAGE_H
#define ELISA_DAEMON_IMAGE_H

#include "failure.h"
#include "vswitch/datapath/switch.h"

#define ELISA_IMAGE_FILE_MAX (ELISA_TEXT_MAX + ELISA_RODATA_MAX + 0x400000ull)

struct elisa_image {
	void *file; /* the whole file; the two below point into it */
	const void *text;
	const void *rodata;
	uint64_t text_size;   /* bytes, 1..ELISA_TEXT_MAX */
	uint64_t rodata_size; /* bytes, header included, ..ELISA_RODATA_MAX */
	struct elisa_image_header header;
};

/* Checks `size` bytes and fills all but `file`. -ENOEXEC with a message. Any thread. */
int elisa_image_parse(const void *file, size_t size, struct elisa_image *image,
		      struct elisa_failure *failure);

/* Reads and checks a file. Free with elisa_image_free(). Also -errno of reading it, -EFBIG. */
int elisa_image_load(const char *path, struct elisa_image *image, struct elisa_failure *failure);

void elisa_image_free(struct elisa_image *image);

#endif
