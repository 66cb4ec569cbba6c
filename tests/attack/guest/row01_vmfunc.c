// SPDX-License-Identifier: BSD-3-Clause
/* row01_vmfunc.c - VMFUNC with any function and index, outside the gate's page. */
#include "runtime.h"

ATTACK_FUNCTION int64_t row01_vmfunc(uint64_t function, uint64_t index)
{
	__asm__ volatile(".byte 0x0f, 0x01, 0xd4" : : "a"(function), "c"(index) : "memory");
	return 0;
}
