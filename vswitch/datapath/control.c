/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * control.c - the daemon's side of a switch: making it, ports, counters.
 *
 * Not in the trusted image. Touches struct elisa_switch only, while vCPUs use it.
 */
#include <errno.h>
#include <string.h>

#include "vswitch/datapath/control_fdb.h"
#include "vswitch/datapath/control_policy.h"
#include "vswitch/datapath/fdb.h"
#include "vswitch/datapath/switch.h"

static bool is_power_of_two(uint32_t number)
{
	return number && !(number & (number - 1));
}

uint64_t elisa_switch_size(uint32_t fdb_capacity)
{
	uint64_t bytes = sizeof(struct elisa_switch) + (uint64_t)fdb_capacity * sizeof(uint64_t);

	if (!is_power_of_two(fdb_capacity) || fdb_capacity < ELISA_FDB_MIN_CAPACITY ||
	    fdb_capacity > ELISA_FDB_MAX_CAPACITY)
		return 0;
	return (bytes + ELISA_PAGE_SIZE - 1) & ~(ELISA_PAGE_SIZE - 1);
}

ELISA_STATIC_ASSERT(sizeof(struct elisa_switch) + ELISA_FDB_MAX_CAPACITY * 8ull + ELISA_PAGE_SIZE <=
			    ELISA_SWITCH_MAX,
		    "the largest switch fits in its place");

int elisa_switch_init(struct elisa_switch *memory, uint64_t size,
		      const struct elisa_switch_params *params)
{
	uint64_t needed = elisa_switch_size(params->fdb_capacity);

	if (!needed || !params->age_ticks || params->age_ticks > ELISA_FDB_MAX_AGE_TICKS)
		return -EINVAL;
	if (size < needed)
		return -ENOSPC;
	memory->abi = ELISA_IMAGE_ABI;
	memory->layout = ELISA_SWITCH_LAYOUT;
	memory->size = needed;
	memory->fdb_seed = params->seed | 1;
	memory->fdb_buckets = params->fdb_capacity / ELISA_FDB_WAYS;
	memory->fdb_age_ticks = params->age_ticks;
	/* Whoever finds the magic finds a whole switch. */
	elisa_store_release(&memory->magic, ELISA_SWITCH_MAGIC);
	return 0;
}

int elisa_switch_check(const struct elisa_switch *sw, uint64_t size)
{
	if (size < sizeof(*sw) || elisa_load_acquire(&sw->magic) != ELISA_SWITCH_MAGIC ||
	    sw->abi != ELISA_IMAGE_ABI || sw->layout != ELISA_SWITCH_LAYOUT || sw->size > size)
		return -EPROTO;
	/* A count of buckets that is too large must not become a good one of entries. */
	if (!sw->size || sw->fdb_buckets > ELISA_FDB_MAX_CAPACITY / ELISA_FDB_WAYS ||
	    elisa_switch_size(sw->fdb_buckets * ELISA_FDB_WAYS) != sw->size)
		return -EPROTO;
	return 0;
}

static int check_port(const struct elisa_switch *sw, unsigned int port)
{
	if (port >= ELISA_MAX_PORTS)
		return -ERANGE;
	return elisa_load(&sw->config[port].present) ? 0 : -ENODEV;
}

int elisa_switch_port_add(struct elisa_switch *sw, unsigned int port,
			  const struct elisa_port_params *params)
{
	uint64_t mac = elisa_mac_to_number(params->mac);
	int error = check_port(sw, port);

	if (error != -ENODEV)
		return error ? error : -EEXIST;
	if (!mac || mac & ELISA_MAC_MULTICAST_BIT)
		return -EINVAL;
	error = elisa_fdb_add_fixed(sw, mac, port);
	if (error)
		return error;
	memset(&sw->sent[port], 0, sizeof(sw->sent[port]));
	memset(&sw->received[port], 0, sizeof(sw->received[port]));
	/* A port before this one may have had the same epochs. */
	memset(sw->queues[port], 0, sizeof(sw->queues[port]));
	elisa_store(&sw->config[port].mac, mac);
	elisa_store(&sw->config[port].backpressure, params->backpressure);
	elisa_policy_begin(sw, port, ELISA_LEARNING_DEFAULT);
	elisa_store_release(&sw->config[port].present, 1);
	__atomic_fetch_or(&sw->ports, 1ull << port, __ATOMIC_RELEASE);
	return 0;
}

