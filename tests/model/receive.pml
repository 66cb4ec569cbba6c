/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * receive.pml - claim, publish and recover slots of one receive ring: the protocol of
 * vswitch/datapath/journal.h. run.py says with which bounds it is checked, and with which faults.
 *
 * Each STEP or FINISH_STEP is one access of the C code to memory that another party uses too, and
 * names the function that does it. What C does with its own variables costs no step: nobody sees
 * it. Before each step the vCPU may stop for good; whoever finishes its run may stop there too and
 * be begun again. Accesses take place in one order that all agree on.
 *
 * Ghost variables hold what no party knows but the properties are about. A CHECK names its property.
 */
#ifndef SENDERS
#define SENDERS 3
#endif
#ifndef SIZE
#define SIZE 2 /* slots of the ring */
#endif
#ifndef HEADS
#define HEADS 5 /* slots that the receiver posts in an epoch: laps are HEADS / SIZE */
#endif
#ifndef RUNS
#define RUNS 2 /* packets or pairs of packets that each sender tries to send */
#endif
#ifndef STOPS
#define STOPS 1 /* how often senders stop for good, all together */
#endif
#ifndef BREAKS
#define BREAKS 1 /* how often finishers do */
#endif
#ifndef EPOCHS
#define EPOCHS 1 /* how often the receiver sets its ring up */
#endif
#ifndef MOST
#define MOST 2 /* slots of a run */
#endif

/* elisa/ring.h: a slot's word, without length. */
#define POSTED 1
#define PHASE 2
#define DONE 4
#define MORE 8
#define DROPPED 16
#define PHASE_OF(slot) ((((slot) / SIZE) % 2) * PHASE)

/* journal.h: the queue word, head | owner | epoch. UNSTARTED is owner 0. */
#define QUEUE(head, owner, epoch) ((head) * 32 + (owner) * 4 + (epoch))
#define HEAD(word) ((word) / 32)
#define OWNER(word) (((word) / 4) % 8)
#define EPOCH(word) ((word) % 4)
#define NOBODY 7

/* journal.h: the journal word, state | epoch | count - 1 | first. */
#define IDLE 0
#define CLAIMING 1
#define CLAIMED 2
#define RECOVERING 3
#define JOURNAL(state, epoch, count, first) ((state) * 64 + (epoch) * 16 + ((count) - 1) * 8 + (first))
#define STATE(word) ((word) / 64)
#define RUN_EPOCH(word) (((word) / 16) % 4)
#define COUNT(word) ((((word) / 8) % 2) + 1)
#define FIRST(word) ((word) % 8)

/* Memory of the switch. */
byte queue_word;
byte journal[SENDERS];
/* The module's map of the ring: elisa_queue_map. */
bool map_set; /* rx_size != 0 */
byte map_epoch;
/* Memory of the receiver: descriptors. A buffer is named by the slot it was posted for. */
byte word[SIZE];
byte addr[SIZE];
/* Is the vCPU in the trusted context? The module's grace period waits for those. */
bool inside[SENDERS];

byte stops = STOPS;
byte breaks = BREAKS;

/* Ghosts. */
byte claimed[HEADS]; /* not taken yet: by which sender + 1 */
bool copied[HEADS];  /* the claimer's data are in the buffer */
byte take, post;     /* the receiver's own indices */
byte nb_ended;       /* senders that have ended */
bool served[SENDERS]; /* the last run's slots are all DONE */
bool dead[SENDERS];   /* stopped, and nobody finishes */

/* The names of the properties: never true, shown in the error. */
hidden byte claimed_by_one, address_of_the_claim, never_torn, no_slot_lost, handed_back_once;
hidden byte packets_stay_whole, progress, journals_idle;
#define CHECK(property, condition) assert((condition) || property)

/* A step: one access, and what the process decides with its own variables because of it. */
#define MAY_STOP atomic { stops > 0 -> stops--; goto stopped }
#define STEP(access) if :: atomic { access } :: MAY_STOP fi
#define MAY_BREAK atomic { breaks > 0 -> breaks--; goto stopped }
#define FINISH_STEP(access) if :: atomic { access } :: MAY_BREAK fi
#define WHEN(condition, then) if :: condition -> then :: else fi

/* A compare-and-swap is one access. `ok` is the process's. */
#define CAS(place, expected, desired) \
	ok = (place == (expected)); \
	WHEN(ok, place = (desired))

