// SPDX-License-Identifier: BSD-3-Clause
/* test_receive.c - frames from a NIC into the switch, and queues among vCPUs (vswitch/uplink/). */
#include <stdlib.h>

#include "fake_nic.h"

#define RING 32
#define WIRE_MAC 0x020000000001ull

static struct fake_nic nics[2];
static struct fake_nic other[1];
static struct frame frame;

static int setup(void **state)
{
	world_setup(state, 2, RING, 2048);
	nics_make(*state, 0, nics, 2, false);
	return 0;
}

static int teardown(void **state)
{
	nics_free(*state, 0, nics, 2);
	return world_teardown(state);
}

static void assert_from_wire(struct guest *guest, uint32_t length, uint32_t seed)
{
	struct guest wire = {.mac = WIRE_MAC};

	assert_true(guest_receive(guest, &frame));
	assert_frame(&frame, &wire, guest->mac, length, seed);
}

static void frames_reach_the_guest_they_are_for(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0];
	struct guest *b = &world->guests[1];

	nic_put(&nics[0], b->mac, WIRE_MAC, 60, 1);
	nic_put(&nics[0], a->mac, WIRE_MAC, 1514, 2);
	nic_put(&nics[0], b->mac, WIRE_MAC, 14, 3);
	/* A's vCPU takes what is for B too. */
	assert_int_equal(guest_poll(world, a, 32), 3);
	assert_from_wire(a, 1514, 2);
	assert_from_wire(b, 60, 1);
	assert_from_wire(b, 14, 3);
	assert_int_equal(nic_stats(world, 0).tx_packets, 3);
	assert_int_equal(nic_stats(world, 0).tx_bytes, 60 + 1514 + 14);
	assert_int_equal(nics[0].nb_sent + nics[1].nb_sent, 0);
}

static void broadcasts_reach_all_guests_and_not_the_wire(void **state)
{
	struct world *world = *state;

	nic_put(&nics[0], 0xffffffffffffull, WIRE_MAC, 60, 1);
	assert_int_equal(guest_poll(world, &world->guests[0], 32), 1);
	assert_int_equal(guest_drain(&world->guests[0]), 1);
	assert_int_equal(guest_drain(&world->guests[1]), 1);
	assert_int_equal(nics[0].nb_sent + nics[1].nb_sent, 0);
}

static void good_checksums_are_told(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0];

	nic_put(&nics[0], a->mac, WIRE_MAC, 60, 1)->ol_flags =
		RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
	nic_put(&nics[0], a->mac, WIRE_MAC, 60, 1)->ol_flags = RTE_MBUF_F_RX_L4_CKSUM_GOOD;
	assert_int_equal(guest_poll(world, a, 32), 2);
	assert_true(a->rx[0].flags & ELISA_DESC_GOOD);
	assert_false(a->rx[1].flags & ELISA_DESC_GOOD);
	assert_int_equal(guest_drain(a), 2);
}

static void malformed_frames_are_dropped_and_counted(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0];
	struct rte_mbuf *mbuf;

	nic_put(&nics[0], a->mac, WIRE_MAC, 13, 1);
	nic_put(&nics[0], a->mac, WIRE_MAC, 0, 1);
	nic_put(&nics[0], a->mac, WIRE_MAC, 1500 + ELISA_FRAME_OVERHEAD + 1, 1);
	nic_put(&nics[0], a->mac, WIRE_MAC, 60, 1)->pkt_len = 1000;
	nic_put(&nics[0], a->mac, WIRE_MAC, 60, 1)->nb_segs = 2;
	nic_put(&nics[0], a->mac, WIRE_MAC, 60, 1)->data_off = 0;
	mbuf = nic_put(&nics[0], a->mac, WIRE_MAC, 60, 1);
	mbuf->data_len = 0xffff;
	mbuf->pkt_len = 0xffff;
	nic_put(&nics[0], a->mac, WIRE_MAC, 60, 2);
	assert_int_equal(guest_poll(world, a, 32), 8);
	assert_from_wire(a, 60, 2);
	assert_false(guest_receive(a, &frame));
	assert_int_equal(nic_stats(world, 0).tx_packets, 8);
	assert_int_equal(nic_stats(world, 0).tx_drops[ELISA_DROP_UPLINK_ERROR], 7);
}

static void bad_sources_are_dropped(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0];

	nic_put(&nics[0], a->mac, 0, 60, 1);
	nic_put(&nics[0], a->mac, 0xffffffffffffull, 60, 1);
	assert_int_equal(guest_poll(world, a, 32), 2);
	assert_int_equal(guest_drain(a), 0);
	assert_int_equal(nic_stats(world, 0).tx_drops[ELISA_DROP_BAD_SOURCE], 2);
}

