/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * region.c - the search behind region.h, when the region that served last does not serve.
 *
 * In the trusted image. Reads the port map, which the module writes meanwhile.
 */
#include "vswitch/datapath/region.h"

bool elisa_view_find(struct elisa_view *view, const struct elisa_port_map *map, uint64_t gva,
		     uint32_t length, uint32_t flags)
{
	uint32_t nb = elisa_load_acquire(&map->nb_regions);
	struct elisa_view found;

	if (nb > ELISA_MAX_REGIONS)
		nb = ELISA_MAX_REGIONS;
	for (uint32_t i = 0; i < nb; i++) {
		const struct elisa_region *region = &map->regions[i & elisa_below_mask(i, nb)];

		/* Pairs with the module's store-release of length, the last it writes. */
		found.length = elisa_load_acquire(&region->length);
		if (!found.length)
			continue;
		found.gva = elisa_load(&region->gva);
		found.window = elisa_load(&region->window);
		if ((elisa_load(&region->flags) & flags) != flags)
			continue;
		if (elisa_view_translate(&found, gva, length)) {
			*view = found;
			return true;
		}
	}
	return false;
}
