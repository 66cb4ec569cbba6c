/* SPDX-License-Identifier: BSD-3-Clause */
/* table.h - aligned columns on standard output. */
#ifndef ELISA_CLI_TABLE_H
#define ELISA_CLI_TABLE_H

#include <stddef.h>

#define ELISA_TABLE_COLUMNS 12u

/* Zero it, then one elisa_table_row() for each row, then elisa_table_print(), which frees it. */
struct elisa_table {
	unsigned int columns;
	char **cells;
	size_t count, room;
};

/* Up to ELISA_TABLE_COLUMNS texts, as many in each row, the first row is the heading. Copied. */
void elisa_table_row(struct elisa_table *table, unsigned int columns, ...);

/* A column of numbers is aligned to the right. Ends the program without memory. */
void elisa_table_print(struct elisa_table *table);

#endif
