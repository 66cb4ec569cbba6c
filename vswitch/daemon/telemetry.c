// SPDX-License-Identifier: BSD-3-Clause
/* telemetry.c - see telemetry.h. */
#include "telemetry.h"

#include "names.h"

#include <rte_telemetry.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define FDB_LINES_MAX 256u /* an answer of telemetry is 16 KiB at most */

/* Commands cannot be taken back from DPDK: they ask here whom they serve. */
static pthread_mutex_t served_lock = PTHREAD_MUTEX_INITIALIZER;
static struct elisa_daemon *served;

/* Returns the daemon with both locks held, or NULL with none. Order: served_lock, daemon's lock. */
static struct elisa_daemon *enter(void)
{
	pthread_mutex_lock(&served_lock);
	if (!served) {
		pthread_mutex_unlock(&served_lock);
		return NULL;
	}
	pthread_mutex_lock(&served->lock);
	return served;
}

static void leave(struct elisa_daemon *daemon)
{
	pthread_mutex_unlock(&daemon->lock);
	pthread_mutex_unlock(&served_lock);
}

static int list_ports(const char *command, const char *parameters, struct rte_tel_data *data)
{
	struct elisa_daemon *daemon = enter();

	(void)command;
	(void)parameters;
	if (!daemon)
		return -ENODEV;
	rte_tel_data_start_array(data, RTE_TEL_STRING_VAL);
	for (unsigned int i = 0; i < ELISA_MAX_PORTS; i++) {
		const char *name = elisa_daemon_port_name(daemon, i);

		if (name)
			rte_tel_data_add_array_string(data, name);
	}
	leave(daemon);
	return 0;
}

/* "receiver-full" -> "tx_drop_receiver_full": telemetry's names have no dashes. */
static void add_drops(struct rte_tel_data *data, const char *direction,
		      const uint64_t drops[ELISA_DROP_REASONS])
{
	char name[RTE_TEL_MAX_STRING_LEN];

	for (unsigned int i = 0; i < ELISA_DROP_REASONS; i++) {
		if (i == ELISA_DROP_NONE)
			continue;
		snprintf(name, sizeof(name), "%s_drop_%s", direction, elisa_drop_reason_name(i));
		for (char *c = name; *c; c++)
			*c = *c == '-' ? '_' : *c;
		rte_tel_data_add_dict_u64(data, name, drops[i]);
	}
}

static int show_port(const char *command, const char *parameters, struct rte_tel_data *data)
{
	struct elisa_daemon *daemon = enter();
	struct elisa_port_stats stats;
	int result = -ENOENT;

	(void)command;
	if (!daemon)
		return -ENODEV;
	if (parameters)
		result = elisa_daemon_port_number(daemon, parameters);
	if (result >= 0)
		result = elisa_switch_port_stats(daemon->domain.sw, (unsigned int)result, &stats);
	if (!result) {
		rte_tel_data_start_dict(data);
		rte_tel_data_add_dict_string(data, "name", parameters);
		rte_tel_data_add_dict_u64(data, "tx_packets", stats.tx_packets);
		rte_tel_data_add_dict_u64(data, "tx_bytes", stats.tx_bytes);
		rte_tel_data_add_dict_u64(data, "tx_calls", stats.tx_calls);
		rte_tel_data_add_dict_u64(data, "tx_flooded", stats.tx_flooded);
		rte_tel_data_add_dict_u64(data, "tx_backpressure", stats.tx_backpressure);
		rte_tel_data_add_dict_u64(data, "tx_segments", stats.tx_segments);
		rte_tel_data_add_dict_u64(data, "tx_not_learned", stats.tx_unlearned);
		rte_tel_data_add_dict_u64(data, "learned", stats.learned);
		rte_tel_data_add_dict_u64(data, "rx_packets", stats.rx_packets);
		rte_tel_data_add_dict_u64(data, "rx_bytes", stats.rx_bytes);
		add_drops(data, "tx", stats.tx_drops);
		add_drops(data, "rx", stats.rx_drops);
	}
	leave(daemon);
	return result;
}

static void add_record(struct rte_tel_data *data, struct elisa_daemon *daemon,
		       const struct elisa_fdb_record *record)
{
	const char *port = elisa_daemon_port_name(daemon, record->port);
	char mac[ELISA_MAC_TEXT_SIZE], line[RTE_TEL_MAX_STRING_LEN];

	if (!port)
		return;
	elisa_mac_print(record->mac, mac);
	snprintf(line, sizeof(line), "%s %s", mac, port);
	rte_tel_data_add_array_string(data, line);
}

static int show_fdb(const char *command, const char *parameters, struct rte_tel_data *data)
{
	struct elisa_fdb_record records[FDB_LINES_MAX];
	struct elisa_daemon *daemon = enter();
	unsigned int total;

	(void)command;
	(void)parameters;
	if (!daemon)
		return -ENODEV;
	total = elisa_switch_fdb_dump(daemon->domain.sw, records, FDB_LINES_MAX);
	rte_tel_data_start_array(data, RTE_TEL_STRING_VAL);
	for (unsigned int i = 0; i < total && i < FDB_LINES_MAX; i++)
		add_record(data, daemon, &records[i]);
	leave(daemon);
	return 0;
}

int elisa_telemetry_start(struct elisa_daemon *daemon, struct elisa_failure *failure)
{
	int result;

	served = daemon;
	result = rte_telemetry_register_cmd("/elisa/ports", list_ports,
					    "Names of the ports of the switch. No parameters.");
	if (!result)
		result = rte_telemetry_register_cmd("/elisa/port", show_port,
						    "Counters of a port. Parameter: its name.");
	if (!result)
		result = rte_telemetry_register_cmd(
			"/elisa/fdb", show_fdb,
			"The first 256 addresses of the MAC table. No parameters.");
	if (result)
		return elisa_fail(failure, -ENOTSUP, "DPDK does not take the commands: %s",
				  strerror(-result));
	return 0;
}

void elisa_telemetry_stop(void)
{
	pthread_mutex_lock(&served_lock);
	served = NULL;
	pthread_mutex_unlock(&served_lock);
}
