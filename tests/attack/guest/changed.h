/* SPDX-License-Identifier: BSD-3-Clause */
/* changed.h - what a guest found in its receive rings, for the VMM: rows 8 to 10. */
#ifndef ELISA_TEST_ATTACK_CHANGED_H
#define ELISA_TEST_ATTACK_CHANGED_H

#include <stdint.h>

#define CHANGED_RECORDS 16

struct changed_record {
	uint32_t length;
	uint8_t destination; /* last bytes of the addresses */
	uint8_t source;
	uint8_t source_first;
	uint8_t port;  /* which of the guest's: 2, 3 */
	uint8_t first; /* the byte behind the header */
	uint8_t mixed; /* not all bytes from there on are the same */
};

#endif
