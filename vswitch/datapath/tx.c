/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tx.c - one transmit call: batch after batch of a window.
 *
 * In the trusted image. Touches no guest memory itself.
 */
#include "vswitch/datapath/errors.h"
#include "vswitch/datapath/gather.h"
#include "vswitch/datapath/mask.h"
#include "vswitch/datapath/route.h"
#include "vswitch/datapath/tx.h"

/* Returns the first descriptor not taken. */
static uint32_t send_all(struct elisa_sender *sender)
{
	struct elisa_batch *batch = &sender->workspace->batch;
	uint32_t done = 0;

	while (done < sender->nb_descs) {
		uint32_t next = elisa_gather(sender, batch, done);
		uint32_t taken = elisa_route(sender, batch);

		if (taken < batch->nb_packets)
			return batch->packets[taken].first_desc;
		done = next;
	}
	return done;
}

int64_t elisa_transmit(const struct elisa_context *context, uint32_t port, uint32_t queue,
		       uint64_t count)
{
	const struct elisa_queue_map *map = &context->maps[port].queues[queue];
	uint32_t size = elisa_load_acquire(&map->tx_size);
	struct elisa_sender sender;
	uint32_t done;

	if (!size || !elisa_load(&context->sw->config[port].present))
		return -ELISA_ENODEV;
	if (!count || count > ELISA_MAX_BURST || count > size)
		return -ELISA_EINVAL;
	count &= elisa_below_mask(count, size + 1ull);
	elisa_sender_begin(&sender, context, port, queue);
	sender.window = (const struct elisa_desc *)(uintptr_t)elisa_load(&map->tx_window);
	sender.nb_descs = count;
	sender.max_frame = elisa_load(&context->maps[port].mtu) + ELISA_FRAME_OVERHEAD;
	done = send_all(&sender);
	elisa_send_counters_add(&context->sw->sent[port], &sender.counters);
	return done;
}