/* journal.c: was_claimed(). `w` is the queue word, `seen` the journal's. */
#define WAS_CLAIMED \
	(EPOCH(w) == RUN_EPOCH(seen) && OWNER(w) != 0 && \
	 (STATE(seen) != CLAIMING || \
	  (OWNER(w) == me + 1 && HEAD(w) == FIRST(seen) + COUNT(seen))))

/* journal.c: elisa_journal_slot_is_left(), its two halves */
#ifdef FAULT_NO_PHASE_CHECK
#define IS_POSTED (s & POSTED)
#else
#define IS_POSTED (s == (POSTED | PHASE_OF(slot)))
#endif
#ifdef FAULT_NO_LAP_CHECK
#define IS_IN_LAST_LAP true
#else
#define IS_IN_LAST_LAP \
	(EPOCH(w) == RUN_EPOCH(seen) && HEAD(w) >= slot + 1 && HEAD(w) - slot - 1 < SIZE)
#endif

/*
 * The daemon reaches a slot by a call of the module, which looks under its lock whether the ring
 * is still the one that was claimed. A vCPU that finishes by itself is inside, and the module's
 * grace period waits for it.
 */
#ifdef FAULT_NO_EPOCH_CHECK
#define REACHES true
#else
#define REACHES (inside[me] || (map_set && map_epoch == RUN_EPOCH(seen)))
#endif

/* control_finish.c: finish_slot(); journal.c: elisa_journal_finish_own() */
#define READ_SLOT s = 0; WHEN(REACHES, s = word[slot % SIZE])
#define HAND_BACK \
	ok = false; \
	WHEN(REACHES, CAS(word[slot % SIZE], s, DONE | DROPPED | PHASE_OF(slot))); \
	WHEN(ok, CHECK(handed_back_once, take <= slot && claimed[slot] == me + 1)); \
	s = 0; \
	w = 0

#ifdef FAULT_IDLE_BEFORE_HAND_BACK
#define TAKEN IDLE
#else
#define TAKEN JOURNAL(RECOVERING, RUN_EPOCH(seen), COUNT(seen), FIRST(seen))
#endif

#ifdef FAULT_TAKE_WITHOUT_COMPARE
#define UNCLAIM journal[me] = IDLE; ok = true
#else
#define UNCLAIM CAS(journal[me], seen, IDLE)
#endif

/*
 * elisa_switch_vcpu_finish(), or elisa_journal_finish_own(). Begins at the label `take_journal`, ends
 * at `finished`; is stopped at `stopped`.
 */
inline finish_run()
{
	/* journal.c: elisa_journal_take() */
	FINISH_STEP(seen = journal[me]; WHEN(STATE(seen) == IDLE, goto finished));
	FINISH_STEP(w = queue_word);
	FINISH_STEP(
		if
		:: WAS_CLAIMED -> CAS(journal[me], seen, TAKEN)
		:: else ->
			UNCLAIM;
			WHEN(ok, seen = 0; goto finished)
		fi;
		WHEN(!ok, goto take_journal);
		w = 0;
		slot = FIRST(seen));
	/* journal.c: elisa_journal_finish_own() asks the map: a ring released since is not touched */
	if
	:: EPOCHS > 1 && inside[me] ->
		FINISH_STEP(WHEN(!map_set || map_epoch != RUN_EPOCH(seen), slot = FIRST(seen) + COUNT(seen)))
	:: else
	fi;
	do
	:: slot < FIRST(seen) + COUNT(seen) ->
#ifdef FAULT_QUEUE_WORD_BEFORE_SLOT
		FINISH_STEP(w = queue_word);
		FINISH_STEP(READ_SLOT; WHEN(!IS_POSTED || !IS_IN_LAST_LAP, goto next_slot));
#else
		FINISH_STEP(READ_SLOT; WHEN(!IS_POSTED, goto next_slot));
		FINISH_STEP(w = queue_word; WHEN(!IS_IN_LAST_LAP, goto next_slot));
#endif
		FINISH_STEP(HAND_BACK);
next_slot:
		slot++
	:: else -> break
	od;
	/* journal.c: elisa_journal_finished() */
	FINISH_STEP(journal[me] = IDLE; seen = 0; slot = 0)
}

