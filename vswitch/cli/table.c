// SPDX-License-Identifier: BSD-3-Clause
/* table.c - see table.h. */
#include "table.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *or_die(void *memory)
{
	if (memory)
		return memory;
	fputs("elisactl: no memory for the table; use --json\n", stderr);
	exit(1);
}

void elisa_table_row(struct elisa_table *table, unsigned int columns, ...)
{
	va_list cells;

	table->columns = columns;
	if (table->count + columns > table->room) {
		table->room = 2 * table->room + 16 * columns;
		table->cells = or_die(realloc(table->cells, table->room * sizeof(table->cells[0])));
	}
	va_start(cells, columns);
	for (unsigned int i = 0; i < columns; i++)
		table->cells[table->count++] = or_die(strdup(va_arg(cells, const char *)));
	va_end(cells);
}

/* Characters, not bytes: what continues a UTF-8 character takes no place. */
static int width(const char *text)
{
	int count = 0;

	for (; *text; text++)
		count += ((unsigned char)*text & 0xc0) != 0x80;
	return count;
}

static bool is_number(const char *text)
{
	return *text && strspn(text, "0123456789") == strlen(text);
}

static void measure(const struct elisa_table *table, unsigned int column, int *widest,
		    bool *numbers)
{
	*widest = 0;
	*numbers = table->count > table->columns;
	for (size_t i = column; i < table->count; i += table->columns) {
		int one = width(table->cells[i]);

		*widest = one > *widest ? one : *widest;
		if (i >= table->columns && !is_number(table->cells[i]))
			*numbers = false;
	}
}

static void print_cell(const char *text, int widest, bool right, bool last)
{
	int padding = widest - width(text);

	if (right)
		printf("%*s%s", padding, "", text);
	else
		printf("%s%*s", text, last ? 0 : padding, "");
	fputs(last ? "\n" : "  ", stdout);
}

void elisa_table_print(struct elisa_table *table)
{
	int widest[ELISA_TABLE_COLUMNS];
	bool numbers[ELISA_TABLE_COLUMNS];

	for (unsigned int i = 0; i < table->columns; i++)
		measure(table, i, &widest[i], &numbers[i]);
	for (size_t i = 0; i < table->count; i++) {
		unsigned int column = (unsigned int)(i % table->columns);

		print_cell(table->cells[i], widest[column], numbers[column],
			   column == table->columns - 1);
		free(table->cells[i]);
	}
	free(table->cells);
	*table = (struct elisa_table){0};
}
