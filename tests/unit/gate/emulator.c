// SPDX-License-Identifier: BSD-3-Clause
/*
 * emulator.c - see emulator.h.
 */
#include "emulator.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define MAX_INSTRUCTIONS 200

const int emulator_registers[EMULATOR_REGISTERS] = {
	UC_X86_REG_RAX, UC_X86_REG_RCX, UC_X86_REG_RDX, UC_X86_REG_RBX,
	UC_X86_REG_RSP, UC_X86_REG_RBP, UC_X86_REG_RSI, UC_X86_REG_RDI,
	UC_X86_REG_R8,  UC_X86_REG_R9,  UC_X86_REG_R10, UC_X86_REG_R11,
	UC_X86_REG_R12, UC_X86_REG_R13, UC_X86_REG_R14, UC_X86_REG_R15,
};

static void on_vmfunc(uc_engine *engine, uint64_t address, uint32_t size, void *data)
{
	struct emulator *emulator = data;

	(void)address;
	(void)size;
	emulator->at_vmfunc = true;
	uc_emu_stop(engine);
}

static void on_exception(uc_engine *engine, uint32_t number, void *data)
{
	(void)number;
	(void)data;
	uc_emu_stop(engine);
}

void emulator_open(struct emulator *emulator, const unsigned char *page, unsigned int vmfunc)
{
	uint64_t at = ELISA_GVA(ELISA_OFFSET_GATE);
	uc_hook hook;

	*emulator = (struct emulator){.vmfunc = vmfunc};
	assert_int_equal(uc_open(UC_ARCH_X86, UC_MODE_64, &emulator->engine), UC_ERR_OK);
	assert_int_equal(uc_mem_map(emulator->engine, at, ELISA_PAGE_SIZE, UC_PROT_EXEC),
			 UC_ERR_OK);
	assert_int_equal(uc_mem_map(emulator->engine, ELISA_GVA(ELISA_OFFSET_LIST), ELISA_PAGE_SIZE,
				    UC_PROT_READ | UC_PROT_WRITE),
			 UC_ERR_OK);
	assert_int_equal(uc_mem_map(emulator->engine, ELISA_GVA(ELISA_OFFSET_TABLE),
				    ELISA_PAGE_SIZE, UC_PROT_READ),
			 UC_ERR_OK);
	emulator_write(emulator, ELISA_OFFSET_GATE, page, ELISA_PAGE_SIZE);
	assert_int_equal(uc_hook_add(emulator->engine, &hook, UC_HOOK_CODE, (void *)on_vmfunc,
				     emulator, at + vmfunc, at + vmfunc),
			 UC_ERR_OK);
	assert_int_equal(uc_hook_add(emulator->engine, &hook, UC_HOOK_INTR, (void *)on_exception,
				     NULL, 1, 0),
			 UC_ERR_OK);
}

void emulator_close(struct emulator *emulator)
{
	uc_close(emulator->engine);
}

void emulator_run(struct emulator *emulator, unsigned int offset)
{
	emulator->at_vmfunc = false;
	/* Its result only says which kind of exit ended the run. */
	uc_emu_start(emulator->engine, ELISA_GVA(ELISA_OFFSET_GATE) + offset, 0, 0,
		     MAX_INSTRUCTIONS);
}

void emulator_write(struct emulator *emulator, uint64_t offset, const void *bytes, size_t size)
{
	assert_int_equal(uc_mem_write(emulator->engine, ELISA_GVA(offset), bytes, size), UC_ERR_OK);
}

void emulator_read(struct emulator *emulator, uint64_t offset, void *bytes, size_t size)
{
	assert_int_equal(uc_mem_read(emulator->engine, ELISA_GVA(offset), bytes, size), UC_ERR_OK);
}

uint64_t emulator_get(struct emulator *emulator, int reg)
{
	uint64_t value = 0;

	assert_int_equal(uc_reg_read(emulator->engine, reg, &value), UC_ERR_OK);
	return value;
}

void emulator_set(struct emulator *emulator, int reg, uint64_t value)
{
	assert_int_equal(uc_reg_write(emulator->engine, reg, &value), UC_ERR_OK);
}
