/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_audit.c - elisa_switch_audit() finds each kind of damage, one word at a time, and has nothing
 * to say of a switch in use, while its table changes. So do test_stress.c, in traffic, and
 * world_teardown(), after every test with a world.
 */
#include <pthread.h>
#include <time.h>

#include "vswitch/datapath/fdb.h"
#include "world.h"

#define STATION 0x020000000077ull
#define UPLINK_PORT 10

#define SECONDS 1

static struct world *audited;
static uint64_t stop;
static uint64_t size; /* of the switch's memory */
static char sentence[ELISA_AUDIT_SENTENCE];

/* Three ports that have sent to each other, a station behind the first, and an uplink. */
static int setup(void **state)
{
	const struct elisa_uplink_params uplink = {
		.port = UPLINK_PORT, .driver = 1, .mtu = 1500, .room = 2048, .nb_queues = 2};
	int error = world_setup(state, 3, 16, 2048);
	struct world *world = *state;

	if (error)
		return error;
	size = world->sw->size;
	assert_int_equal(elisa_switch_uplink_add(world->sw, 1, &uplink), 0);
	guest_send_one(world, &world->guests[0], world->guests[1].mac, 100, 1);
	guest_send_one(world, &world->guests[1], world->guests[2].mac, 100, 2);
	assert_true(elisa_fdb_learn(world->sw, STATION, 0));
	assert_int_equal(elisa_switch_audit(world->sw, size, sentence), 0);
	return 0;
}

static uint64_t *entry_of(struct world *world, uint64_t mac)
{
	uint64_t entry;
	uint64_t *slot = elisa_fdb_find(world->sw, mac, &entry);

	assert_non_null(slot);
	return slot;
}

static uint64_t *free_entry(struct world *world, uint64_t mac)
{
	uint64_t *bucket = elisa_fdb_bucket(world->sw, mac, 0);

	while (*bucket)
		bucket++;
	return bucket;
}

/* The word gets the value, the audit says so, and is content again when it is taken back. */
static void finds(struct world *world, void *word, size_t length, uint64_t value, const char *says)
{
	uint64_t before = 0;

	memcpy(&before, word, length);
	memcpy(word, &value, length);
	sentence[0] = 0;
	assert_int_equal(elisa_switch_audit(world->sw, size, sentence), -EUCLEAN);
	if (!strstr(sentence, says))
		fail_msg("it says '%s', not '%s'", sentence, says);
	memcpy(word, &before, length);
	assert_int_equal(elisa_switch_audit(world->sw, size, sentence), 0);
}

#define FINDS(member, value, says) \
	finds(world, &world->sw->member, sizeof(world->sw->member), value, says)

static void test_head(void **state)
{
	struct world *world = *state;

	FINDS(magic, 1, "its head");
	FINDS(size, size * 2, "its head");
	FINDS(fdb_buckets, 0, "its head");
	FINDS(fdb_buckets, 1u << 30, "its head");
	FINDS(fdb_buckets, world->sw->fdb_buckets + 1, "its head");
	FINDS(fdb_buckets, world->sw->fdb_buckets / 2, "its head");
	/* As many entries, in 32 bits. */
	FINDS(fdb_buckets, world->sw->fdb_buckets + (1u << 31), "its head");
}

static void test_ports(void **state)
{
	struct world *world = *state;

	FINDS(ports, world->sw->ports | 1ull << 40, "port 40 is there in one place");
	FINDS(ports, world->sw->ports & ~2ull, "port 1 is there in one place");
	FINDS(config[2].present, 0, "port 2 is there in one place");
	FINDS(config[0].uplink, 9, "port 0 is uplink 8");
	FINDS(config[0].uplink, 1, "port 0 is uplink 0, which is not there");
	FINDS(limits[1].rules[0].nb_ipv4, 9, "port 1 has a policy");
	FINDS(limits[1].rules[1].nb_ipv6, 9, "port 1 has a policy");
	FINDS(limits[1].rules[1].nb_vlans, ~0u, "port 1 has a policy");
}

static void test_table(void **state)
{
	struct world *world = *state;
	uint64_t *station = entry_of(world, STATION), *own = entry_of(world, world->guests[1].mac);
	uint64_t other = elisa_fdb_entry(STATION + 1, 1, 0, ELISA_FDB_FIXED);
	uint64_t gone = elisa_fdb_entry(STATION, 33, 0, ELISA_FDB_FIXED);
	uint64_t group = elisa_fdb_entry(STATION | ELISA_MAC_MULTICAST_BIT, 0, 0, 0);

	finds(world, station, 8, *station & ~ELISA_FDB_USED, "is no address");
	finds(world, station, 8, group, "is no address");
	finds(world, station, 8, elisa_fdb_entry(0, 0, 0, 0), "is no address");
	finds(world, station, 8, elisa_fdb_entry(STATION, 33, 0, 0), "port 33, which is not there");
	finds(world, station, 8, gone, "port 33, which has none");
	finds(world, station, 8, elisa_fdb_entry(STATION, UPLINK_PORT, 0, ELISA_FDB_FIXED),
	      "port 10, which has none");
	finds(world, free_entry(world, STATION + 1), 8, other, "another address for port 1");
	finds(world, own, 8, 0, "own address of port 1 0 times");
	finds(world, own, 8, *own & ~ELISA_FDB_FIXED, "own address of port 1 0 times");
	finds(world, free_entry(world, world->guests[1].mac), 8, *own,
	      "own address of port 1 2 times");
	FINDS(config[1].mac, STATION + 2, "own address of port 1 0 times");
}

