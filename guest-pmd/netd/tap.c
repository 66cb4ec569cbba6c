// SPDX-License-Identifier: BSD-3-Clause
/* tap.c - see tap.h. */
#include "log.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if_arp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define TUN_PATH "/dev/net/tun"
/* What the kernel may leave undone in what it sends: the switch does it, or the receiver's kernel. */
#define OFFLOADS (TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN)

static int open_error(void)
{
	int err = -errno;

	netd_error("cannot open " TUN_PATH ": %s%s", strerror(errno),
		   err == -ENOENT || err == -ENODEV  ? "; load the module: modprobe tun"
		   : err == -EACCES || err == -EPERM ? "; run elisa-netd as root"
						     : "");
	return err;
}

static int attach_error(const char *name)
{
	int err = -errno;

	if (err == -EBUSY || err == -EINVAL) {
		netd_error("an interface %s exists already: give another name with --interface, or "
			   "remove it: ip link del %s",
			   name, name);
		return -EEXIST;
	}
	netd_error("cannot make the interface %s: %s%s", name, strerror(errno),
		   err == -EPERM ? "; run elisa-netd as root (CAP_NET_ADMIN)" : "");
	return err;
}

/* One more queue; the first makes the interface. */
static int open_queue(struct netd_tap *tap, bool multi_queue)
{
	struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
	int header = sizeof(struct virtio_net_hdr);
	int fd = open(TUN_PATH, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	int err;

	if (fd < 0)
		return open_error();
	if (multi_queue)
		request.ifr_flags |= IFF_MULTI_QUEUE;
	if (tap->nb_queues == 0)
		request.ifr_flags |= (short)IFF_TUN_EXCL;
	strcpy(request.ifr_name, tap->name);
	if (ioctl(fd, TUNSETIFF, &request)) {
		err = attach_error(tap->name);
		close(fd);
		return err;
	}
	if (ioctl(fd, TUNSETVNETHDRSZ, &header) || ioctl(fd, TUNSETOFFLOAD, OFFLOADS)) {
		err = -errno;
		netd_error("interface %s: this kernel's TAP has no offloads: %s", tap->name,
			   strerror(-err));
		close(fd);
		return err;
	}
	tap->fds[tap->nb_queues++] = fd;
	return 0;
}

static int set(const struct netd_tap *tap, unsigned long what, struct ifreq *request)
{
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int err = 0;

	if (sock < 0)
		return -errno;
	strcpy(request->ifr_name, tap->name);
	if (ioctl(sock, what, request))
		err = -errno;
	close(sock);
	return err;
}

int netd_tap_set_mtu(const struct netd_tap *tap, uint32_t mtu)
{
	struct ifreq request = {.ifr_mtu = (int)mtu};

	return set(tap, SIOCSIFMTU, &request);
}

static int set_up(const struct netd_tap *tap, const struct rte_ether_addr *mac, uint32_t mtu)
{
	struct ifreq request = {.ifr_hwaddr.sa_family = ARPHRD_ETHER};
	int err;

	memcpy(request.ifr_hwaddr.sa_data, mac->addr_bytes, sizeof(mac->addr_bytes));
	err = set(tap, SIOCSIFHWADDR, &request);
	if (!err)
		err = netd_tap_set_mtu(tap, mtu);
	request = (struct ifreq){.ifr_flags = IFF_UP};
	return err ? err : set(tap, SIOCSIFFLAGS, &request);
}

int netd_tap_open(struct netd_tap *tap, const char *name, uint32_t nb_queues,
		  const struct rte_ether_addr *mac, uint32_t mtu)
{
	int err = 0;

	*tap = (struct netd_tap){0};
	strcpy(tap->name, name);
	while (!err && tap->nb_queues < nb_queues)
		err = open_queue(tap, nb_queues > 1);
	if (err) {
		netd_tap_close(tap);
		return err;
	}
	err = set_up(tap, mac, mtu);
	if (err) {
		netd_error("cannot set MAC address, MTU %u and state of %s: %s", mtu, name,
			   strerror(-err));
		netd_tap_close(tap);
	}
	return err;
}

bool netd_tap_is_gone(const struct netd_tap *tap)
{
	struct ifreq request;

	return ioctl(tap->fds[0], TUNGETIFF, &request) && errno == EBADFD;
}

void netd_tap_set_carrier(const struct netd_tap *tap, bool up)
{
	int carrier = up;

	/* Only a display: nothing depends on it. */
	(void)ioctl(tap->fds[0], TUNSETCARRIER, &carrier);
}

void netd_tap_close(struct netd_tap *tap)
{
	while (tap->nb_queues)
		close(tap->fds[--tap->nb_queues]);
}
