// SPDX-License-Identifier: BSD-3-Clause
/* test_pci.c - PCI addresses, and devices that are not ready for DPDK: each one sentence. */
#include "fixture_sysfs.h"
#include "vswitch/daemon/pci.h"

#include "cmocka_all.h"

#include <errno.h>
#include <string.h>

static void addresses_as_people_write_them(void **state)
{
	static const struct {
		const char *text, *address;
	} good[] = {
		{"0000:03:00.0", "0000:03:00.0"},
		{"03:00.0", "0000:03:00.0"},
		{"0001:AF:1f.7", "0001:af:1f.7"},
	};
	static const char *const bad[] = {
		"",
		"03",
		"3:0.0",
		"03:00",
		"03:00.8",
		"03:20.0",
		"0000:03:00.0 ",
		"03:00.00",
		"000g:03:00.0",
		"00000:03:00.0",
		"-3:00.0",
		"03:00.0/..",
		"0000:03-00.0",
		"../../x",
	};
	char address[ELISA_PCI_SIZE];

	(void)state;
	for (unsigned int i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(elisa_pci_parse(good[i].text, address));
		assert_string_equal(address, good[i].address);
	}
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(elisa_pci_parse(bad[i], address));
}

static void refused(const char *address, int error, const char *part)
{
	char driver[ELISA_KERNEL_DRIVER_SIZE];
	struct elisa_failure failure = {0};

	assert_int_equal(elisa_pci_check(fixture_sysfs, address, driver, &failure), error);
	if (!strstr(failure.message, part))
		fail_msg("'%s' does not say '%s'", failure.message, part);
	assert_non_null(strstr(failure.message, address));
	assert_true(strlen(failure.message) < sizeof(failure.message) - 1);
}

static void taken(const char *address, const char *expected)
{
	char driver[ELISA_KERNEL_DRIVER_SIZE];
	struct elisa_failure failure;

	if (elisa_pci_check(fixture_sysfs, address, driver, &failure))
		fail_msg("%s", failure.message);
	assert_string_equal(driver, expected);
}

static void devices_that_dpdk_can_take(void **state)
{
	(void)state;
	fixture_sysfs_device("0000:01:00.0", "0x020000", "igb_uio", false);
	fixture_sysfs_device("0000:02:00.0", "0x020000", "uio_pci_generic", false);
	fixture_sysfs_device("0000:03:00.0", "0x020000", "vfio-pci", true);
	taken("0000:01:00.0", "igb_uio");
	taken("0000:02:00.0", "uio_pci_generic");
	taken("0000:03:00.0", "vfio-pci");
}

static void devices_that_it_cannot(void **state)
{
	(void)state;
	refused("0000:00:02.0", -ENODEV, "lspci -D");
	fixture_sysfs_device("0000:01:00.0", "0x010802", "nvme", true);
	refused("0000:01:00.0", -ENOTSUP, "no NIC");
	fixture_sysfs_device("0000:02:00.0", "0x020000", NULL, true);
	refused("0000:02:00.0", -EBUSY, "--bind=vfio-pci 0000:02:00.0");
	fixture_sysfs_device("0000:03:00.0", "0x020000", "e1000e", true);
	refused("0000:03:00.0", -EBUSY, "kernel's driver e1000e");
	refused("0000:03:00.0", -EBUSY, "driver_override");
	fixture_sysfs_device("0000:04:00.0", "0x020000", "vfio-pci", false);
	refused("0000:04:00.0", -ENOTSUP, "intel_iommu=on");
}

static int setup(void **state)
{
	(void)state;
	fixture_sysfs_begin();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fixture_sysfs_end();
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_as_people_write_them),
		TEST(devices_that_dpdk_can_take),
		TEST(devices_that_it_cannot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