/* The owner of an address that a port has for good is not moved by a frame from the wire. */
static void a_port_s_address_stays_its_own(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0];
	struct guest *b = &world->guests[1];

	nic_put(&nics[0], a->mac, b->mac, 60, 1);
	assert_int_equal(guest_poll(world, a, 32), 1);
	guest_drain(a);
	guest_send_one(world, a, b->mac, 60, 1);
	assert_int_equal(guest_drain(b), 1);
	assert_int_equal(nics[0].nb_sent, 0);
}

static void a_full_guest_with_backpressure_is_not_waited_for(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0];

	assert_int_equal(elisa_switch_port_set_backpressure(world->sw, a->port, true), 0);
	for (uint32_t i = 0; i < RING + 10; i++)
		nic_put(&nics[0], a->mac, WIRE_MAC, 60, i);
	assert_int_equal(guest_poll(world, a, 256), RING + 10);
	assert_int_equal(guest_drain(a), RING);
	assert_int_equal(nic_stats(world, 0).tx_packets, RING + 10);
	assert_int_equal(nic_stats(world, 0).tx_drops[ELISA_DROP_RECEIVER_FULL], 10);
	assert_int_equal(nic_stats(world, 0).tx_backpressure, 0);
}

static void no_more_than_the_budget(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0];

	for (uint32_t i = 0; i < 20; i++)
		nic_put(&nics[i % 2], a->mac, WIRE_MAC, 60, i);
	assert_int_equal(guest_poll(world, a, 1), 1);
	assert_int_equal(guest_poll(world, a, 13), 13);
	assert_int_equal(guest_poll(world, a, 256), 6);
	assert_int_equal(guest_poll(world, a, 256), 0);
	assert_int_equal(guest_poll(world, a, 0), -EINVAL);
	assert_int_equal(guest_poll(world, a, ELISA_MAX_BURST + 1), -EINVAL);
	assert_int_equal(guest_drain(a), 20);
}

/* As a call to transmit: by a port that is set up. */
static void who_may_poll(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0];

	world->maps[a->port].queues[0].rx_size = 0;
	assert_int_equal(guest_poll(world, a, 32), -ENODEV);
	world->maps[a->port].queues[0].rx_size = RING;
	assert_int_equal(elisa_switch_port_del(world->sw, a->port), 0);
	assert_int_equal(guest_poll(world, a, 32), -ENODEV);
}

static void a_vcpu_without_fsgsbase_may_not(void **state)
{
	struct world *world = *state;
	struct guest *a = &world->guests[0];

	nic_put(&nics[0], a->mac, WIRE_MAC, 60, 1);
	a->features = 0;
	assert_int_equal(guest_poll(world, a, 32), -ENOENT);
	assert_int_equal(guest_poll(world, a, 0), -EINVAL);
	assert_int_equal(nics[0].nb_wire, 1);
	assert_int_equal(guest_poll(world, &world->guests[1], 32), 1);
	assert_int_equal(guest_drain(a), 1);
}

static void each_vcpu_sends_on_its_own_queue(void **state)
{
	struct world *world = *state;

	for (uint32_t i = 0; i < 3; i++) {
		guest_send_one(world, &world->guests[0], WIRE_MAC, 60, i);
		guest_send_one(world, &world->guests[1], WIRE_MAC, 60, i);
		guest_send_one(world, &world->guests[1], WIRE_MAC, 60, i);
	}
	assert_int_equal(nics[0].nb_sent, 3);
	assert_int_equal(nics[1].nb_sent, 6);
	/* Or on another, when its own is in use. */
	assert_true(elisa_owner_take_queue(&world->sw->uplinks[0], 0, 77));
	guest_send_one(world, &world->guests[0], WIRE_MAC, 60, 9);
	assert_int_equal(nics[1].nb_sent, 7);
	elisa_switch_uplink_free(world->sw, 0, 0);
}

static void what_one_uplink_receives_another_sends(void **state)
{
	struct world *world = *state;

	nics_make(world, 1, other, 1, false);
	nic_put(&nics[0], 0x020000000002ull, WIRE_MAC, 100, 1);
	assert_int_equal(guest_poll(world, &world->guests[0], 32), 1);
	assert_int_equal(other[0].nb_sent, 1);
	assert_int_equal(other[0].sent[0].length, 100);
	/* And back: the address is known now. */
	nic_put(&other[0], WIRE_MAC, 0x020000000002ull, 100, 1);
	assert_int_equal(guest_poll(world, &world->guests[0], 32), 1);
	assert_int_equal(nics[0].nb_sent, 1);
	nics_free(world, 1, other, 1);
}