/* One packet of one slot, or two of one slot, or one of two: its slots are a chain. */
#define WANT (me == 2 -> 1 : MOST)
#define CHAIN (me == 0 && WANT == 2)

#define PAST_OWNER (OWNER(w) - 1)
#define IS_CLAIM_BEFORE \
	(STATE(seen) == CLAIMING && RUN_EPOCH(seen) == epoch && FIRST(seen) + COUNT(seen) == first)
#define WRITE_JOURNAL STEP(journal[me] = JOURNAL(CLAIMING, epoch, n, first))

/* deliver.c: fill(): copy into the buffer of slot `first` + i */
#define COPY(i) STEP(CHECK(handed_back_once, take <= first + (i)); copied[first + (i)] = true)
#define COPY_ALL \
	COPY(0); \
	if \
	:: n == 2 -> COPY(1) \
	:: else \
	fi
/* deliver.c: publish() */
#define PUBLISH(i, flags) \
	STEP(CHECK(handed_back_once, take <= first + (i)); \
	     word[(first + (i)) % SIZE] = DONE | PHASE_OF(first + (i)) | (flags))

proctype Sender(byte me)
{
	byte runs, w, s, seen, first, n, epoch, slot;
	bool good, ok;

next_run:
	atomic { inside[me] = false; first = 0; n = 0; WHEN(runs == RUNS, goto ended) };
	atomic { inside[me] = true; runs++ };
	/* deliver.c: open_queue(): size, then epoch */
	if
	:: EPOCHS > 1 ->
		STEP(WHEN(!map_set, goto next_run));
		STEP(epoch = map_epoch)
	:: else -> epoch = 1
	fi;
claim:
	/* journal.c: elisa_queue_open() */
	STEP(w = queue_word; WHEN(EPOCH(w) == epoch && OWNER(w) != 0, goto plan));
	STEP(CAS(queue_word, w, QUEUE(0, NOBODY, epoch)));
	STEP(w = queue_word);
plan:
	atomic { first = HEAD(w); n = 0; good = true }
	/* deliver.c: read_slot(): word, then address */
	do
	:: n < WANT ->
		STEP(WHEN(word[(first + n) % SIZE] != (POSTED | PHASE_OF(first + n)), break));
		STEP(good = (good && addr[(first + n) % SIZE] == first + n); n++)
	:: else -> break
	od;
	/* deliver.c: claim(): full, or overtaken since the queue word was read? */
	if
	:: n < WANT && (CHAIN || !n) ->
#ifndef FAULT_FULL_AT_FIRST_SIGHT
		STEP(WHEN(queue_word != w, goto claim));
#endif
		goto idle
	:: else
	fi;
	/* journal.c: elisa_journal_claim(), steps 1 to 3 */
#ifndef FAULT_JOURNAL_AFTER_CLAIM
	WRITE_JOURNAL;
#endif
#ifndef FAULT_NO_HELP
	if
	:: OWNER(w) != me + 1 && OWNER(w) >= 1 && OWNER(w) <= SENDERS ->
		/* journal.c: help_owner() */
		STEP(seen = journal[PAST_OWNER]; WHEN(!IS_CLAIM_BEFORE, goto no_help));
		STEP(WHEN(journal[PAST_OWNER] == seen,
			  journal[PAST_OWNER] = JOURNAL(CLAIMED, epoch, COUNT(seen), FIRST(seen))));
no_help:
		seen = 0
	:: else
	fi;
#endif
	STEP(
		CAS(queue_word, w, QUEUE(first + n, me + 1, epoch));
		w = 0;
#ifndef FAULT_JOURNAL_AFTER_CLAIM
		WHEN(!ok, goto claim);
#endif
		if
		:: ok ->
			CHECK(address_of_the_claim, good);
			CHECK(claimed_by_one, take <= first && !claimed[first] && !claimed[first + n - 1]);
			claimed[first] = me + 1;
			claimed[first + n - 1] = me + 1
		:: else
		fi;
		good = false);
#ifdef FAULT_JOURNAL_AFTER_CLAIM
	WHEN(!ok, goto claim);
	WRITE_JOURNAL;
#endif
	/* deliver.c: fill(), step 4: copy all; then publish, the first packet's slots last */
#ifdef FAULT_IDLE_BEFORE_DONE
	STEP(journal[me] = IDLE);
#endif
#ifndef FAULT_DONE_BEFORE_COPY
	COPY_ALL;
#endif
	if
	:: n == 2 && !CHAIN -> PUBLISH(1, 0); PUBLISH(0, 0)
	:: n == 2 && CHAIN -> PUBLISH(0, MORE); PUBLISH(1, 0)
	:: else -> PUBLISH(0, 0)
	fi;
#ifdef FAULT_DONE_BEFORE_COPY
	COPY_ALL;
#endif
	served[me] = true;
idle:
	/* deliver.c: deliver_run(), step 5 */
	STEP(journal[me] = IDLE; w = 0; good = false);
	goto next_run;
stopped:
	atomic {
		inside[me] = false;
		w = 0;
		s = 0;
		seen = 0;
		slot = 0;
		first = 0;
		n = 0;
		good = false;
		ok = false
	}
#ifdef NO_FINISHER
	dead[me] = true;
	goto ended;
#endif
	/* By the daemon, or by the vCPU itself at its next call. */
	if
	:: skip
	:: EPOCHS > 1 -> inside[me] = true
	fi;
take_journal:
	finish_run();
finished:
	goto next_run;
ended:
	nb_ended++
}

