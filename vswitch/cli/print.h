/* SPDX-License-Identifier: BSD-3-Clause */
/* print.h - the daemon's results for people. What a result lacks is printed as "-". */
#ifndef ELISA_CLI_PRINT_H
#define ELISA_CLI_PRINT_H

#include <jansson.h>

void elisa_print_nothing(const json_t *result);
void elisa_print_port(const json_t *result);
void elisa_print_ports(const json_t *result);
void elisa_print_uplink(const json_t *result);
void elisa_print_uplinks(const json_t *result);
void elisa_print_stats(const json_t *result);
void elisa_print_fdb(const json_t *result);
void elisa_print_flush(const json_t *result);
void elisa_print_vms(const json_t *result);
void elisa_print_proof(const json_t *result);
void elisa_print_status(const json_t *result);

#endif
