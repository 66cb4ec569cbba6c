/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * names.h - names of switches and ports, and MAC addresses, as people write them.
 *
 * Pure functions, any thread.
 */
#ifndef ELISA_DAEMON_NAMES_H
#define ELISA_DAEMON_NAMES_H

#include <elisa/types.h>

#define ELISA_NAME_RULE "1 to 31 letters, digits, '-', '_' or '.', the first a letter or digit"

/* Whether a switch or port may be called so: ELISA_NAME_RULE. Such a name is safe in a path. */
bool elisa_name_valid(const char *name);

#define ELISA_MAC_TEXT_SIZE 18

/* "52:e1:15:a0:00:01"; false if it is not six bytes in hexadecimal, or multicast, or zero. */
bool elisa_mac_parse(const char *text, uint8_t mac[ELISA_MAC_SIZE]);
void elisa_mac_print(const uint8_t mac[ELISA_MAC_SIZE], char text[ELISA_MAC_TEXT_SIZE]);

/* The address of a port that was given none: 52:e1:15:a0:xx:xx, always the same for two names. */
void elisa_mac_derive(const char *switch_name, const char *port_name, uint8_t mac[ELISA_MAC_SIZE]);

#endif
