#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""What this machine can do for elisa-vswitch, what is missing, and the remedy for each line.

VT-x features are read from the CPU's MSRs (SDM vol. 3, appendix A), never guessed from /dev/kvm.
Exit status 0: the demo can run here, emulated or not.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
RESULT = ROOT / "build" / "results" / "doctor.json"
MSR_PROCBASED_CTLS = 0x482
MSR_PROCBASED_CTLS2 = 0x48B
MSR_EPT_VPID_CAP = 0x48C
MSR_VMFUNC = 0x491
ACTIVATE_SECONDARY = 1 << 31
ENABLE_EPT = 1 << 1
ENABLE_VMFUNC = 1 << 13
EPT_EXECUTE_ONLY = 1 << 0
EPTP_SWITCHING = 1 << 0
DISK_MIB = 2048
HOST_MIB = 2560         # what an emulated host takes
EMULATOR_REMEDY = "none needed: the emulated host has it"


def text(path):
    try:
        return pathlib.Path(path).read_text()
    except OSError:
        return ""


def cpu_flags():
    found = re.search(r"^flags\s*:(.*)$", text("/proc/cpuinfo"), re.M)
    return set(found.group(1).split()) if found else set()


def msr(number):
    """The MSR's value on CPU 0, or None."""
    device = pathlib.Path("/dev/cpu/0/msr")
    if not device.exists() and os.geteuid() == 0:
        subprocess.run(["modprobe", "-q", "msr"], stderr=subprocess.DEVNULL, check=False)
    try:
        with open(device, "rb", buffering=0) as file:
            return struct.unpack("<Q", os.pread(file.fileno(), 8, number))[0]
    except OSError:
        return None


def vtx_features():
    """{feature: (present, sentence)}. The high half of a control MSR is what may be set."""
    names = ("vmx", "ept", "ept_execute_only", "vmfunc_eptp_switching")
    if "vmx" not in cpu_flags():
        return {name: (False, "the CPU has no VMX, or it is hidden by the firmware or a hypervisor")
                for name in names}
    found = {"vmx": (True, "the CPU has VMX")}
    primary, secondary = msr(MSR_PROCBASED_CTLS), msr(MSR_PROCBASED_CTLS2)
    if primary is None:
        found.update({name: (False, "MSRs cannot be read: modprobe msr, as root")
                      for name in names[1:]})
        return found
    allowed = (secondary or 0) >> 32 if (primary >> 32) & ACTIVATE_SECONDARY else 0
    ept = bool(allowed & ENABLE_EPT)
    execute_only = ept and bool((msr(MSR_EPT_VPID_CAP) or 0) & EPT_EXECUTE_ONLY)
    switching = bool(allowed & ENABLE_VMFUNC) and bool((msr(MSR_VMFUNC) or 0) & EPTP_SWITCHING)
    found["ept"] = (ept, "MSR 0x48B, bit 33")
    found["ept_execute_only"] = (execute_only, "MSR 0x48C, bit 0")
    found["vmfunc_eptp_switching"] = (switching, "MSR 0x48B bit 45 and MSR 0x491 bit 0")
    return found


def has_vmfunc():
    """This machine can be the host itself: all of VT-x that is needed, a KVM that uses it, and the
    kernel that the module is built for."""
    return target_kernel() == os.uname().release and all(present for present, _ in vtx_features().values()) and \
        text("/sys/module/kvm_intel/parameters/ept").strip() == "Y"


def missing_packages():
    """As ./run setup sees it."""
    lib = ROOT / "tests/rig/lib"
    return subprocess.run(["bash", "-c", '. "$1/paths.sh"; . "$1/packages.sh"; missing_packages', "-", lib],
                          capture_output=True, text=True, check=False).stdout.split()


def target_kernel():
    """The newest Debian 6.1 with headers here: what images and module are made for."""
    names = [p.name for p in pathlib.Path("/usr/src").glob("linux-headers-6.1.*-amd64")]
    names.sort(key=lambda name: [int(n) for n in re.findall(r"\d+", name)])
    return names[-1].removeprefix("linux-headers-") if names else None


def available_mib():
    return int(re.search(r"MemAvailable:\s+(\d+)", text("/proc/meminfo")).group(1)) >> 10


