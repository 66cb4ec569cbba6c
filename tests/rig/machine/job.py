# SPDX-License-Identifier: BSD-3-Clause
"""What a machine is given to do: a folder job/ with the host side's scripts and a config file."""
import fcntl
import os
import secrets
import shlex
import shutil

HOST_FILES = ("host/job.sh", "host/lib.sh", "guest/testpmd.sh")


def claim(folder, name):
    """An empty folder for a run, and the open lock that keeps a second run of that name out."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = open(folder / f"{name}.lock", "w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise SystemExit(f"another run of {name} is under way in this checkout") from None
    shutil.rmtree(folder / name, ignore_errors=True)
    (folder / name).mkdir()
    return folder / name, lock


def copy_file(path, folder):
    if not path.is_file():
        raise SystemExit(f"{path} was not built: ./run test builds what its scenarios need")
    shutil.copy(path, folder)


def write(folder, rig, scenarios, settings):
    """Fill `folder` with the job; `settings` become shell variables RIG_NAME."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "scenarios").mkdir(parents=True)
    for name in HOST_FILES:
        shutil.copy(rig / name, folder)
    for path in (rig / "scenarios").iterdir():
        if path.is_dir():
            shutil.copytree(path, folder / "scenarios" / path.name)
    (folder / "files").mkdir()
    for scenario in scenarios:
        shutil.copy(scenario.path, folder / "scenarios" / scenario.path.name)
        for path in scenario.files:
            copy_file(rig.parent.parent / "build" / path, folder / "files")
    # An emulated host begins the same way each time: what a scenario leaves to chance comes from here.
    settings = dict(settings, SCENARIOS=" ".join(s.name for s in scenarios),
                    SEED=os.environ.get("RIG_SEED") or secrets.randbits(63),
                    FUZZ_SECONDS=os.environ.get("FUZZ_SECONDS", "60"))
    lines = [f"RIG_{key}={shlex.quote(str(value))}\n" for key, value in settings.items()]
    lines.append("export " + " ".join(f"RIG_{key}" for key in settings) + "\n")
    (folder / "config").write_text("".join(lines))
