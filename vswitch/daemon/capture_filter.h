/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * capture_filter.h - is a BPF program one that libpcap can run on any packet, to an end? Pure.
 */
#ifndef ELISA_DAEMON_CAPTURE_FILTER_H
#define ELISA_DAEMON_CAPTURE_FILTER_H

#include <stdbool.h>
#include <stdint.h>

struct bpf_insn; /* of libpcap */

#define ELISA_FILTER_MAX 2048u /* instructions */

bool elisa_filter_is_safe(const struct bpf_insn *filter, uint32_t nb);

#endif
