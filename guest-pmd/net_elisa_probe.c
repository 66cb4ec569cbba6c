/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * net_elisa_probe.c - a vdev becomes an Ethernet device: arguments, gate, hello.
 *
 * Called by DPDK's vdev bus. A failure is one line for a person, and nothing is left behind.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <ethdev_vdev.h>
#include <rte_errno.h>
#include <rte_kvargs.h>

#include <elisa/version.h>

#include "net_elisa.h"

RTE_LOG_REGISTER(net_elisa_logtype, pmd.net.elisa, NOTICE)

/* What hello's errors mean to the person who started the application (elisa/hypercall.h). */
static const char *hello_refusal(int err)
{
	switch (err) {
	case -EPERM:
		return "elisa.ko is not loaded on the host, or this VM has no port: "
		       "run `elisactl port add ...` on the host";
	case -EPROTO:
		return "the host's elisa.ko speaks another version than this driver: "
		       "install the same release on both sides";
	case -ENOENT:
		return "this VM has no such port on such a switch: see `elisactl port list` on "
		       "the host";
	case -ENOTUNIQ:
		return "this VM has several free ports: say which with port=NAME";
	case -EBUSY:
		return "the port is in use by another process or device: close that, or add a port";
	case -EOPNOTSUPP:
		return "this VM's paging mode or descriptor tables do not allow the gate: "
		       "boot its kernel with `no5lvl`";
	case -ENOMEM:
		return "the host has no memory for it";
	case -ENOSPC:
		return "too many processes of this VM use the gate already: end one of them";
	case -ENOSYS:
		return "the host's elisa.ko does not know hello: install the same release on both "
		       "sides";
	default:
		return "hello failed";
	}
}

static int say_hello(struct net_elisa_port *port, const struct net_elisa_args *args)
{
	struct elisa_hc_hello hello = {.abi = ELISA_GUEST_ABI};
	int err;

	memcpy(hello.port_name, args->port_name, sizeof(hello.port_name));
	memcpy(hello.switch_name, args->switch_name, sizeof(hello.switch_name));
	err = port->gate.hypercall(&port->gate, ELISA_HC_HELLO, &hello, sizeof(hello));
	if (err) {
		ELISA_LOG(ERR, port->device, "%s (port=%s, switch=%s, error %d)",
			  hello_refusal(err), args->port_name[0] ? args->port_name : "any",
			  args->switch_name[0] ? args->switch_name : "any", -err);
		return err;
	}

	port->number = hello.port;
	port->max_mtu = hello.max_mtu;
	port->max_ring = RTE_MIN(hello.max_ring, ELISA_MAX_RING);
	port->max_queues = RTE_MIN(hello.max_queues, NET_ELISA_MAX_QUEUES);
	memcpy(port->mac.addr_bytes, hello.mac, sizeof(hello.mac));
	snprintf(port->port_name, sizeof(port->port_name), "%.31s", hello.port_name);
	snprintf(port->switch_name, sizeof(port->switch_name), "%.31s", hello.switch_name);
	if (hello.window_gva != ELISA_WINDOW_GVA) {
		ELISA_LOG(ERR, port->device,
			  "the host's window is at %#" PRIx64 ", this driver's at %#" PRIx64
			  ": install the same release on both sides",
			  (uint64_t)hello.window_gva, (uint64_t)ELISA_WINDOW_GVA);
		return -EPROTO;
	}
	return 0;
}

static void say_bye(struct net_elisa_port *port)
{
	struct elisa_hc_port bye = {.port = port->number};

	port->gate.hypercall(&port->gate, ELISA_HC_BYE, &bye, sizeof(bye));
}

/*
 * A hello for a port that this process has would take it from the device that has it: to the host
 * it looks like a new process in an old one's place.
 */
static int check_other_devices(const char *device, const struct net_elisa_args *args)
{
	uint16_t i;

	for (i = 0; i < RTE_MAX_ETHPORTS; i++) {
		const struct rte_eth_dev *dev = &rte_eth_devices[i];
		const struct net_elisa_port *other;

		if (!rte_eth_dev_is_valid_port(i) || dev->dev_ops != &net_elisa_ops)
			continue;
		other = dev->data->dev_private;
		if (!other->gate.pins)
			continue;
		if (args->port_name[0] == '\0') {
			ELISA_LOG(
				ERR, device,
				"another device of this process (%s) is a net_elisa too: say which "
				"port this one gets with port=NAME",
				other->device);
			return -ENOTUNIQ;
		}
		if (strcmp(args->port_name, other->port_name) == 0) {
			ELISA_LOG(ERR, device, "%s (port=%s, which %s has)", hello_refusal(-EBUSY),
				  args->port_name, other->device);
			return -EBUSY;
		}
	}
	return 0;
}