/* guest-pmd: post_slots(): address, then word. */
inline post_one()
{
#ifdef FAULT_POSTED_BEFORE_ADDRESS
	word[post % SIZE] = POSTED | PHASE_OF(post);
	addr[post % SIZE] = post;
#else
	addr[post % SIZE] = post;
	word[post % SIZE] = POSTED | PHASE_OF(post);
#endif
	post++
}

/* guest-pmd: take_packets() and take_chained(). */
inline take_one()
{
	d_step {
		s = word[take % SIZE];
		CHECK(handed_back_once, claimed[take]);
		if
		:: s & DROPPED -> chain = 0
		:: else ->
			CHECK(never_torn, copied[take]);
			CHECK(packets_stay_whole, !chain || chain == claimed[take]);
			if
			:: s & MORE -> chain = claimed[take]
			:: else -> chain = 0
			fi
		fi;
		claimed[take] = 0;
		copied[take] = false;
		take++;
		s = 0
	}
}

/* The ring's memory as net_elisa_rx_fill() makes it; nobody is told of it yet. */
inline forget_ring()
{
	d_step {
		for (i : 0 .. HEADS - 1) {
			claimed[i] = 0;
			copied[i] = false
		}
		for (i : 0 .. SIZE - 1) {
			word[i] = 0
		}
		i = 0;
		take = 0;
		post = 0;
		chain = 0
	}
}

/* The module's QUEUE_RELEASE: hide, then a grace period. */
inline release_queue()
{
	map_set = false;
	do
	:: i < SENDERS -> !inside[i]; i++
	:: else -> break
	od;
	i = 0
}

inline set_up_queue()
{
	do
	:: post < SIZE -> post_one()
	:: else -> break
	od;
	map_epoch++;
	map_set = true
}

#define SLOT_IS_DONE ((word[take % SIZE] & (DONE | PHASE)) == (DONE | PHASE_OF(take)))

proctype Receiver()
{
	byte i, s, chain;

	do
#ifndef NO_FINISHER
	:: take < post && SLOT_IS_DONE -> take_one()
#endif
	:: post < HEADS && post < take + SIZE -> post_one()
	:: EPOCHS > 1 && map_epoch < EPOCHS -> release_queue(); forget_ring(); set_up_queue()
	:: timeout -> break
	od;
	/* Nobody can do anything more. */
	CHECK(progress, nb_ended == SENDERS);
#ifdef NO_FINISHER
	for (i : 0 .. SENDERS - 1) {
		CHECK(progress, dead[i] || served[i])
	}
#else
	CHECK(no_slot_lost, EPOCH(queue_word) != map_epoch || take == HEAD(queue_word));
	for (i : 0 .. SENDERS - 1) {
		CHECK(journals_idle, STATE(journal[i]) == IDLE)
	}
#endif
}

init {
	byte i;

	atomic {
		do
		:: post < SIZE && post < HEADS -> post_one()
		:: else -> break
		od;
		map_epoch = 1;
		map_set = true;
		for (i : 0 .. SENDERS - 1) {
			run Sender(i)
		}
		run Receiver()
	}
}
