/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * net_elisa_rss.c - receive side scaling: which of the port's queues the switch puts a packet in.
 *
 * Called by ethdev, main thread, also while packets flow. The port keeps what the host was told last.
 */
#include <errno.h>
#include <string.h>

#include "net_elisa.h"

/* The key that DPDK's drivers use when the application gives none (Microsoft's example). */
static const uint8_t default_key[ELISA_RSS_KEY_SIZE] = {
	0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3,
	0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3,
	0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
};

struct rss_type {
	uint64_t dpdk;
	uint32_t elisa;
};

static const struct rss_type types[] = {
	{RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_FRAG_IPV4 | RTE_ETH_RSS_NONFRAG_IPV4_OTHER, ELISA_RSS_IPV4},
	{RTE_ETH_RSS_NONFRAG_IPV4_TCP, ELISA_RSS_IPV4_TCP},
	{RTE_ETH_RSS_NONFRAG_IPV4_UDP, ELISA_RSS_IPV4_UDP},
	{RTE_ETH_RSS_IPV6 | RTE_ETH_RSS_FRAG_IPV6 | RTE_ETH_RSS_NONFRAG_IPV6_OTHER, ELISA_RSS_IPV6},
	{RTE_ETH_RSS_NONFRAG_IPV6_TCP, ELISA_RSS_IPV6_TCP},
	{RTE_ETH_RSS_NONFRAG_IPV6_UDP, ELISA_RSS_IPV6_UDP},
};

const uint64_t net_elisa_rss_types = RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_FRAG_IPV4 |
				     RTE_ETH_RSS_NONFRAG_IPV4_OTHER | RTE_ETH_RSS_NONFRAG_IPV4_TCP |
				     RTE_ETH_RSS_NONFRAG_IPV4_UDP | RTE_ETH_RSS_IPV6 |
				     RTE_ETH_RSS_FRAG_IPV6 | RTE_ETH_RSS_NONFRAG_IPV6_OTHER |
				     RTE_ETH_RSS_NONFRAG_IPV6_TCP | RTE_ETH_RSS_NONFRAG_IPV6_UDP;

static uint32_t types_of(uint64_t dpdk)
{
	uint32_t elisa = 0;

	for (unsigned int i = 0; i < RTE_DIM(types); i++)
		if (dpdk & types[i].dpdk)
			elisa |= types[i].elisa;
	return elisa;
}

/* Tells the host, and keeps it if the host agrees. */
static int set(struct net_elisa_port *port, const struct elisa_rss *rss)
{
	struct elisa_hc_rss call = {.port = port->number, .rss = *rss};
	int err = (int)port->gate.hypercall(&port->gate, ELISA_HC_RSS_SET, &call, sizeof(call));

	if (err)
		ELISA_LOG(ERR, port->device, "the host refused the RSS settings: %s",
			  strerror(-err));
	else
		port->rss = *rss;
	return err;
}

static int check_conf(const struct net_elisa_port *port, const struct rte_eth_rss_conf *conf)
{
	if (conf->rss_hf & ~net_elisa_rss_types) {
		ELISA_LOG(ERR, port->device, "RSS types %#" PRIx64 " are not known: of %#" PRIx64,
			  conf->rss_hf & ~net_elisa_rss_types, net_elisa_rss_types);
		return -EINVAL;
	}
	if (conf->rss_key && conf->rss_key_len != ELISA_RSS_KEY_SIZE) {
		ELISA_LOG(ERR, port->device, "an RSS key of %u bytes: give %u", conf->rss_key_len,
			  ELISA_RSS_KEY_SIZE);
		return -EINVAL;
	}
	return 0;
}

static void set_types(const struct net_elisa_port *port, struct elisa_rss *rss, uint64_t dpdk)
{
	rss->types = types_of(dpdk);
	if (rss->types && port->rss_symmetric)
		rss->types |= ELISA_RSS_SYMMETRIC;
}

int net_elisa_rss_configure(struct net_elisa_port *port)
{
	const struct rte_eth_conf *conf = &port->data->dev_conf;
	const struct rte_eth_rss_conf *asked = &conf->rx_adv_conf.rss_conf;
	struct elisa_rss rss = {0};
	int err;

	if (conf->rxmode.mq_mode & RTE_ETH_MQ_RX_RSS_FLAG && port->data->nb_rx_queues > 1) {
		err = check_conf(port, asked);
		if (err)
			return err;
		set_types(port, &rss, asked->rss_hf);
		memcpy(rss.key, asked->rss_key ? asked->rss_key : default_key, sizeof(rss.key));
		rss.reta_size = ELISA_RSS_RETA_MAX;
		for (unsigned int i = 0; i < ELISA_RSS_RETA_MAX; i++)
			rss.reta[i] = i % port->data->nb_rx_queues;
	}
	return set(port, &rss);
}

int net_elisa_rss_hash_update(struct rte_eth_dev *dev, struct rte_eth_rss_conf *conf)
{
	struct net_elisa_port *port = dev->data->dev_private;
	struct elisa_rss rss = port->rss;
	int err = check_conf(port, conf);

	if (err)
		return err;
	set_types(port, &rss, conf->rss_hf);
	if (conf->rss_key)
		memcpy(rss.key, conf->rss_key, sizeof(rss.key));
	return set(port, &rss);
}

int net_elisa_rss_hash_conf_get(struct rte_eth_dev *dev, struct rte_eth_rss_conf *conf)
{
	const struct net_elisa_port *port = dev->data->dev_private;

	if (conf->rss_key && conf->rss_key_len >= ELISA_RSS_KEY_SIZE) {
		memcpy(conf->rss_key, port->rss.key, ELISA_RSS_KEY_SIZE);
		conf->rss_key_len = ELISA_RSS_KEY_SIZE;
	}
	conf->rss_hf = 0;
	for (unsigned int i = 0; i < RTE_DIM(types); i++)
		if (port->rss.types & types[i].elisa)
			conf->rss_hf |= types[i].dpdk;
	return 0;
}

/* ethdev has checked that `size` is the table's, and that the entries' queues exist. */
int net_elisa_reta_update(struct rte_eth_dev *dev, struct rte_eth_rss_reta_entry64 *entries,
			  uint16_t size)
{
	struct net_elisa_port *port = dev->data->dev_private;
	struct elisa_rss rss = port->rss;

	rss.reta_size = ELISA_RSS_RETA_MAX;
	for (uint16_t i = 0; i < size; i++) {
		const struct rte_eth_rss_reta_entry64 *group =
			&entries[i / RTE_ETH_RETA_GROUP_SIZE];
		uint16_t place = i % RTE_ETH_RETA_GROUP_SIZE;

		if (group->mask >> place & 1)
			rss.reta[i] = (uint8_t)group->reta[place];
	}
	return set(port, &rss);
}

int net_elisa_reta_query(struct rte_eth_dev *dev, struct rte_eth_rss_reta_entry64 *entries,
			 uint16_t size)
{
	const struct net_elisa_port *port = dev->data->dev_private;

	for (uint16_t i = 0; i < size; i++) {
		struct rte_eth_rss_reta_entry64 *group = &entries[i / RTE_ETH_RETA_GROUP_SIZE];
		uint16_t place = i % RTE_ETH_RETA_GROUP_SIZE;

		if (group->mask >> place & 1)
			group->reta[place] = port->rss.reta[i];
	}
	return 0;
}