/* Gate, hello, and one empty round trip, so that a gate that does not work shows now. */
static int attach(struct net_elisa_port *port, const struct net_elisa_args *args)
{
	int64_t answer;
	int err;

	if (args->gate == NET_ELISA_GATE_LOCAL) {
		err = elisa_gate_open_local(&port->gate, port->device, args->switch_name,
					    args->port_name);
	} else {
		err = check_other_devices(port->device, args);
		if (!err && args->gate == NET_ELISA_GATE_VMFUNC)
			err = elisa_gate_open_vmfunc(&port->gate, port->device);
		else if (!err)
			err = elisa_gate_open_vmcall(&port->gate, port->device);
	}
	if (err)
		return err;

	err = say_hello(port, args);
	if (err)
		goto close_gate;
	answer = port->gate.call(&port->gate, ELISA_CALL_NOP, 0, 0);
	if (answer != 0) {
		ELISA_LOG(ERR, port->device,
			  "the gate is closed (error %d): is elisa-switchd running on the host?",
			  (int)-answer);
		err = (int)answer;
		goto bye;
	}
	return 0;

bye:
	say_bye(port);
close_gate:
	port->gate.close(&port->gate);
	return err;
}

static void fill_device(struct rte_eth_dev *dev, struct net_elisa_port *port)
{
	dev->data->mac_addrs = &port->mac;
	dev->data->dev_link = (struct rte_eth_link){
		.link_speed = RTE_ETH_SPEED_NUM_100G,
		.link_duplex = RTE_ETH_LINK_FULL_DUPLEX,
		.link_autoneg = RTE_ETH_LINK_FIXED,
		.link_status = RTE_ETH_LINK_DOWN,
	};
	dev->data->dev_flags |= RTE_ETH_DEV_AUTOFILL_QUEUE_XSTATS;
	dev->dev_ops = &net_elisa_ops;
	dev->rx_pkt_burst = net_elisa_rx_burst;
	dev->tx_pkt_burst = net_elisa_tx_burst;
	dev->tx_pkt_prepare = net_elisa_tx_prepare;
}

static int net_elisa_probe(struct rte_vdev_device *vdev)
{
	const char *device = rte_vdev_device_name(vdev);
	struct net_elisa_args args;
	struct net_elisa_port *port;
	struct rte_eth_dev *dev;
	int err;

	if (rte_eal_process_type() != RTE_PROC_PRIMARY) {
		ELISA_LOG(ERR, device,
			  "secondary processes are not supported: only the process that said "
			  "hello may pass the gate");
		return -ENOTSUP;
	}
	err = net_elisa_parse_args(device, rte_vdev_device_args(vdev), &args);
	if (err)
		return err;

	dev = rte_eth_vdev_allocate(vdev, sizeof(*port));
	if (!dev) {
		ELISA_LOG(ERR, device, "no memory, or no Ethernet device left");
		return -ENOMEM;
	}
	port = dev->data->dev_private;
	port->data = dev->data;
	port->device = device;
	port->rss_symmetric = args.rss_symmetric;
	err = attach(port, &args);
	if (err) {
		rte_eth_dev_release_port(dev);
		return err;
	}
	net_elisa_memory_init(port);
	fill_device(dev, port);
	rte_eth_dev_probing_finish(dev);
	ELISA_LOG(NOTICE, device, "port %s of switch %s, " RTE_ETHER_ADDR_PRT_FMT ", gate=%s%s",
		  port->port_name, port->switch_name, RTE_ETHER_ADDR_BYTES(&port->mac),
		  port->gate.name, port->gate.pins ? "" : " (one process, no isolation)");
	return 0;
}

static int net_elisa_remove(struct rte_vdev_device *vdev)
{
	struct rte_eth_dev *dev = rte_eth_dev_allocated(rte_vdev_device_name(vdev));

	if (!dev)
		return 0;
	net_elisa_close(dev);
	return rte_eth_dev_release_port(dev);
}

static int map_or_unmap(struct rte_vdev_device *vdev, void *address, size_t length,
			int (*act)(struct net_elisa_port *, void *, size_t))
{
	struct rte_eth_dev *dev = rte_eth_dev_allocated(rte_vdev_device_name(vdev));
	int err = dev ? act(dev->data->dev_private, address, length) : -ENODEV;

	if (err) {
		rte_errno = -err;
		return -1;
	}
	return 0;
}

/* The IOVA plays no part: the switch addresses guest memory as the process does. */
static int net_elisa_dma_map(struct rte_vdev_device *vdev, void *address, uint64_t iova,
			     size_t length)
{
	RTE_SET_USED(iova);
	return map_or_unmap(vdev, address, length, net_elisa_memory_map);
}

static int net_elisa_dma_unmap(struct rte_vdev_device *vdev, void *address, uint64_t iova,
			       size_t length)
{
	RTE_SET_USED(iova);
	return map_or_unmap(vdev, address, length, net_elisa_memory_unmap);
}

static struct rte_vdev_driver net_elisa_driver = {
	.probe = net_elisa_probe,
	.remove = net_elisa_remove,
	.dma_map = net_elisa_dma_map,
	.dma_unmap = net_elisa_dma_unmap,
};

RTE_PMD_REGISTER_VDEV(net_elisa, net_elisa_driver);
RTE_PMD_REGISTER_PARAM_STRING(net_elisa, "gate=vmfunc|vmcall|local switch=<name> port=<name> "
					 "rss-symmetric=0|1");