int elisa_switch_port_del(struct elisa_switch *sw, unsigned int port)
{
	int error = check_port(sw, port);

	if (error)
		return error;
	__atomic_fetch_and(&sw->ports, ~(1ull << port), __ATOMIC_RELEASE);
	elisa_store_release(&sw->config[port].present, 0);
	elisa_store(&sw->config[port].capture, 0);
	elisa_fdb_remove_fixed(sw, elisa_load(&sw->config[port].mac));
	elisa_switch_fdb_flush(sw, port);
	return 0;
}

int elisa_switch_port_set_backpressure(struct elisa_switch *sw, unsigned int port,
				       bool backpressure)
{
	int error = check_port(sw, port);

	if (!error)
		elisa_store(&sw->config[port].backpressure, backpressure);
	return error;
}

int elisa_switch_port_set_capture(struct elisa_switch *sw, unsigned int port, uint32_t bytes)
{
	int error = check_port(sw, port);

	/* Rings that were mapped before are there for who sees it. */
	if (!error)
		elisa_store_release(&sw->config[port].capture, bytes);
	return error;
}

int elisa_switch_port_stats(const struct elisa_switch *sw, unsigned int port,
			    struct elisa_port_stats *stats)
{
	int error = check_port(sw, port);
	const struct elisa_receive_counters *received;
	const struct elisa_send_counters *sent;

	if (error)
		return error;
	sent = &sw->sent[port];
	received = &sw->received[port];
	stats->tx_packets = elisa_load(&sent->packets);
	stats->tx_bytes = elisa_load(&sent->bytes);
	stats->tx_calls = elisa_load(&sent->calls);
	stats->tx_flooded = elisa_load(&sent->flooded);
	stats->tx_backpressure = elisa_load(&sent->backpressure);
	stats->tx_claim_retries = elisa_load(&sent->claim_retries);
	stats->tx_segments = elisa_load(&sent->segments);
	stats->tx_unlearned = elisa_load(&sent->unlearned);
	stats->learned = elisa_load(&sw->limits[port].learned);
	stats->rx_packets = elisa_load(&received->packets);
	stats->rx_bytes = elisa_load(&received->bytes);
	for (unsigned int i = 0; i < ELISA_DROP_REASONS; i++) {
		stats->tx_drops[i] = elisa_load(&sent->drops[i]);
		stats->rx_drops[i] = elisa_load(&received->drops[i]);
	}
	return 0;
}

const char *elisa_drop_reason_name(unsigned int reason)
{
	static const char *const names[ELISA_DROP_REASONS] = {
		[ELISA_DROP_NONE] = "none",
		[ELISA_DROP_BAD_DESCRIPTOR] = "bad-descriptor",
		[ELISA_DROP_RUNT] = "runt",
		[ELISA_DROP_GIANT] = "giant",
		[ELISA_DROP_BAD_SOURCE] = "bad-source",
		[ELISA_DROP_NO_DESTINATION] = "no-destination",
		[ELISA_DROP_RECEIVER_FULL] = "receiver-full",
		[ELISA_DROP_RECEIVER_MTU] = "receiver-mtu",
		[ELISA_DROP_BAD_RECEIVE_BUFFER] = "bad-receive-buffer",
		[ELISA_DROP_SENDER_LOST] = "sender-lost",
		[ELISA_DROP_BAD_OFFLOAD] = "bad-offload",
		[ELISA_DROP_UPLINK_FULL] = "uplink-full",
		[ELISA_DROP_UPLINK_BUSY] = "uplink-busy",
		[ELISA_DROP_UPLINK_DOWN] = "uplink-down",
		[ELISA_DROP_UPLINK_MTU] = "uplink-mtu",
		[ELISA_DROP_UPLINK_ERROR] = "uplink-error",
		[ELISA_DROP_SOURCE_GUARD] = "source-guard",
		[ELISA_DROP_RATE_LIMIT] = "rate-limit",
		[ELISA_DROP_STORM_LIMIT] = "storm-limit",
		[ELISA_DROP_PRIVATE_PORT] = "private-port",
	};

	return reason < ELISA_DROP_REASONS ? names[reason] : "?";
}

uint64_t elisa_mac_to_number(const uint8_t mac[ELISA_MAC_SIZE])
{
	uint64_t number = 0;

	for (unsigned int i = 0; i < ELISA_MAC_SIZE; i++)
		number = number << 8 | mac[i];
	return number;
}

void elisa_mac_from_number(uint64_t number, uint8_t mac[ELISA_MAC_SIZE])
{
	for (unsigned int i = 0; i < ELISA_MAC_SIZE; i++)
		mac[i] = number >> (8 * (ELISA_MAC_SIZE - 1 - i));
}
