// SPDX-License-Identifier: BSD-3-Clause
/* runtime.c - see runtime.h. */
#include "runtime.h"

int64_t raw_hypercall(uint64_t rax, uint64_t argument, uint64_t size)
{
	__asm__ volatile("vmcall" : "+a"(rax) : "D"(argument), "S"(size) : "memory");
	return (int64_t)rax;
}

int64_t gate_call(uint64_t operation, uint64_t first, uint64_t second)
{
	int64_t result;

	__asm__ volatile("mov %[stub], %%rax\n\t"
			 "call *%%rax"
			 : "=a"(result), "+D"(operation), "+S"(first), "+d"(second)
			 : [stub] "i"(GUEST_CALL_STUB)
			 : "rcx", "r8", "r9", "r10", "r11", "cc", "memory");
	return result;
}

/* The compiler may call these; `rep` keeps it from making this function call itself. */
void *memcpy(void *to, const void *from, size_t size)
{
	void *end = to;

	__asm__ volatile("rep movsb" : "+D"(end), "+S"(from), "+c"(size) : : "memory");
	return to;
}

void *memset(void *to, int value, size_t size)
{
	void *end = to;

	__asm__ volatile("rep stosb" : "+D"(end), "+c"(size) : "a"(value) : "memory");
	return to;
}