static void test_place(void **state)
{
	struct world *world = *state;
	uint64_t *bucket = world->sw->fdb;

	while (bucket == elisa_fdb_bucket(world->sw, STATION, 0) ||
	       bucket == elisa_fdb_bucket(world->sw, STATION, 1) || bucket[7])
		bucket += ELISA_FDB_WAYS;
	finds(world, &bucket[7], 8, *entry_of(world, STATION), "where nobody finds it");
}

/* So many that they cannot be on their way. */
static void test_counts(void **state)
{
	struct world *world = *state;

	for (uint64_t i = 0; i < 1000; i++)
		elisa_fdb_learn(world->sw, STATION + 16 + i, 2);
	assert_true(world->sw->limits[2].learned > 2 * ELISA_MAX_VCPUS);
	assert_int_equal(elisa_switch_audit(world->sw, size, sentence), 0);
	FINDS(limits[2].learned, 0, "port 2 has");
	elisa_switch_fdb_flush(world->sw, ELISA_MAX_PORTS);
	assert_int_equal(elisa_switch_audit(world->sw, size, sentence), 0);
}

static void test_queues(void **state)
{
	struct world *world = *state;
	uint32_t epoch = elisa_queue_epoch(world->sw->queues[1][0].word);

	FINDS(queues[1][0].word, elisa_queue_word(5, ELISA_MAX_VCPUS + 1, epoch),
	      "queue 0 of port 1 was last used by vCPU 256");
	FINDS(queues[1][0].word, elisa_queue_word(5, ELISA_QUEUE_NOBODY, epoch), "is at slot 5");
	FINDS(queues[1][0].word, elisa_queue_word(5, 0, epoch), "was not begun");
	FINDS(queues[1][7].size, 12, "queue 7 of port 1 has 12 slots");
	FINDS(queues[63][0].size, 2 * ELISA_MAX_RING, "queue 0 of port 63 has 65536 slots");
}

static void test_journals(void **state)
{
	struct world *world = *state;
	struct elisa_run run = {.port = 1, .first = 3, .count = 2};

	FINDS(journals[255].word, 1, "journal of vCPU 255");
	FINDS(journals[2].word, 5ull << 61, "journal of vCPU 2");
	FINDS(journals[2].sender, 64, "journal of vCPU 2 is from port 64");
	world->sw->journals[2].word = elisa_journal_word(ELISA_JOURNAL_CLAIMED, &run);
	assert_int_equal(elisa_switch_audit(world->sw, size, sentence), 0);
	world->sw->journals[2].word = 0;
}

static void test_uplinks(void **state)
{
	struct world *world = *state;

	FINDS(uplinks[1].state, 0, "uplink 1 has state 0");
	FINDS(uplinks[1].state, 3, "uplink 1 has state 3");
	FINDS(uplinks[1].port, 0, "uplink 1 is port 0");
	FINDS(uplinks[1].port, 64, "uplink 1 is port 64");
	FINDS(uplinks[1].nb_queues, 0, "uplink 1 has 0 queues");
	FINDS(uplinks[1].nb_queues, 9, "uplink 1 has 9 queues");
	FINDS(uplinks[1].queues[1].owner, 257, "queue 1 of uplink 1 belongs to vCPU 256");
	world->sw->uplinks[1].queues[1].owner = 7ull << 16 | 256;
	assert_int_equal(elisa_switch_audit(world->sw, size, sentence), 0);
	world->sw->uplinks[1].queues[1].owner = 7ull << 16;
	assert_int_equal(elisa_switch_uplink_del(world->sw, 1), 0);
	assert_int_equal(elisa_switch_audit(world->sw, size, sentence), 0);
}

/* A port's vCPU: addresses come, and go from port to port. */
static void *learn_until_stop(void *argument)
{
	const struct guest *guest = argument;
	uint64_t random = guest->port + 1;

	while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
		random = random * 6364136223846793005ull + 1442695040888963407ull;
		elisa_fdb_learn(audited->sw, STATION + (random >> 33) % 1500, guest->port);
	}
	return NULL;
}

static void test_while_learning(void **state)
{
	struct world *world = *state;
	pthread_t threads[3];
	time_t end = time(NULL) + SECONDS;

	audited = world;
	__atomic_store_n(&stop, 0, __ATOMIC_RELEASE);
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, learn_until_stop, &world->guests[i]), 0);
	for (unsigned int turn = 0; time(NULL) <= end; turn++) {
		assert_sound(world);
		elisa_switch_fdb_age(world->sw);
		if (turn % 16 == 0)
			elisa_switch_fdb_flush(world->sw, ELISA_MAX_PORTS);
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_head, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_ports, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_table, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_place, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_counts, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_queues, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_journals, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_uplinks, setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_while_learning, setup, world_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
