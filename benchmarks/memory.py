"""Peak memory of a whole run against its budget: one large CT, and several large series at once.

Makes the DICOM files (512 x 512 slices of a noisy body with lungs and a table), runs `radlake run` on them with the
default study, and samples the proportional set size (PSS) of the whole process tree every 50 ms. The budget is
`--memory` plus 600 MiB for the interpreters and libraries. Linux only. Ends with 1
when a run takes more or sets a file aside.

    python benchmarks/memory.py [--memory 2GiB] [--workers 2] [--slices 600] [--keep FOLDER]
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radlake.cli import parse_memory

MIB = 1 << 20
ALLOWANCE = 600 * MIB  # interpreters and libraries of the driver and the workers
INTERVAL_S = 0.05
MIXED = {"CT": (300, 512), "second CT": (300, 512), "third CT": (200, 512), "MR": (250, 384), "small CT": (40, 256)}


def body(z: float, side: int, rng: np.random.Generator) -> NDArray[np.int16]:
    """One axial slice in stored values (HU + 1024): body, lungs that taper, a table, noise."""
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    hu = np.where((x / 0.8) ** 2 + (y / 0.6) ** 2 < 1, 40.0, -1000.0)
    width = 0.28 * np.sqrt(max(1 - (2 * z - 1) ** 2, 0.0)) + 1e-3
    hu[((abs(x) - 0.38) / width) ** 2 + (y / (1.4 * width)) ** 2 < 1] = -850.0
    hu[(abs(y - 0.8) < 0.02) & (abs(x) < 0.7)] = 200.0
    return (hu + 1024 + rng.normal(0, 12, hu.shape)).clip(0, 4095).astype(np.int16)


def generate(folder: Path, slices: int, side: int, number: int, *, modality: str = "CT") -> None:
    """A series of slices with identities and positions of their own, on the header that pydicom ships."""
    import pydicom
    from pydicom.data import get_testdata_file
    from pydicom.uid import UID

    folder.mkdir(parents=True)
    rng = np.random.default_rng(number)
    ds = pydicom.dcmread(str(get_testdata_file("CT_small.dcm")))
    root = f"1.2.826.0.1.3680043.2.1143.{number}"
    ds.PatientID, ds.Modality = f"P{number}", modality
    for part, keyword in enumerate(("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID"), 1):
        setattr(ds, keyword, f"{root}.{part}")
    ds.Rows = ds.Columns = side
    ds.PixelSpacing = [0.7, 0.7]
    for n in range(slices):
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = UID(f"{root}.4.{n}")
        ds.InstanceNumber = n + 1
        ds.ImagePositionPatient = [-180, -180, n * 1.0]
        ds.PixelData = body(n / slices, side, rng).tobytes()
        ds.save_as(folder / f"{n:04d}.dcm")


def tree(root: int) -> list[int]:
    """A process and all below it."""
    children = defaultdict(list)
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        children[int(fields[1])].append(int(status.parent.name))
    found, waiting = [], [root]
    while waiting:
        found.append(waiting.pop())
        waiting += children[found[-1]]
    return found


def pss(pid: int) -> int:
    """Proportional set size in bytes: shared pages count by their share. 0 when the process has ended."""
    try:
        match = re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    except OSError:
        return 0
    return int(match[1]) * 1024 if match else 0


def measure(command: list[str]) -> tuple[int, list[int], float, dict[str, Any]]:
    """Run a command: peak of the sum, the processes' sizes at that moment, seconds, and what it printed as JSON."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    peak, sizes = 0, [0]
    while process.poll() is None:
        now = [pss(pid) for pid in tree(process.pid)]
        if sum(now) > peak:
            peak, sizes = sum(now), now
        time.sleep(INTERVAL_S)
    if process.returncode:
        raise SystemExit(f"the run ended with {process.returncode}")
    assert process.stdout is not None
    return peak, sizes, time.perf_counter() - started, json.loads(process.stdout.read())


def report(name: str, folder: Path, base: Path, memory: str, workers: int) -> bool:
    """One run and its line; True when it kept the budget and every file was done."""
    radlake = [str(Path(sys.executable).with_name("radlake")), "run", str(folder), "--out", str(base / f"lake {name}")]
    options = ["--memory", memory, "--workers", str(workers), "--key-file", str(base / "key"), "--quiet", "--json"]
    peak, sizes, seconds, summary = measure(radlake + options)
    budget = parse_memory(memory) + ALLOWANCE
    parts = " + ".join(f"{s / MIB:.0f}" for s in sizes)
    verdict = "within" if peak <= budget else "OVER"
    print(
        f"{name:>12}: peak {peak / MIB:5.0f} MiB, {verdict} the budget of {budget / MIB:.0f} MiB: "
        f"{peak / budget:.2f}; processes {parts}; {seconds:.0f} s; files {summary['files']}"
    )
    return peak <= budget and set(summary["files"]) == {"done"}


def main() -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--memory", default="2GiB")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--slices", type=int, default=600, help="of the large CT")
    parser.add_argument("--keep", type=Path, help="folder for files and lakes; files there are used again")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        base = given.keep or Path(temporary)
        large, mixed = base / f"large-{given.slices}", base / "mixed"
        if not large.exists():
            generate(large, given.slices, 512, 1)
        if not mixed.exists():
            for number, (name, (slices, side)) in enumerate(MIXED.items(), 2):
                generate(mixed / name, slices, side, number, modality=name.split()[-1])
        runs = (("large CT", large), ("mixed", mixed))
        kept = [report(name, folder, base, given.memory, given.workers) for name, folder in runs]
    sys.exit(0 if all(kept) else 1)


if __name__ == "__main__":
    main()
