/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * net_elisa_args.c - the device's arguments: [gate=vmfunc|local][,switch=NAME][,port=NAME].
 *
 * Called at probe. Touches nothing but its arguments.
 */
#include <errno.h>
#include <string.h>

#include <rte_kvargs.h>

#include "net_elisa.h"

#define USAGE "[gate=vmfunc|local][,switch=NAME][,port=NAME]"

static int parse_gate(const char *device, const char *value, bool *local)
{
	if (strcmp(value, "local") == 0)
		*local = true;
	else if (strcmp(value, "vmfunc") == 0)
		*local = false;
	else {
		ELISA_LOG(ERR, device, "gate=%s is not known: vmfunc or local", value);
		return -EINVAL;
	}
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
		return parse_gate(device, value, &args->local);
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
