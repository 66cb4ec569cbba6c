/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * net_elisa_args.c - the device's arguments: [gate=vmfunc|vmcall|local][,switch=NAME][,port=NAME]
 * [,rss-symmetric=0|1].
 *
 * Called at probe. Touches nothing but its arguments.
 */
#include <errno.h>
#include <string.h>

#include <rte_kvargs.h>

#include "net_elisa.h"

#define USAGE "[gate=vmfunc|vmcall|local][,switch=NAME][,port=NAME][,rss-symmetric=0|1]"

static int parse_gate(const char *device, const char *value, enum net_elisa_gate *gate)
{
	if (strcmp(value, "local") == 0)
		*gate = NET_ELISA_GATE_LOCAL;
	else if (strcmp(value, "vmfunc") == 0)
		*gate = NET_ELISA_GATE_VMFUNC;
	else if (strcmp(value, "vmcall") == 0)
		*gate = NET_ELISA_GATE_VMCALL;
	else {
		ELISA_LOG(ERR, device, "gate=%s is not known: vmfunc, vmcall or local", value);
		return -EINVAL;
	}
	return 0;
}

static int parse_switch(const char *device, const char *key, const char *value, bool *on)
{
	if (strcmp(value, "0") && strcmp(value, "1")) {
		ELISA_LOG(ERR, device, "%s=%s: give 0 or 1", key, value);
		return -EINVAL;
	}
	*on = value[0] == '1';
	return 0;
}

static int parse_name(const char *device, const char *key, const char *value, char *name)
{
	size_t length = strlen(value);

	if (length == 0 || length >= ELISA_NAME_SIZE) {
		ELISA_LOG(ERR, device, "%s=%s: a name has 1 to %u bytes", key, value,
			  ELISA_NAME_SIZE - 1);
		return -EINVAL;
	}
	memcpy(name, value, length + 1);
	return 0;
}

static int parse_pair(const char *device, const struct rte_kvargs_pair *pair,
		      struct net_elisa_args *args)
{
	const char *value = pair->value ? pair->value : "";

	if (strcmp(pair->key, "gate") == 0)
		return parse_gate(device, value, &args->gate);
	if (strcmp(pair->key, "rss-symmetric") == 0)
		return parse_switch(device, pair->key, value, &args->rss_symmetric);
	if (strcmp(pair->key, "switch") == 0)
		return parse_name(device, pair->key, value, args->switch_name);
	if (strcmp(pair->key, "port") == 0)
		return parse_name(device, pair->key, value, args->port_name);
	ELISA_LOG(ERR, device, "argument %s is not known: " USAGE, pair->key);
	return -EINVAL;
}

static int refuse_twice(const char *device, const struct rte_kvargs *list)
{
	unsigned int i;

	for (i = 0; i < list->count; i++) {
		if (rte_kvargs_count(list, list->pairs[i].key) > 1) {
			ELISA_LOG(ERR, device, "argument %s is given twice", list->pairs[i].key);
			return -EINVAL;
		}
	}
	return 0;
}

int net_elisa_parse_args(const char *device, const char *text, struct net_elisa_args *args)
{
	struct rte_kvargs *list;
	unsigned int i;
	int err;

	memset(args, 0, sizeof(*args));
	if (!text || text[0] == '\0')
		return 0;

	list = rte_kvargs_parse(text, NULL);
	if (!list) {
		ELISA_LOG(ERR, device, "cannot read the arguments \"%s\": " USAGE, text);
		return -EINVAL;
	}
	err = refuse_twice(device, list);
	for (i = 0; !err && i < list->count; i++)
		err = parse_pair(device, &list->pairs[i], args);
	rte_kvargs_free(list);
	return err;
}
