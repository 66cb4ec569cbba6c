#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Builds build/image/vmlinux (emulated host and guests) and the loader that starts it.
set -euo pipefail
# shellcheck source=tests/rig/lib/paths.sh
. "$(dirname "$0")/../lib/paths.sh"
# shellcheck source=tests/rig/lib/stamp.sh
. "$RIG/lib/stamp.sh"
# shellcheck source=tests/rig/lib/kernel.sh
. "$RIG/lib/kernel.sh"

kernel=$(target_kernel)
hash=$(inputs "$RIG/image/kernel.sh" "$RIG/image/vmlinux.py" "$RIG/loader" "/boot/vmlinuz-$kernel")
fresh "$IMAGE/kernel.stamp" "$hash" && { echo "kernel image: unchanged"; exit 0; }

mkdir -p "$IMAGE"
"$RIG/image/vmlinux.py" "/boot/vmlinuz-$kernel" "$IMAGE/vmlinux"
gcc -m32 -std=gnu11 -O2 -ffreestanding -fno-pic -fno-stack-protector -fcf-protection=none \
	-fno-asynchronous-unwind-tables -mno-sse -Wall -Wextra -Wshadow -Werror \
	-nostdlib -static -Wl,-Ttext=0x10000000 -Wl,--build-id=none \
	-o "$IMAGE/loader.elf" "$RIG/loader/start.S" "$RIG/loader/loader.c"
keep "$IMAGE/kernel.stamp" "$hash"
echo "kernel image: $kernel"
