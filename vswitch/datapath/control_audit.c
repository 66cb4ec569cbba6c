/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * control_audit.c - the daemon's side of a switch: is its own state as its writers leave it?
 *
 * Not in the trusted image. Reads struct elisa_switch only, while vCPUs use it.
 *
 * Looked at is what holds at every instant of traffic, of what is read in one word; or is written by the
 * daemon alone, whose thread this is:
 *	ports, uplinks, policies, fixed entries of the table	the daemon's
 *	an entry, a journal, a queue word, an owner		one word, replaced whole
 * Two words are compared in one place, a port's count of addresses and its entries: check_counts() says
 * why that is no race. A journal's port may be gone, and its ring another one: the vCPU that was thrown
 * out is only looked after next.
 */
#include <errno.h>

#include "vswitch/datapath/fdb.h"
#include "vswitch/datapath/journal.h"
#include "vswitch/datapath/switch.h"

#define COUNT_TRIES 16

/* Puts a number to *at, as far as there is room before `end`. */
static char *put_number(char *at, const char *end, uint64_t number)
{
	char digits[20];
	unsigned int nb = 0;

	do {
		digits[nb++] = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	while (nb && at < end)
		*at++ = digits[--nb];
	return at;
}

/* The words are the sentence; each # in them is the next number. */
static int fail(char *sentence, const char *words, uint64_t first, uint64_t second, uint64_t third)
{
	const uint64_t numbers[] = {first, second, third};
	const char *end = sentence + ELISA_AUDIT_SENTENCE - 1;
	unsigned int nb = 0;
	char *at = sentence;

	for (; *words && at < end; words++) {
		if (*words == '#' && nb < 3)
			at = put_number(at, end, numbers[nb++]);
		else
			*at++ = *words;
	}
	*at = '\0';
	return -EUCLEAN;
}

static bool is_present(const struct elisa_switch *sw, unsigned int port)
{
	return elisa_load(&sw->config[port].present);
}

static int check_port(const struct elisa_switch *sw, unsigned int port, char *sentence)
{
	const struct elisa_port_config *config = &sw->config[port];
	uint32_t uplink = elisa_load(&config->uplink);
	const struct elisa_port_rules *rules = sw->limits[port].rules;

	if (is_present(sw, port) != (elisa_load(&sw->ports) >> port & 1))
		return fail(sentence, "port # is there in one place and not in another", port, 0,
			    0);
	if (!is_present(sw, port))
		return 0;
	for (unsigned int i = 0; i < 2; i++)
		if (elisa_load(&rules[i].nb_ipv4) > ELISA_POLICY_ADDRESSES ||
		    elisa_load(&rules[i].nb_ipv6) > ELISA_POLICY_ADDRESSES ||
		    elisa_load(&rules[i].nb_vlans) > ELISA_POLICY_ADDRESSES)
			return fail(sentence, "port # has a policy with too long a list", port, 0,
				    0);
	if (uplink > ELISA_MAX_UPLINKS)
		return fail(sentence, "port # is uplink #, which cannot be", port, uplink - 1, 0);
	if (uplink && !(elisa_load(&sw->uplinks_present) >> (uplink - 1) & 1))
		return fail(sentence, "port # is uplink #, which is not there", port, uplink - 1,
			    0);
	return 0;
}

static int check_uplink(const struct elisa_switch *sw, unsigned int index, char *sentence)
{
	const struct elisa_uplink *uplink = &sw->uplinks[index];
	uint32_t nb_queues = elisa_load(&uplink->nb_queues);
	uint32_t state = elisa_load(&uplink->state);
	uint32_t port = elisa_load(&uplink->port);

	if (!(elisa_load(&sw->uplinks_present) >> index & 1))
		return 0;
	if (state != ELISA_UPLINK_DOWN && state != ELISA_UPLINK_UP)
		return fail(sentence, "uplink # has state #", index, state, 0);
	if (port >= ELISA_MAX_PORTS || elisa_load(&sw->config[port].uplink) != index + 1)
		return fail(sentence, "uplink # is port #, which is not its", index, port, 0);
	if (!nb_queues || nb_queues > ELISA_UPLINK_QUEUES)
		return fail(sentence, "uplink # has # queues", index, nb_queues, 0);
	for (unsigned int i = 0; i < nb_queues; i++) {
		int vcpu = elisa_uplink_owner_vcpu(elisa_load(&uplink->queues[i].owner));

		if (vcpu >= (int)ELISA_MAX_VCPUS)
			return fail(sentence, "queue # of uplink # belongs to vCPU #", i, index,
				    vcpu);
	}
	return 0;
}

/* A fixed entry is a guest's port's own address. */
static int check_fixed(const struct elisa_switch *sw, uint64_t entry, char *sentence)
{
	uint32_t port = elisa_fdb_entry_port(entry);

	if (!is_present(sw, port) || elisa_load(&sw->config[port].uplink))
		return fail(sentence, "the MAC table has an own address of port #, which has none",
			    port, 0, 0);
	if (elisa_fdb_entry_mac(entry) != elisa_load(&sw->config[port].mac))
		return fail(sentence, "the MAC table has another address for port # than its own",
			    port, 0, 0);
	return 0;
}

/* Whoever learns is inside for its port, which stays there until it is out. */
static int check_entry(const struct elisa_switch *sw, uint32_t index, uint64_t entry,
		       char *sentence)
{
	uint64_t mac = elisa_fdb_entry_mac(entry);
	const uint64_t *bucket = &sw->fdb[index & ~(ELISA_FDB_WAYS - 1)];

	if (!(entry & ELISA_FDB_USED) || !mac || mac & ELISA_MAC_MULTICAST_BIT)
		return fail(sentence, "entry # of the MAC table is no address: #", index, entry, 0);
	if (bucket != elisa_fdb_bucket(sw, mac, 0) && bucket != elisa_fdb_bucket(sw, mac, 1))
		return fail(sentence, "entry # of the MAC table is where nobody finds it", index, 0,
			    0);
	if (entry & ELISA_FDB_FIXED)
		return check_fixed(sw, entry, sentence);
	if (!is_present(sw, elisa_fdb_entry_port(entry)))
		return fail(sentence, "the MAC table has an address of port #, which is not there",
			    elisa_fdb_entry_port(entry), 0, 0);
	return 0;
}

/* Each guest's port is found under its own address. */
static int check_own_address(const struct elisa_switch *sw, unsigned int port, char *sentence)
{
	uint64_t mac = elisa_load(&sw->config[port].mac);
	unsigned int found = 0;

	if (!is_present(sw, port) || elisa_load(&sw->config[port].uplink))
		return 0;
	for (unsigned int n = 0; n < 2 * ELISA_FDB_WAYS; n++) {
		const uint64_t *bucket = elisa_fdb_bucket(sw, mac, n / ELISA_FDB_WAYS);

		/* The two buckets may be one. */
		if (n >= ELISA_FDB_WAYS && bucket == elisa_fdb_bucket(sw, mac, 0))
			break;
		found += elisa_load(&bucket[n % ELISA_FDB_WAYS]) ==
			 elisa_fdb_entry(mac, port, 0, ELISA_FDB_FIXED);
	}
	if (found != 1)
		return fail(sentence, "the MAC table has the own address of port # # times", port,
			    found, 0);
	return 0;
}

static int check_entries(const struct elisa_switch *sw, uint64_t found[ELISA_MAX_PORTS],
			 char *sentence)
{
	for (unsigned int port = 0; port < ELISA_MAX_PORTS; port++)
		found[port] = 0;
	for (uint32_t i = 0; i < sw->fdb_buckets * ELISA_FDB_WAYS; i++) {
		uint64_t entry = elisa_load_acquire(&sw->fdb[i]);
		int error = entry ? check_entry(sw, i, entry, sentence) : 0;

		if (error)
			return error;
		if (entry && !(entry & ELISA_FDB_FIXED))
			found[elisa_fdb_entry_port(entry)]++;
	}
	return 0;
}

/*
 * No port has more entries than are counted for it; else its learning limit does not hold. A count goes
 * up before an entry is written, and is read after all entries. Addresses that moved from port to port
 * between two looks could be seen twice: each such move is counted in fdb_moves, but for those under way,
 * one on each vCPU. And one on each may have been under way when the daemon counted last (recount() of
 * control_fdb.c). More entries counted than there are: a vCPU was lost, until the next recount.
 */
static int check_counts(const struct elisa_switch *sw, char *sentence)
{
	uint64_t found[ELISA_MAX_PORTS];

	for (unsigned int try = 0; try < COUNT_TRIES; try++) {
		uint64_t moves = elisa_load_acquire(&sw->fdb_moves);
		unsigned int wrong = ELISA_MAX_PORTS;
		uint64_t learned = 0;
		int error = check_entries(sw, found, sentence);

		if (error)
			return error;
		for (unsigned int port = 0; port < ELISA_MAX_PORTS && wrong == ELISA_MAX_PORTS;
		     port++) {
			learned = elisa_load_acquire(&sw->limits[port].learned);
			if (found[port] > learned + 2 * ELISA_MAX_VCPUS)
				wrong = port;
		}
		if (wrong == ELISA_MAX_PORTS)
			return 0;
		if (elisa_load(&sw->fdb_moves) == moves)
			return fail(sentence,
				    "port # has # addresses in the MAC table, and # counted", wrong,
				    found[wrong], learned);
	}
	return 0;
}

/* A vCPU as a queue word names it: + 1. */
static bool is_owner(uint32_t owner)
{
	return owner <= ELISA_MAX_VCPUS || owner == ELISA_QUEUE_NOBODY;
}

static int check_queue(const struct elisa_switch *sw, unsigned int port, unsigned int index,
		       char *sentence)
{
	const struct elisa_receive_queue *queue = &sw->queues[port][index];
	uint64_t word = elisa_load(&queue->word);
	uint32_t owner = elisa_queue_owner(word);
	uint32_t size = elisa_load(&queue->size);

	if (!is_owner(owner))
		return fail(sentence, "receive queue # of port # was last used by vCPU #", index,
			    port, owner - 1);
	if (owner == ELISA_QUEUE_UNSTARTED && word)
		return fail(sentence, "receive queue # of port # is in use and was not begun",
			    index, port, 0);
	if (owner == ELISA_QUEUE_NOBODY && elisa_queue_head(word))
		return fail(sentence,
			    "receive queue # of port # is at slot #, and nobody was there", index,
			    port, elisa_queue_head(word));
	if (size > ELISA_MAX_RING || size & (size - 1))
		return fail(sentence, "receive queue # of port # has # slots", index, port, size);
	return 0;
}

static int check_journal(const struct elisa_switch *sw, unsigned int vcpu, char *sentence)
{
	uint64_t word = elisa_load(&sw->journals[vcpu].word);
	uint64_t sender = elisa_load(&sw->journals[vcpu].sender);
	enum elisa_journal_state state = elisa_journal_state(word);

	if (state > ELISA_JOURNAL_RECOVERING || (state == ELISA_JOURNAL_IDLE && word))
		return fail(sentence, "the journal of vCPU # has no sense: #", vcpu, word, 0);
	if (sender >= ELISA_MAX_PORTS)
		return fail(sentence, "the journal of vCPU # is from port #", vcpu, sender, 0);
	return 0;
}

int elisa_switch_audit(const struct elisa_switch *sw, uint64_t size,
		       char sentence[ELISA_AUDIT_SENTENCE])
{
	int error = 0;

	/* First: it says how long the table is. */
	if (elisa_switch_check(sw, size))
		return fail(sentence, "its head is not that of a switch of # bytes", size, 0, 0);

	for (unsigned int port = 0; port < ELISA_MAX_PORTS && !error; port++) {
		error = check_port(sw, port, sentence);
		if (!error)
			error = check_own_address(sw, port, sentence);
		for (unsigned int i = 0; i < ELISA_MAX_QUEUES && !error; i++)
			error = check_queue(sw, port, i, sentence);
	}
	for (unsigned int i = 0; i < ELISA_MAX_UPLINKS && !error; i++)
		error = check_uplink(sw, i, sentence);
	for (unsigned int i = 0; i < ELISA_MAX_VCPUS && !error; i++)
		error = check_journal(sw, i, sentence);
	return error ? error : check_counts(sw, sentence);
}