static void nobody_takes_a_queue_of_an_uplink_that_is_down(void **state)
{
	struct world *world = *state;
	struct elisa_uplink *uplink = &world->sw->uplinks[0];

	assert_int_equal(elisa_switch_uplink_set_state(world->sw, 0, ELISA_UPLINK_DOWN), 0);
	assert_false(elisa_owner_take_queue(uplink, 0, 3));
	assert_null(elisa_owner_take(uplink, 3));
	assert_int_equal(elisa_uplink_owner_vcpu(elisa_switch_uplink_owner(world->sw, 0, 0)), -1);
	nic_put(&nics[0], world->guests[0].mac, WIRE_MAC, 60, 1);
	assert_int_equal(guest_poll(world, &world->guests[0], 32), 0);
}

static void taking_an_uplink_away(void **state)
{
	struct world *world = *state;

	assert_int_equal(elisa_switch_uplink_del(world->sw, 0), -EBUSY);
	assert_true(elisa_owner_take_queue(&world->sw->uplinks[0], 1, 255));
	assert_int_equal(elisa_switch_uplink_set_state(world->sw, 0, ELISA_UPLINK_DOWN), 0);
	assert_int_equal(elisa_switch_uplink_del(world->sw, 0), -EBUSY);
	assert_int_equal(elisa_uplink_owner_vcpu(elisa_switch_uplink_owner(world->sw, 0, 1)), 255);
	elisa_switch_uplink_free(world->sw, 0, 1);
	assert_int_equal(elisa_switch_uplink_del(world->sw, 0), 0);
	assert_int_equal(elisa_switch_uplink_del(world->sw, 0), -ENODEV);
	assert_int_equal(elisa_switch_uplink_set_link(world->sw, 0, true), -ENODEV);
	assert_int_equal(guest_poll(world, &world->guests[0], 32), -ENOENT);
	/* Its port is free again, and nobody is flooded there. */
	guest_send_one(world, &world->guests[0], WIRE_MAC, 60, 1);
	assert_int_equal(guest_drain(&world->guests[1]), 1);
	assert_int_equal(nics[0].nb_sent, 0);
}

static void what_cannot_be_added(void **state)
{
	struct elisa_uplink_params params = {
		.port = 50, .driver = NIC_DRIVER, .mtu = 1500, .room = NIC_ROOM, .nb_queues = 1};
	struct world *world = *state;

	assert_int_equal(elisa_switch_uplink_add(world->sw, 0, &params), -EEXIST);
	assert_int_equal(elisa_switch_uplink_add(world->sw, ELISA_MAX_UPLINKS, &params), -ERANGE);
	params.port = 1;
	assert_int_equal(elisa_switch_uplink_add(world->sw, 1, &params), -EEXIST);
	params.port = NIC_PORT;
	assert_int_equal(elisa_switch_uplink_add(world->sw, 1, &params), -EEXIST);
	params.port = ELISA_MAX_PORTS;
	assert_int_equal(elisa_switch_uplink_add(world->sw, 1, &params), -ERANGE);
	params.port = 50;
	params.nb_queues = ELISA_UPLINK_QUEUES + 1;
	assert_int_equal(elisa_switch_uplink_add(world->sw, 1, &params), -EINVAL);
	params.nb_queues = 0;
	assert_int_equal(elisa_switch_uplink_add(world->sw, 1, &params), -EINVAL);
	params.nb_queues = 1;
	params.room = 1500;
	assert_int_equal(elisa_switch_uplink_add(world->sw, 1, &params), -EINVAL);
	params.mtu = 0xfffffff0;
	assert_int_equal(elisa_switch_uplink_add(world->sw, 1, &params), -EINVAL);
	params.mtu = 1478;
	assert_int_equal(elisa_switch_uplink_add(world->sw, 1, &params), 0);
	assert_int_equal(elisa_switch_uplink_set_queue(world->sw, 1, 1, 1, 2, 3), -ERANGE);
	assert_int_equal(elisa_switch_uplink_del(world->sw, 1), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(frames_reach_the_guest_they_are_for),
		TEST(broadcasts_reach_all_guests_and_not_the_wire),
		TEST(good_checksums_are_told),
		TEST(malformed_frames_are_dropped_and_counted),
		TEST(bad_sources_are_dropped),
		TEST(a_port_s_address_stays_its_own),
		TEST(a_full_guest_with_backpressure_is_not_waited_for),
		TEST(no_more_than_the_budget),
		TEST(who_may_poll),
		TEST(a_vcpu_without_fsgsbase_may_not),
		TEST(each_vcpu_sends_on_its_own_queue),
		TEST(what_one_uplink_receives_another_sends),
		TEST(nobody_takes_a_queue_of_an_uplink_that_is_down),
		TEST(taking_an_uplink_away),
		TEST(what_cannot_be_added),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
