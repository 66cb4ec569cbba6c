/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * gate.h - the door to the switch: hypercalls to set things up, gate calls to send.
 *
 * Chosen once, when a port is probed. The rest of the driver knows no other way to the switch and
 * is the same behind every gate.
 */
#ifndef NET_ELISA_GATE_H
#define NET_ELISA_GATE_H

#include <elisa/hypercall.h>
#include <elisa/ring.h>

struct elisa_gate {
	/* As in ring.h. One indirect call for each burst; the queue's own thread. */
	int64_t (*call)(const struct elisa_gate *gate, uint64_t operation, uint64_t first,
			uint64_t second);
	/*
	 * As in hypercall.h: number is an enum elisa_hypercall_number, argument and size as there.
	 * The argument's pages must be present; a structure that was just filled in is.
	 */
	int64_t (*hypercall)(const struct elisa_gate *gate, uint32_t number, void *argument,
			     uint32_t size);
	/* Frees what open made. No call is under way or follows. */
	void (*close)(struct elisa_gate *gate);

	void *state;      /* the gate's own */
	const char *name; /* as in devargs */
	bool pins;        /* the host pins what is registered: it must be present, and stay */
};

/*
 * All fill *gate and return 0, or log one line that begins with `device` and return -errno.
 * Main thread only. Free with gate->close().
 *
 * vmfunc: VMFUNC into the host's trusted context (SDM 26.5.6). -ENOTSUP: not in a VM that can.
 * vmcall: one VM exit for each gate call, the host runs the switch: a baseline to measure against.
 *         -ENOTSUP also: the host's module has it switched off.
 * local:  the switch in this process (elisa/local.h); a name that is empty gets a default.
 */
int elisa_gate_open_vmfunc(struct elisa_gate *gate, const char *device);
int elisa_gate_open_vmcall(struct elisa_gate *gate, const char *device);
int elisa_gate_open_local(struct elisa_gate *gate, const char *device, const char *switch_name,
			  const char *port_name);

#endif
