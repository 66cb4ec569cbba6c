# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# Which mutants of the testing builds are a scenario's. Sourced first, with CPU=any|newer.
#
#	mutants_for_cpu module|attacks	lines of that list: NUMBER NAME, then test or attack

mutants_for_cpu() { sed -n "s/^\([0-9]*\) $CPU /\1 /p" "$RIG_JOB/files/$1.list"; }
