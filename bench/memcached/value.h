/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * value.h - the bytes of keys and values. A value follows from its key and version alone, so each
 * answer can be checked to its last byte. Values have any bytes, also those that end lines.
 */
#ifndef BENCH_VALUE_H
#define BENCH_VALUE_H

#include <stddef.h>
#include <stdint.h>

#define KEY_MIN 11          /* "k" and ten digits */
#define KEY_MAX 250         /* memcached's */
#define VALUE_MIN 8         /* the version, in hexadecimal digits */
#define VALUE_MAX (1 << 20) /* memcached's default limit of an item, about */

/* Writes size bytes, KEY_MIN to KEY_MAX: "k", then the key's number with zeros in front. */
void key_write(uint32_t key, char *to, size_t size);

/* Writes size bytes, VALUE_MIN to VALUE_MAX. */
void value_write(uint32_t key, uint32_t version, char *to, size_t size);

/* The version that these bytes are, or -EBADMSG if they are no version of the key's value. */
int value_check(uint32_t key, const char *bytes, size_t size, uint32_t *version);

#endif
