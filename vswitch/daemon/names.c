// SPDX-License-Identifier: BSD-3-Clause
/* names.c - see names.h. */
#include "names.h"

#include <stdio.h>
#include <string.h>

static bool letter_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool elisa_name_valid(const char *name)
{
	size_t length = strnlen(name, ELISA_NAME_SIZE);

	if (length == 0 || length == ELISA_NAME_SIZE || !letter_or_digit(name[0]))
		return false;
	for (size_t i = 1; i < length; i++) {
		if (!letter_or_digit(name[i]) && name[i] != '-' && name[i] != '_' && name[i] != '.')
			return false;
	}
	return true;
}

static int hexadecimal_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool elisa_mac_parse(const char *text, uint8_t mac[ELISA_MAC_SIZE])
{
	uint8_t all = 0;

	if (strnlen(text, ELISA_MAC_TEXT_SIZE) != ELISA_MAC_TEXT_SIZE - 1)
		return false;
	for (unsigned int i = 0; i < ELISA_MAC_SIZE; i++) {
		int high = hexadecimal_digit(text[3 * i]);
		int low = hexadecimal_digit(text[3 * i + 1]);

		if (high < 0 || low < 0 || (i < ELISA_MAC_SIZE - 1 && text[3 * i + 2] != ':'))
			return false;
		mac[i] = (uint8_t)(high << 4 | low);
		all |= mac[i];
	}
	return all != 0 && !(mac[0] & 1);
}

void elisa_mac_print(const uint8_t mac[ELISA_MAC_SIZE], char text[ELISA_MAC_TEXT_SIZE])
{
	snprintf(text, ELISA_MAC_TEXT_SIZE, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
		 mac[3], mac[4], mac[5]);
}

/* FNV-1a: spreads short names well, and is the same on every host and in every version. */
static uint32_t hash_text(uint32_t hash, const char *text)
{
	for (; *text; text++)
		hash = (hash ^ (uint8_t)*text) * 16777619u;
	return hash;
}

void elisa_mac_derive(const char *switch_name, const char *port_name, uint8_t mac[ELISA_MAC_SIZE])
{
	static const uint8_t prefix[4] = {0x52, 0xe1, 0x15, 0xa0};
	uint32_t hash = hash_text(hash_text(hash_text(2166136261u, switch_name), "/"), port_name);

	hash ^= hash >> 16;
	memcpy(mac, prefix, sizeof(prefix));
	mac[4] = (uint8_t)(hash >> 8);
	mac[5] = (uint8_t)hash;
}
