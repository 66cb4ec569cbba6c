// SPDX-License-Identifier: GPL-2.0-only
/*
 * main.c - loading, unloading, and /dev/elisa: what this host offers, domains new and adopted.
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/uaccess.h>
#include <elisa/uapi.h>
#include <elisa/version.h>

#include "domain.h"
#include "features.h"
#include "kvm_hooks.h"
#include "memory.h"
#include "vcpu.h"
#include "vm.h"

static long info(void __user *user)
{
	struct elisa_info answer;
	bool fits;

	if (copy_from_user(&answer, user, sizeof(answer)))
		return -EFAULT;
	fits = answer.version == ELISA_UAPI_VERSION && !answer.flags;
	memset(&answer, 0, sizeof(answer));
	answer.version = ELISA_UAPI_VERSION;
	answer.window_gpa = elisa_window_gpa();
	answer.missing = elisa_features_missing();
	answer.nb_vms = elisa_vms_attached();
	answer.pinned_pages = elisa_memory_pinned();
	strscpy(answer.module_version, ELISA_VERSION_STRING, sizeof(answer.module_version));
	if (copy_to_user(user, &answer, sizeof(answer)))
		return -EFAULT;
	return fits ? 0 : -EINVAL;
}

static long domain_create(void __user *user)
{
	struct elisa_domain_create argument;

	if (copy_from_user(&argument, user, sizeof(argument)))
		return -EFAULT;
	if (argument.version != ELISA_UAPI_VERSION || argument.flags || !argument.name[0] ||
	    strnlen(argument.name, sizeof(argument.name)) == sizeof(argument.name))
		return -EINVAL;
	/* A lack of immunity is for VM_ATTACH to refuse, where it can be accepted. */
	if (elisa_features_missing() & ~ELISA_MISSING_IMMUNITY)
		return -ENODEV;
	return elisa_domain_open(argument.name);
}

/* Who may open /dev/elisa may own a domain; a domain's descriptor alone is worth nothing. */
static long domain_adopt(void __user *user)
{
	struct elisa_domain_adopt argument;

	if (copy_from_user(&argument, user, sizeof(argument)))
		return -EFAULT;
	if (argument.version != ELISA_UAPI_VERSION || argument.flags || argument.reserved)
		return -EINVAL;
	return elisa_domain_adopt(argument.domain_fd);
}

static long device_ioctl(struct file *file, unsigned int command, unsigned long argument)
{
	switch (command) {
	case ELISA_IOC_INFO:
		return info((void __user *)argument);
	case ELISA_IOC_DOMAIN_CREATE:
		return domain_create((void __user *)argument);
	case ELISA_IOC_DOMAIN_ADOPT:
		return domain_adopt((void __user *)argument);
	default:
		return -ENOTTY;
	}
}

static const struct file_operations device_operations = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = device_ioctl,
	.llseek = noop_llseek,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "elisa",
	.fops = &device_operations,
	.mode = 0600,
};

static int __init elisa_init(void)
{
	int error;

	error = elisa_vcpus_init();
	if (error)
		return error;
	error = elisa_hooks_install();
	if (error && error != -ENODEV)
		goto exit_vcpus;
	elisa_features_init(!error);
	error = misc_register(&device);
	if (error)
		goto remove_hooks;
	pr_info("elisa: version %s, missing %#x\n", ELISA_VERSION_STRING, elisa_features_missing());
	return 0;

remove_hooks:
	elisa_hooks_remove();
exit_vcpus:
	elisa_vcpus_exit();
	return error;
}

/* Every file of ours and every vCPU that has ever been attached holds the module: none is left. */
static void __exit elisa_exit(void)
{
	misc_deregister(&device);
	elisa_hooks_remove();
	elisa_vcpus_exit();
}

module_init(elisa_init);
module_exit(elisa_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Switch between virtual machines in a trusted context entered with VMFUNC");
MODULE_VERSION(ELISA_VERSION_STRING);
/* Finds KVM's static calls by kprobe; loads behind it. */
MODULE_SOFTDEP("pre: kvm_intel");
