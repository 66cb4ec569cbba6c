# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# The steps of setting up and of building, for the commands that need them. Sourced, after steps.sh
# and packages.sh.

plan_setup() {
	local seconds=1
	[ -z "$(missing_packages)" ] || seconds=150
	plan $seconds packages "Debian packages" \
		"look for the network or the archive in the log; then ./run setup again" \
		"$RIG/make/packages.sh"
	plan 2 unpacked "Debian packages that are only unpacked" \
		"look for the network or the archive in the log; then ./run setup again" \
		"$RIG/make/unpacked.sh"
	seconds=1
	[ -e "$BUILD/dpdk-headers.stamp" ] || seconds=8
	plan $seconds dpdk-headers "DPDK driver headers" \
		"the source of the installed DPDK must be in an archive of /etc/apt; see the log" \
		"$RIG/make/dpdk-headers.sh"
	plan 2 npm "npm packages" "look for the network or the registry in the log; then ./run setup again" \
		"$RIG/make/npm.sh"
}

plan_programs() {
	plan 20 meson "programs" "the compiler's message above; ninja -C build/meson shows it again" \
		"$RIG/make/meson.sh"
}

plan_emulator() {
	local seconds=1
	[ -e "$EMULATOR/stamp" ] || seconds=100
	plan $seconds emulator "emulator" "the compiler's message in the log; then ./run build again" \
		"$RIG/make/emulator.sh"
}

plan_images() {
	local seconds=1
	[ -e "$IMAGE/host.stamp" ] || seconds=6
	plan_emulator
	plan 15 kmod "kernel module" "the compiler's message above; ./run setup if headers are missing" \
		"$RIG/make/kmod.sh"
	plan 3 igb-uio "igb_uio" "the compiler's message above; ./run setup if headers are missing" \
		"$RIG/make/igb-uio.sh"
	plan 1 payload "payload of the images" "tests/rig/payload.txt says what should be there" \
		"$RIG/make/payload.sh"
	plan $((2 * seconds)) image-kernel "kernel image" "./run setup; see the log" "$RIG/image/kernel.sh"
	plan 1 image-tools "tools of the scenarios" "./run setup; see the log" "$RIG/image/tools.sh"
	plan $seconds image-guest "guests' image" "./run setup; see the log" "$RIG/image/guest.sh"
	plan $seconds image-host "emulated host's image" "disk space; see the log" "$RIG/image/host.sh"
}

# For scenarios that ask for it (files=), so in no image.
plan_mutants() {
	local seconds=20
	[ -e "$MUTANTS_DIR/elisa-switchd" ] || seconds=80
	plan $seconds mutants "testing builds of kernel module, image and daemon" \
		"tests/mutations/mutations.toml has to fit the sources; see the log" "$RIG/make/mutants.sh"
}

plan_build() {
	plan_programs
	plan_images
}
