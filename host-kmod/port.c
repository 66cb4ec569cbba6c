// SPDX-License-Identifier: GPL-2.0-only
/*
 * port.c - a port: its file, who has claimed it, and taking it back.
 *
 * Called by vm.c, hypercall.c.
 */
#include <linux/anon_inodes.h>
#include <linux/etherdevice.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/nospec.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <elisa/ring.h>
#include <elisa/version.h>

#include "domain.h"
#include "events.h"
#include "grace.h"
#include "port.h"
#include "vm.h"

int elisa_port_claim(struct elisa_port *port, u64 root)
{
	struct elisa_vm *vm = port->vm;
	int error = elisa_vm_admit(vm, root, port->number);

	if (error)
		return error;
	port->root = root;
	port->claimed = true;
	vm->claimed |= BIT_ULL(port->number);
	elisa_vm_show_ports(vm);
	elisa_events_post(&vm->domain->events, ELISA_EVENT_PORT_CLAIMED, port->number,
			  ELISA_EVENT_NONE, 0);
	return 0;
}

/* From here on the datapath finds nothing of the port; what it found before, it may still use. */
static void hide(struct elisa_port *port)
{
	WRITE_ONCE(port->map->flags, 0);
	WRITE_ONCE(port->map->rss.reta_size, 0);
	elisa_queues_hide(port);
	elisa_regions_hide(port);
	port->vm->claimed &= ~BIT_ULL(port->number);
	elisa_vm_show_ports(port->vm);
}

static void unclaim(struct elisa_port *port, enum elisa_port_admission admission)
{
	elisa_regions_unpin(port);
	WRITE_ONCE(port->map->mtu, 0);
	memset(&port->map->rss, 0, sizeof(port->map->rss));
	if (admission == ELISA_PORT_ORPHAN)
		elisa_vm_orphan(port->vm, port->root, port->number);
	else
		elisa_vm_evict(port->vm, port->root, port->number);
	port->claimed = false;
	port->root = 0;
	elisa_events_post(&port->vm->domain->events, ELISA_EVENT_PORT_RELEASED, port->number,
			  ELISA_EVENT_NONE, 0);
}

/* The next claimed port of `ports` from number *i on, or NULL. */
static struct elisa_port *next_claimed_port(struct elisa_domain *domain, u64 ports, u32 *i)
{
	for (; *i < ELISA_MAX_PORTS; (*i)++) {
		if ((ports & BIT_ULL(*i)) && domain->ports[*i] && domain->ports[*i]->claimed)
			return domain->ports[*i];
	}
	return NULL;
}

#define for_each_claimed_port(domain, ports, i, port) \
	for ((i) = 0; ((port) = next_claimed_port(domain, ports, &(i))) != NULL; (i)++)

void elisa_ports_release(struct elisa_domain *domain, u64 ports,
			 enum elisa_port_admission admission)
{
	struct elisa_port *port;
	u32 i;

	for_each_claimed_port(domain, ports, i, port)
		hide(port);
	elisa_grace_wait(domain);
	for_each_claimed_port(domain, ports, i, port)
		elisa_regions_unmap(port);
	elisa_domain_invalidate(domain);
	for_each_claimed_port(domain, ports, i, port)
		unclaim(port, admission);
}

static long port_state(struct elisa_port *port, void __user *user)
{
	struct elisa_port_state state;
	u32 version, flags;

	if (copy_from_user(&state, user, sizeof(state)))
		return -EFAULT;
	version = state.version;
	flags = state.flags;
	if (version != ELISA_UAPI_VERSION || flags || state.reserved)
		return -EINVAL;
	memset(&state, 0, sizeof(state));
	state.version = version;
	mutex_lock(&port->vm->domain->lock);
	state.claimed = port->claimed;
	state.started = !!(port->map->flags & ELISA_PORT_STARTED);
	state.pinned_pages = elisa_regions_pages(port, &state.nb_regions);
	mutex_unlock(&port->vm->domain->lock);
	return copy_to_user(user, &state, sizeof(state)) ? -EFAULT : 0;
}

static void set_port(struct elisa_domain *domain, u32 number, struct elisa_port *port)
{
	mutex_lock(&domain->finish_lock);
	domain->ports[number] = port;
	mutex_unlock(&domain->finish_lock);
}

/* Its number may be another port's after that. */
static void revoke(struct elisa_port *port)
{
	struct elisa_domain *domain = port->vm->domain;

	mutex_lock(&domain->lock);
	if (!port->revoked) {
		if (port->claimed)
			elisa_ports_release(domain, BIT_ULL(port->number), ELISA_PORT_ORPHAN);
		port->vm->ports &= ~BIT_ULL(port->number);
		set_port(domain, port->number, NULL);
		WRITE_ONCE(port->revoked, true);
	}
	elisa_domain_unlock(domain);
}

