# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# The list of Debian packages and what of it is missing. Sourced, after paths.sh.

wanted_packages() {
	sed -e 's/#.*//' -e 's/[[:space:]]*$//' -e '/^$/d' "$RIG/packages.txt"
}

# What an installed package provides is not missing: npm is part of other builds of nodejs.
missing_packages() {
	local have
	have=$(dpkg-query -W -f '${db:Status-Status} ${Package},${Provides}\n' 2> /dev/null |
		sed -n -e 's/([^)]*)//g' -e 's/^installed //p' | tr -s ', ' '\n' | sort -u)
	comm -23 <(wanted_packages | sort -u) <(echo "$have")
}