class Report:
    def __init__(self):
        self.lines = []

    def add(self, key, present, what, remedy, needed=True):
        """needed: without it not even the emulated demo runs."""
        self.lines.append({"check": key, "ok": bool(present), "needed": needed, "what": what,
                           "remedy": "" if present else remedy})

    def usable(self):
        return all(line["ok"] for line in self.lines if line["needed"])


def system(report):
    release = dict(re.findall(r'^(ID|VERSION_ID)="?([^"\n]*)', text("/etc/os-release"), re.M))
    name = f"{release.get('ID', 'unknown')} {release.get('VERSION_ID', '')}"
    report.add("debian", name == "debian 12", f"Debian release: {name}",
               "use Debian 12, for instance in a virtual machine or a privileged container")
    report.add("root", os.geteuid() == 0, "root", "sudo ./run …")
    missing = missing_packages()
    report.add("packages", not missing, "Debian packages" + (f", missing: {' '.join(missing)}"
                                                              if missing else ""), "./run setup")
    kernel = target_kernel()
    report.add("headers", kernel, f"kernel headers: {kernel or 'no 6.1'}", "./run setup")
    free = shutil.disk_usage(ROOT).free >> 20
    report.add("disk", free >= DISK_MIB, f"disk: {free} MiB free, {DISK_MIB} needed",
               "make room on the checkout's file system")
    memory = available_mib()
    report.add("memory", memory >= HOST_MIB, f"memory: {memory} MiB available, {HOST_MIB} needed",
               "end other programs: the emulated host has 2 GiB")
    report.add("tun", os.path.exists("/dev/net/tun"), "/dev/net/tun (scenarios with a NIC)",
               "modprobe tun; without it they are skipped", needed=False)


def virtualization(report):
    titles = {"vmx": "VMX", "ept": "EPT", "ept_execute_only": "EPT: execute-only pages",
              "vmfunc_eptp_switching": "VMFUNC: EPTP switching"}
    for key, (present, why) in vtx_features().items():
        report.add(key, present, f"{titles[key]} ({why})",
                   f"{EMULATOR_REMEDY}; for hardware: an Intel CPU since Haswell, VT-x on in the "
                   "firmware", needed=False)
    kvm_intel = os.path.isdir("/sys/module/kvm_intel") and os.path.exists("/dev/kvm")
    report.add("kvm", kvm_intel, "KVM on VT-x (kvm_intel loaded, /dev/kvm)",
               f"{EMULATOR_REMEDY}; for hardware: modprobe kvm_intel", needed=False)
    running = os.uname().release
    report.add("kernel", running == target_kernel(), f"running kernel: {running}",
               f"{EMULATOR_REMEDY}; for hardware: boot Debian's {target_kernel()}", needed=False)
    pages = int(text("/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages") or 0)
    report.add("hugepages", pages >= 352, f"hugepages of 2 MiB: {pages}",
               f"{EMULATOR_REMEDY}; for hardware: sysctl vm.nr_hugepages=352", needed=False)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--json", action="store_true", help="print JSON instead of lines")
    options = parser.parse_args()
    report = Report()
    system(report)
    virtualization(report)
    platform = "hardware" if has_vmfunc() else "emulated (Bochs)"
    record = {"platform": platform, "usable": report.usable(), "checks": report.lines}
    try:
        RESULT.parent.mkdir(parents=True, exist_ok=True)
        RESULT.write_text(json.dumps(record, indent=1) + "\n")
    except OSError as error:
        print(f"{RESULT} cannot be written: {error.strerror}", file=sys.stderr)
    if options.json:
        print(json.dumps(record, indent=1))
    else:
        for line in report.lines:
            state = "ok     " if line["ok"] else "MISSING" if line["needed"] else "absent "
            print(f"{state}  {line['what']}")
            if line["remedy"]:
                print(f"         -> {line['remedy']}")
        print(f"\nplatform that demo and tests use: {platform}")
        print(f"ready: {'yes' if report.usable() else 'no, see MISSING above'}")
    return 0 if report.usable() else 1


if __name__ == "__main__":
    sys.exit(main())