static long port_revoke(struct elisa_port *port, void __user *user)
{
	int error = elisa_revoke_check(user);

	if (!error)
		revoke(port);
	return error;
}

static long port_ioctl(struct file *file, unsigned int command, unsigned long argument)
{
	struct elisa_port *port = file->private_data;

	if (!elisa_domain_is_owner(port->vm->domain))
		return -EPERM;
	if (READ_ONCE(port->revoked))
		return -ENODEV;
	switch (command) {
	case ELISA_IOC_PORT_STATE:
		return port_state(port, (void __user *)argument);
	case ELISA_IOC_REVOKE:
		return port_revoke(port, (void __user *)argument);
	default:
		return -ENOTTY;
	}
}

static int port_release(struct inode *inode, struct file *file)
{
	struct elisa_port *port = file->private_data;

	revoke(port);
	elisa_vm_put(port->vm);
	kfree(port);
	return 0;
}

static const struct file_operations port_operations = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = port_ioctl,
	.release = port_release,
	.llseek = noop_llseek,
};

static int check_argument(const struct elisa_port_add *argument)
{
	static const u8 zero[ELISA_MAC_SIZE];

	if (argument->version != ELISA_UAPI_VERSION || argument->flags || argument->pad[0] ||
	    argument->pad[1])
		return -EINVAL;
	if (strnlen(argument->name, ELISA_NAME_SIZE) == ELISA_NAME_SIZE || !argument->name[0])
		return -EINVAL;
	if ((argument->mac[0] & 1) || !memcmp(argument->mac, zero, ELISA_MAC_SIZE))
		return -EINVAL;
	if (argument->port >= ELISA_MAX_PORTS || argument->max_mtu < ELISA_MIN_MTU ||
	    argument->max_mtu > ELISA_MAX_MTU || !argument->max_queues ||
	    argument->max_queues > ELISA_MAX_QUEUES || argument->max_ring < ELISA_MIN_RING ||
	    argument->max_ring > ELISA_MAX_RING)
		return -ERANGE;
	return 0;
}

static struct elisa_port *port_create(struct elisa_vm *vm, const struct elisa_port_add *argument)
{
	struct elisa_port *port = kzalloc(sizeof(*port), GFP_KERNEL_ACCOUNT);

	if (!port)
		return NULL;
	port->number = array_index_nospec(argument->port, ELISA_MAX_PORTS);
	port->max_mtu = argument->max_mtu;
	port->max_queues = argument->max_queues;
	port->max_ring = argument->max_ring;
	memcpy(port->mac, argument->mac, sizeof(port->mac));
	memcpy(port->name, argument->name, sizeof(port->name));
	port->map = vm->domain->port_maps[port->number];
	elisa_vm_get(vm);
	port->vm = vm;
	return port;
}

static bool name_in_use(struct elisa_vm *vm, const char *name)
{
	u32 i;

	for (i = 0; i < ELISA_MAX_PORTS; i++) {
		if ((vm->ports & BIT_ULL(i)) && !strcmp(vm->domain->ports[i]->name, name))
			return true;
	}
	return false;
}

static int publish(struct elisa_vm *vm, struct elisa_port *port)
{
	struct elisa_domain *domain = vm->domain;
	int error = 0;

	mutex_lock(&domain->lock);
	if (vm->retired) {
		error = -ENODEV;
	} else if (domain->ports[port->number] || name_in_use(vm, port->name)) {
		error = -EEXIST;
	} else {
		set_port(domain, port->number, port);
		vm->ports |= BIT_ULL(port->number);
	}
	mutex_unlock(&domain->lock);
	return error;
}

int elisa_port_add(struct elisa_vm *vm, void __user *user)
{
	struct elisa_port_add argument;
	struct elisa_port *port;
	struct file *file;
	int error, fd;

	if (copy_from_user(&argument, user, sizeof(argument)))
		return -EFAULT;
	error = check_argument(&argument);
	if (error)
		return error;
	port = port_create(vm, &argument);
	if (!port)
		return -ENOMEM;
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0) {
		error = fd;
		goto free_port;
	}
	error = publish(vm, port);
	if (error)
		goto put_fd;
	file = anon_inode_getfile("[elisa-port]", &port_operations, port, O_RDWR);
	if (IS_ERR(file)) {
		error = PTR_ERR(file);
		goto unpublish;
	}
	fd_install(fd, file);
	return fd;

unpublish:
	mutex_lock(&vm->domain->lock);
	if (port->claimed)
		elisa_ports_release(vm->domain, BIT_ULL(port->number), ELISA_PORT_ORPHAN);
	set_port(vm->domain, port->number, NULL);
	vm->ports &= ~BIT_ULL(port->number);
	elisa_domain_unlock(vm->domain);
put_fd:
	put_unused_fd(fd);
free_port:
	elisa_vm_put(port->vm);
	kfree(port);
	return error;
}
