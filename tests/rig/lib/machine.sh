# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# What must be so before anything else is tried. Sourced.

require_machine() {
	local release=unknown
	if [ "$(id -u)" -ne 0 ]; then
		echo "This needs root: packages, hugepages and the emulated host's network. Try: sudo ./run $1" >&2
		exit 1
	fi
	# shellcheck source=/dev/null
	[ ! -e /etc/os-release ] || release=$(. /etc/os-release && echo "${ID:-unknown} ${VERSION_ID:-}")
	if [ "$release" != "debian 12" ] || [ "$(uname -m)" != x86_64 ]; then
		cat >&2 <<-EOF
			This needs Debian 12 on x86-64; this is $release on $(uname -m).
			Try it in a Debian 12 virtual machine or a privileged container:
			    docker run --privileged -it -v "\$PWD":/src -w /src debian:12 ./run $1
		EOF
		exit 1
	fi
}
