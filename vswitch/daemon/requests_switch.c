// SPDX-License-Identifier: BSD-3-Clause
/* requests_switch.c - the commands about the switch as a whole; see requests.h. */
#include "requests.h"

#include "arguments.h"
#include "log.h"
#include "module.h"
#include "names.h"

#include <elisa/version.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Guests fill the table: an answer has a bound all the same. */
#define FDB_ENTRIES_MAX 16384u

static const char *const no_keys[] = {NULL};
static const char *const port_keys[] = {"name", NULL};

static json_t *record_json(struct elisa_daemon *daemon, const struct elisa_fdb_record *record)
{
	const char *port = elisa_daemon_port_name(daemon, record->port);
	char mac[ELISA_MAC_TEXT_SIZE];

	elisa_mac_print(record->mac, mac);
	return json_pack("{s:s, s:s, s:b, s:I}", "mac", mac, "port", port ? port : "", "fixed",
			 record->fixed, "age_s",
			 (json_int_t)record->age_ticks * ELISA_FDB_TICK_SECONDS);
}

static json_t *records_json(struct elisa_daemon *daemon, const struct elisa_fdb_record *records,
			    unsigned int count)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < count; i++) {
		if (json_array_append_new(list, record_json(daemon, &records[i]))) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

json_t *elisa_request_fdb(struct elisa_daemon *daemon, const json_t *arguments,
			  struct elisa_failure *failure)
{
	const struct elisa_switch *sw = daemon->domain.sw;
	struct elisa_fdb_record *records;
	unsigned int total, count;
	json_t *list;

	if (elisa_arguments_only(arguments, no_keys, failure))
		return NULL;
	records = calloc(FDB_ENTRIES_MAX, sizeof(*records));
	if (!records)
		return NULL;
	total = elisa_switch_fdb_dump(sw, records, FDB_ENTRIES_MAX);
	count = total < FDB_ENTRIES_MAX ? total : FDB_ENTRIES_MAX;
	list = records_json(daemon, records, count);
	free(records);
	return json_pack("{s:o, s:I, s:I, s:I, s:I}", "entries", list, "total", (json_int_t)total,
			 "capacity", (json_int_t)daemon->options.fdb_capacity, "not_learned",
			 (json_int_t)__atomic_load_n(&sw->fdb_full, __ATOMIC_RELAXED), "moves",
			 (json_int_t)__atomic_load_n(&sw->fdb_moves, __ATOMIC_RELAXED));
}

json_t *elisa_request_fdb_flush(struct elisa_daemon *daemon, const json_t *arguments,
				struct elisa_failure *failure)
{
	unsigned int number, count;

	if (elisa_arguments_only(arguments, port_keys, failure) ||
	    elisa_request_number(daemon, arguments, &number, failure))
		return NULL;
	count = elisa_switch_fdb_flush(daemon->domain.sw, number);
	return json_pack("{s:I}", "forgotten", (json_int_t)count);
}

/* The contexts keep guests out of the switch's state. Did they? */
static int audit(struct elisa_daemon *daemon, struct elisa_failure *failure)
{
	char sentence[ELISA_AUDIT_SENTENCE];
	int result = elisa_switch_audit(daemon->domain.sw, daemon->domain.switch_size, sentence);

	if (!result)
		return 0;
	elisa_fail(
		failure, result,
		"the state of switch %s is not sound: %s; stop its VMs, start it anew and report "
		"this",
		daemon->options.switch_name, sentence);
	elisa_log(ELISA_LOG_ERROR, "%s", failure->message);
	return result;
}

json_t *elisa_request_prove(struct elisa_daemon *daemon, const json_t *arguments,
			    struct elisa_failure *failure)
{
	struct elisa_domain_prove proof = {0};
	int result;

	if (elisa_arguments_only(arguments, no_keys, failure))
		return NULL;
	result = elisa_module_domain_prove(daemon->domain.fd, &proof);
	if (result == -EUCLEAN) {
		elisa_fail(failure, result,
			   "invariant %u does not hold for vCPU %u: isolation is broken; stop the "
			   "VMs of switch %s and report this",
			   proof.invariant, proof.vcpu, daemon->options.switch_name);
		elisa_log(ELISA_LOG_ERROR, "%s", failure->message);
		return NULL;
	}
	if (result) {
		elisa_fail(failure, result,
			   "the module cannot check the contexts: %s; look for its messages in the "
			   "kernel's log (dmesg)",
			   strerror(-result));
		return NULL;
	}
	if (audit(daemon, failure))
		return NULL;
	return json_pack("{s:b, s:I, s:b}", "holds", 1, "entries", (json_int_t)proof.entries,
			 "sound", 1);
}

static unsigned int count_ports(const struct elisa_daemon *daemon)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < ELISA_MAX_PORTS; i++)
		count += daemon->ports.ports[i].present;
	return count;
}

static unsigned int count_uplinks(const struct elisa_daemon *daemon)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < ELISA_MAX_UPLINKS; i++)
		count += daemon->uplinks.uplinks[i].present;
	return count;
}

static unsigned int count_vms(const struct elisa_daemon *daemon)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < ELISA_MAX_PORTS; i++)
		count += daemon->vms.vms[i].attached;
	return count;
}

json_t *elisa_request_status(struct elisa_daemon *daemon, const json_t *arguments,
			     struct elisa_failure *failure)
{
	const struct elisa_options *options = &daemon->options;
	struct elisa_info info = {0};
	struct timespec now;

	if (elisa_arguments_only(arguments, no_keys, failure))
		return NULL;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (elisa_module_info(daemon->domain.module, &info))
		info = daemon->domain.info;
	info.module_version[sizeof(info.module_version) - 1] = '\0';
	return json_pack("{s:s, s:i, s:I, s:s, s:o, s:o, s:i, s:i, s:i, s:I, s:I, s:I, s:I}",
			 "switch", options->switch_name, "pid", (int)getpid(), "uptime_s",
			 (json_int_t)(now.tv_sec - daemon->started.tv_sec), "version",
			 ELISA_VERSION_STRING, "module_version",
			 elisa_json_text(info.module_version), "image_version",
			 elisa_json_text(daemon->domain.image_version), "ports",
			 (int)count_ports(daemon), "uplinks", (int)count_uplinks(daemon), "vms",
			 (int)count_vms(daemon), "pinned_pages", (json_int_t)info.pinned_pages,
			 "fdb_capacity", (json_int_t)options->fdb_capacity, "fdb_entries",
			 (json_int_t)elisa_switch_fdb_dump(daemon->domain.sw, NULL, 0), "ageing_s",
			 (json_int_t)options->age_ticks * ELISA_FDB_TICK_SECONDS);
}
