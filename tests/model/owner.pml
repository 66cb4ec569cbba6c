/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * owner.pml - the robust try-lock of a NIC's queue: vswitch/uplink/owner.c, and the daemon that takes
 * the uplink down (vswitch/datapath/control_uplink.c). run.py says with which bounds and faults.
 *
 * As in receive.pml each STEP is one access to shared memory, and a vCPU may stop before each.
 */
#ifndef VCPUS
#define VCPUS 3
#endif
#ifndef CALLS
#define CALLS 2 /* how often each vCPU tries */
#endif
#ifndef STOPS
#define STOPS 2
#endif
#ifndef DOWNS
#define DOWNS 2 /* how often the daemon takes the uplink down, and up again */
#endif

#define DOWN 0
#define UP 1
#define VCPU(owner) ((owner) % 8)
#ifdef FAULT_TIMES_NOT_COUNTED
#define TIME 0
#else
#define TIME 8 /* one more time taken */
#endif

byte owner; /* times taken | vCPU + 1 */
byte state = UP;
bool inside[VCPUS]; /* in the trusted context */
byte stops = STOPS;

/* Ghosts. */
byte nb_users; /* vCPUs in the driver's code, and the daemon while it sets the NIC up */
bool half;     /* a vCPU stopped in the driver's code: the NIC has to be set up again */
byte nb_ended;

hidden byte one_user, set_up_again, queue_comes_back, progress;
#define CHECK(property, condition) assert((condition) || property)

#define MAY_STOP atomic { stops > 0 -> stops--; goto stop }
#define STEP(access) if :: atomic { access } :: MAY_STOP fi
#define WHEN(condition, then) if :: condition -> then :: else fi

proctype Vcpu(byte me)
{
	byte calls, seen;
	bool using;

call:
	atomic { inside[me] = false; seen = 0; WHEN(calls == CALLS, goto ended) };
	atomic { inside[me] = true; calls++ };
	/* owner.c: elisa_owner_take_queue() */
#ifdef FAULT_STATE_BEFORE_OWNER
	STEP(WHEN(state != UP, goto call));
#endif
	STEP(seen = owner; WHEN(VCPU(seen), goto call));
#ifdef FAULT_TAKE_WITHOUT_COMPARE
	STEP(owner = seen + TIME + me + 1);
#else
	STEP(if :: owner == seen -> owner = seen + TIME + me + 1 :: else -> goto call fi);
#endif
#ifndef FAULT_STATE_BEFORE_OWNER
	STEP(WHEN(state != UP, goto give));
#endif
	/* receive.c, transmit.c: the driver's burst function, from its first access to its last */
	STEP(nb_users++; using = true; CHECK(one_user, nb_users == 1); CHECK(set_up_again, !half));
	STEP(nb_users--; using = false);
give:
	/* owner.c: elisa_owner_give(): only its owner writes the word then */
	STEP(owner = owner - VCPU(owner));
	goto call;
stop:
	atomic {
		WHEN(using, half = true; nb_users--);
		inside[me] = false
	};
ended:
	nb_ended++
}

proctype Daemon()
{
	byte downs, seen;
	bool lost;

	do
	:: downs < DOWNS ->
		downs++;
		/* control_uplink.c: elisa_switch_uplink_set_state() */
		state = DOWN;
		lost = false;
		/* uplink_owners.c: drain_queue() */
look:
		seen = owner;
		if
		:: VCPU(seen) == 0 -> skip
		:: else ->
#ifndef FAULT_OWNER_NOT_AWAITED
			/* DOMAIN_VCPU_EVICT: out at one moment at least */
			!inside[VCPU(seen) - 1];
#endif
			if
			:: owner == seen -> lost = true
			:: else -> goto look
			fi
		fi;
		atomic { nb_users++; CHECK(one_user, nb_users == 1) };
		/* elisa_nic_restart() */
		atomic { half = (half && !lost); nb_users-- };
		/* elisa_switch_uplink_free() */
		if
		:: lost -> owner = owner - VCPU(owner)
		:: else
		fi;
		state = UP
	:: timeout -> break
	od;
	CHECK(progress, nb_ended == VCPUS && downs == DOWNS);
	CHECK(queue_comes_back, VCPU(owner) == 0 || stops < STOPS)
}

init {
	byte i;

	atomic {
		for (i : 0 .. VCPUS - 1) {
			run Vcpu(i)
		}
		run Daemon()
	}
}
