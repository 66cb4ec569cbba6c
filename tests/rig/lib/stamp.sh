# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# "Is this result still the product of these inputs?" by hash. Sourced.
#
#	fresh STAMPFILE HASH && exit 0; …make it…; keep STAMPFILE HASH

# inputs PATH…: one hash over the contents and names of files and trees.
inputs() {
	find -L "$@" -type f -print0 2>/dev/null | sort -z | xargs -0 -r sha256sum | sha256sum | cut -d ' ' -f 1
}

# installed PACKAGE…: their versions, for hashes of what is copied from this machine.
installed() {
	dpkg-query -W -f '${Package} ${Version}\n' "$@" 2>/dev/null | sort
}

fresh() {
	[ -e "$1" ] && [ "$(cat "$1")" = "$2" ]
}

keep() {
	printf '%s\n' "$2" > "$1"
}
