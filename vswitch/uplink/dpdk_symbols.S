/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dpdk_symbols.S - what the drivers' objects need of the rest of DPDK, in the trusted image.
 *
 * Functions that no burst function reaches, but others of the same object do: each stops the vCPU
 * there, which is then thrown out. tests/unit/uplink/check_drivers.py looks that none is reached but
 * the two for what cannot be: __rte_panic and __stack_chk_fail.
 */
	.macro trap name
	.globl \name
	.hidden \name
	.type \name, @function
\name:
	ud2
	.size \name, . - \name
	.endm

	.text
	trap __rte_panic
	trap __stack_chk_fail
	trap __tls_get_addr
	trap rte_log
	trap rte_delay_us_sleep
	trap rte_eth_dma_zone_reserve
	trap rte_free
	trap rte_memzone_free
	trap rte_pci_read_config
	trap rte_zmalloc
	trap e1000_lv_jumbo_workaround_ich8lan

	.section .rodata.dpdk, "a", @progbits
	.globl e1000_logtype_driver, e1000_logtype_init
	.hidden e1000_logtype_driver, e1000_logtype_init
	.balign 4
e1000_logtype_driver:
e1000_logtype_init:
	.long 0

	/* Constant: LCORE_ID_ANY, so that mempools keep no cache for "this core". */
	.section .tdata, "awT", @progbits
	.balign 4
	.globl per_lcore__lcore_id
	.type per_lcore__lcore_id, @object
	.size per_lcore__lcore_id, 4
per_lcore__lcore_id:
	.long 0xffffffff
	.globl per_lcore__rte_errno
	.type per_lcore__rte_errno, @object
	.size per_lcore__rte_errno, 4
per_lcore__rte_errno:
	.long 0

	.section .note.GNU-stack, "", @progbits
