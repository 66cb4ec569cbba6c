#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Check that #include lines follow the arrows of ARCHITECTURE.md.

Each room lists what it may include from the project and from outside. A file that includes
anything else breaks the house's one-way arrows and fails. Also checks that every public header
compiles alone. Prints one `ok NAME` or `FAIL NAME reason` line for each room and header.
"""
import os
import re
import subprocess
import sys

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))

FREESTANDING = {"stdbool.h", "stddef.h", "stdint.h", "emmintrin.h"}
KERNEL = ("linux/", "asm/", "uapi/")
DATAPATH_PUBLIC = {"vswitch/datapath/switch.h", "vswitch/datapath/capture.h"}
# The in-process switch also enters the datapath, as the trusted image's entry does.
DATAPATH_ENTRY = {"vswitch/datapath/call.h", "vswitch/datapath/atomic.h"}

# room: (project headers it may include, system headers it may include: None = any,
#        prefixes of forbidden system headers)
ROOMS = {
    "include/elisa": ({"include/elisa/"}, FREESTANDING | {"sys/ioctl.h"}, ()),
    "gate": ({"gate/", "include/elisa/"}, FREESTANDING | {"errno.h"}, ()),
    "vswitch/datapath": ({"vswitch/datapath/", "include/elisa/"}, FREESTANDING | {"errno.h"}, ()),
    "vswitch/local": ({"vswitch/local/", "include/elisa/"} | DATAPATH_PUBLIC | DATAPATH_ENTRY, None,
                      ("rte_", *KERNEL)),
    # The image's half of uplinks; the daemon shares its table of drivers and its pool.
    "vswitch/uplink": ({"vswitch/uplink/", "vswitch/datapath/", "include/elisa/"},
                       FREESTANDING | {"errno.h", "rte_config.h", "rte_mbuf_core.h", "rte_mempool.h"}, ()),
    "vswitch/daemon": ({"vswitch/daemon/", "include/elisa/", "vswitch/uplink/drivers.h",
                        "vswitch/uplink/pool.h"} | DATAPATH_PUBLIC, None, ()),
    "vswitch/cli": ({"vswitch/cli/", "include/elisa/"}, None, ("rte_", *KERNEL)),
    "host-kmod": ({"host-kmod/", "gate/", "include/elisa/", "vswitch/datapath/call.h"}, None,
                  ("rte_", "std")),
    "guest-pmd": ({"guest-pmd/", "include/elisa/"}, None, KERNEL),
    # An application: it knows the driver by DPDK's interfaces only, the kernel by its headers for TAP.
    "guest-pmd/netd": ({"guest-pmd/netd/", "include/elisa/"}, None, ()),
}
# The contracts and gate/ are built into the module too: these choose between kernel and user space.
KERNEL_ALLOWED = {
    "include/elisa/types.h",
    "include/elisa/uapi.h",
    "gate/errno.h",
}
# The daemon's half of the datapath: in the library only, never in the trusted image.
HOSTED = {"vswitch/datapath/control.c", "vswitch/datapath/control_fdb.c",
          "vswitch/datapath/control_finish.c", "vswitch/datapath/control_policy.c",
          "vswitch/datapath/control_settle.c",
          "vswitch/datapath/control_uplink.c"}
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.M)


def sources(room):
    for folder, inner, names in os.walk(os.path.join(TOP, room)):
        # A room inside a room has its own rules.
        inner[:] = [n for n in inner if os.path.relpath(os.path.join(folder, n), TOP) not in ROOMS]
        for name in sorted(names):
            if name.endswith((".c", ".h", ".S")) and not name.endswith(".mod.c"):
                yield os.path.relpath(os.path.join(folder, name), TOP)


def resolve(path, quote, target):
    """The project file that an include names, or None when it is a system header."""
    candidates = [os.path.join("include", target), target]
    if quote == '"':
        candidates.insert(0, os.path.normpath(os.path.join(os.path.dirname(path), target)))
    for candidate in candidates:
        if os.path.isfile(os.path.join(TOP, candidate)):
            return candidate
    return None


def judge(room, path, quote, target):
    """Why this include is wrong, or None."""
    project, system, forbidden = ROOMS[room]
    found = resolve(path, quote, target)
    if found:
        allowed = any(found == p or (p.endswith("/") and found.startswith(p)) for p in project)
        return None if allowed else f"{path} includes {found}"
    if path in KERNEL_ALLOWED and target.startswith(KERNEL):
        return None
    if path in HOSTED and target == "string.h":
        return None
    if system is not None and target not in system:
        return f"{path} includes <{target}>"
    if target.startswith(tuple(forbidden)):
        return f"{path} includes <{target}>"
    return None


def check_rooms():
    failures = 0
    for room in ROOMS:
        wrong = []
        for path in sources(room):
            with open(os.path.join(TOP, path), encoding="utf-8") as file:
                text = file.read()
            for quote, target in INCLUDE.findall(text):
                reason = judge(room, path, quote, target)
                if reason:
                    wrong.append(reason)
        failures += report(f"includes.{room}", "; ".join(wrong))
    return failures


def check_headers():
    failures = 0
    headers = [*sources("include/elisa"), *sources("gate"), *DATAPATH_PUBLIC]
    for path in headers:
        if not path.endswith(".h"):
            continue
        command = ["gcc", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-xc",
                   f"-I{TOP}/include", f"-I{TOP}", os.path.join(TOP, path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        first = (done.stderr.splitlines() or ["compiler failed"])[0] if done.returncode else ""
        failures += report(f"header-alone.{path}", first)
    return failures


def check_checker():
    """The checker itself must refuse a wrong arrow."""
    wrong = judge("vswitch/datapath", "vswitch/datapath/switch.h", "<", "rte_mbuf.h")
    also = judge("gate", "gate/ept.h", '"', "host-kmod/kvm_hooks.h") if os.path.isfile(
        os.path.join(TOP, "host-kmod/kvm_hooks.h")) else "not there"
    return report("includes.checker", "" if wrong and also else "a wrong arrow was accepted")


def report(name, reason):
    print(f"FAIL {name} {reason}" if reason else f"ok {name}", flush=True)
    return 1 if reason else 0


if __name__ == "__main__":
    sys.exit(1 if check_checker() + check_rooms() + check_headers() else 0)
