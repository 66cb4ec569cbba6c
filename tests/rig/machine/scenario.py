# SPDX-License-Identifier: BSD-3-Clause
"""A scenario's file and what its header asks for.

A line `# rig: KEY=VALUE …` in the first comment: seconds=N (how long it takes on the emulated host, on an
idle machine), limit=SECONDS (of the machine's clock(): it has failed then), group=NAME (its test group of
groups.txt), cpus=1|2, model=NAME (the emulated CPU, a name of Bochs's; with two CPUs always the oldest),
cmdline=fast|stock, hugepages=N (2 MiB pages on the emulated host), nic=0|1 (a NIC, and programs at the other
end of its cable: outside.py), files=PATH,… (below build/: found in the host's folder $RIG_JOB/files; what only
few scenarios need is not in the images).
"""
import re

OLDEST_MODEL = "corei7_haswell_4770"    # Haswell was the first with VMFUNC
DEFAULTS = {"seconds": "60", "limit": "240", "group": "emulated", "cpus": "1", "model": OLDEST_MODEL,
            "cmdline": "fast", "hugepages": "352", "nic": "0", "files": ""}
BOOT_SECONDS = 15       # to the first scenario
SHARED_SECONDS = 240    # at most, of scenarios that share a boot


class Scenario:
    def __init__(self, folder, name, overrides):
        self.name = name
        self.path = folder / f"{name}.sh"
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", name) or not self.path.is_file():
            known = ", ".join(sorted(p.stem for p in folder.glob("*.sh")))
            raise SystemExit(f"no scenario {name!r}; there are: {known}")
        wishes = dict(DEFAULTS)
        for line in re.findall(r"^# rig: (.*)$", self.path.read_text(), re.M):
            for word in line.split():
                key, _, value = word.partition("=")
                if key not in wishes:
                    raise SystemExit(f"{self.path}: unknown wish {word!r}")
                wishes[key] = value
        wishes.update({k: str(v) for k, v in overrides.items() if v is not None})
        self.seconds = int(wishes["seconds"])
        self.limit = float(wishes["limit"])
        self.group = wishes["group"]
        self.cpus = int(wishes["cpus"])
        self.model = wishes["model"]
        self.stock = wishes["cmdline"] == "stock"
        self.hugepages = int(wishes["hugepages"])
        self.nic = wishes["nic"] == "1"
        self.files = [path for path in wishes["files"].split(",") if path]

    def newer_cpu(self):
        """It is about what came after the first CPU with VMFUNC."""
        return self.model != OLDEST_MODEL


def every(folder):
    return [Scenario(folder, path.stem, {}) for path in sorted(folder.glob("*.sh"))]


def boot_seconds(scenarios):
    return BOOT_SECONDS + sum(scenario.seconds for scenario in scenarios)


def boots(scenarios):
    """Scenarios that share one boot, in the order given; the longest boot first, so that boots side by
    side end at about the same time. A NIC is not shared: frames of one would come to the next."""
    groups = {}
    for scenario in scenarios:
        key = (scenario.cpus, scenario.model, scenario.stock, scenario.hugepages,
               scenario.name if scenario.nic else None)
        alike = groups.setdefault(key, [[]])
        if alike[-1] and sum(s.seconds for s in [*alike[-1], scenario]) > SHARED_SECONDS:
            alike.append([])
        alike[-1].append(scenario)
    return sorted((boot for alike in groups.values() for boot in alike), key=boot_seconds, reverse=True)
