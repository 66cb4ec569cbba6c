#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Style of the whole tree: clang-format, checkpatch for the module, shellcheck, licence lines,
# words that may not stay, file length, indices of the module. Prints one `ok NAME` or `FAIL NAME reason` line for each.
set -euo pipefail

top=$(realpath "$(dirname "$0")/../..")
cd "$top"
failures=0

# Tracked files and new ones that are not ignored, NUL-separated; a deleted one is left out.
files() {
    git ls-files -z --cached --others --exclude-standard -- "$@" |
        while IFS= read -r -d '' path; do [ ! -e "$path" ] || printf '%s\0' "$path"; done
}

# report NAME OUTPUT: no output means that nothing was found.
report() {
    if [ -z "$2" ]; then
        echo "ok lint.$1"
    else
        echo "FAIL lint.$1 $(head -n 1 <<<"$2")"
        printf '%s\n' "$2" | head -n 40 >&2
        failures=$((failures + 1))
    fi
}

check_format() {
    files '*.c' '*.h' | xargs -0 -r clang-format --dry-run -Werror 2>&1 | grep -E 'error:' || true
}

check_shell() {
    { files '*.sh' run .ci/run .ci/nightly; files tests | while IFS= read -r -d '' path; do
        case $path in *.*) ;; *) head -n 1 "$path" | grep -qE '^#!/bin/(ba)?sh' && printf '%s\0' "$path" ;; esac
    done; } | sort -zu | xargs -0 -r shellcheck -x -S warning -f gcc 2>&1 || true
}

check_licences() {
    local path want
    while IFS= read -r -d '' path; do
        case $path in
        host-kmod/*) want='GPL-2.0-only' ;;
        gate/* | include/*) want='(GPL-2.0-only OR BSD-3-Clause)' ;;
        *) want='BSD-3-Clause' ;;
        esac
        head -n 3 "$path" | grep -qF "SPDX-License-Identifier: $want" || echo "$path: no 'SPDX-License-Identifier: $want'"
    done < <(files '*.c' '*.h' '*.S' '*.py' '*.sh' '*.lds' '*.build' '*/Kbuild' run .ci/run .ci/nightly)
}

check_words() {
    local word
    # Spelled in halves, so that this file does not find itself.
    for word in 'TO''DO' 'FIX''ME' 'XX''X' 'HA''CK'; do
        files '*.c' '*.h' '*.S' '*.py' '*.sh' '*.md' '*.build' | xargs -0 -r grep -nw -- "$word" || true
    done
}

check_length() {
    local path lines
    while IFS= read -r -d '' path; do
        lines=$(wc -l <"$path")
        [ "$lines" -le 600 ] || echo "$path: $lines lines, more than 600: likely two things in one"
    done < <(files '*.c' '*.h' '*.S' '*.py' '*.sh')
}

check_python() {
    files '*.py' | xargs -0 -r -n 1 /usr/bin/python3 -c '
import ast, sys
ast.parse(open(sys.argv[1], encoding="utf-8").read(), sys.argv[1])' 2>&1 || true
}

# checkpatch.pl is in no package but the kernel's source: taken out of it once, kept in build/.
fetch_checkpatch() {
    local cache=$top/build/cache/checkpatch work
    [ ! -x "$cache/checkpatch.pl" ] || return 0
    work=$(mktemp -d)
    # The package lists can be missing on a machine whose packages were all installed before.
    (cd "$work" && { apt-get download -qq linux-source-6.1 || { apt-get update -qq &&
        apt-get download -qq linux-source-6.1; }; } && dpkg-deb -x linux-source-6.1_*.deb .) >&2
    tar -xJf "$work"/usr/src/linux-source-6.1.tar.xz -C "$work" --strip-components=2 --wildcards \
        '*/scripts/checkpatch.pl' '*/scripts/spelling.txt' '*/scripts/const_structs.checkpatch'
    mkdir -p "$cache"
    mv "$work"/spelling.txt "$work"/const_structs.checkpatch "$cache"/
    mv "$work"/checkpatch.pl "$cache"/
    rm -rf "$work"
}

# Left out, each for a reason: the licence line check wants //-style in .c files only of the
# kernel's own tree; FILE_PATH_CHANGES wants a MAINTAINERS entry; the contracts are read by user
# space too, so they use stdint's names rather than u32; ENOSYS is what hypercall.h promises.
check_kernel_style() {
    fetch_checkpatch
    files 'host-kmod/*.c' 'host-kmod/*.h' | xargs -0 -r perl "$top/build/cache/checkpatch/checkpatch.pl" \
        --no-tree --no-summary --terse --max-line-length=100 --show-types \
        --ignore SPDX_LICENSE_TAG,FILE_PATH_CHANGES,PREFER_KERNEL_TYPES,ENOSYS -f 2>&1 |
        grep -E 'ERROR|WARNING' || true
}

[ -n "$(git ls-files 'host-kmod/*.c')" ] || {
    echo "FAIL lint this is no git checkout of the tree: there are no files to look at"
    exit 1
}
report clang-format "$(check_format)"
report shellcheck "$(check_shell)"
report licences "$(check_licences)"
report words "$(check_words)"
report length "$(check_length)"
report python "$(check_python)"
report checkpatch "$(check_kernel_style)"
report nospec "$(tests/lint/nospec.py || true)"
[ "$failures" = 0 ]
