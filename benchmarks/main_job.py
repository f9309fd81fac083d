"""The main job on many headers: one worker against two, an unchanged rerun, and the cost of `import radlake`.

Makes generated copies of the real CT header that the package pydicom ships, 100 slices a series, each file with UIDs,
position and patient of its own and 8 x 8 pixels; takes them into one lake by one worker and into another by two, every
run in a fresh process; and prints wall time, CPU time and the ratios. The study only de-identifies, so reading headers
is nearly all there is to do.

    python benchmarks/main_job.py [--files 6000] [--workers 1 2] [--keep FOLDER]
"""

from __future__ import annotations

import argparse
import io
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

SLICES = 100  # a series
HEADERS = "reading headers"  # title of the phase


def generate(folder: Path, count: int) -> None:
    """Files that differ in what real slices differ in: made once, then patched byte by byte, all of one length."""
    import pydicom
    from pydicom.data import get_testdata_file
    from pydicom.uid import UID

    ds = pydicom.dcmread(str(get_testdata_file("CT_small.dcm")))
    root = "1.2.826.0.1.3680043.2.1143"
    marks: dict[str, Callable[[int], str]] = {
        f"{root}.1.{10**7}": lambda n: f"{root}.1.{10**7 + n}",  # instance
        f"{root}.2.{10**7}": lambda n: f"{root}.2.{10**7 + n // SLICES}",  # series
        f"{root}.3.{10**7}": lambda n: f"{root}.3.{10**7 + n // SLICES}",  # study
        "P0000000": lambda n: f"P{n // SLICES:07d}",
        "-7777.77": lambda n: f"{2.5 * (n % SLICES):08.2f}",  # z
        "77777": lambda n: f"{n % SLICES + 1:05d}",  # instance number
    }
    instance, series, study, patient, z, number = marks
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = UID(instance)
    ds.SeriesInstanceUID, ds.StudyInstanceUID = UID(series), UID(study)
    ds.PatientID, ds.InstanceNumber = patient, number
    ds.ImagePositionPatient = ["-158.1", "-179.0", z]
    ds.Rows = ds.Columns = 8
    ds.PixelData = ds.PixelData[:128]
    stored = io.BytesIO()
    ds.save_as(stored)
    template = stored.getvalue()
    for n in range(count):
        data = template
        for mark, text in marks.items():
            data = data.replace(mark.encode(), text(n).encode())
        path = folder / f"{n // SLICES:04d}" / f"{n % SLICES:03d}.dcm"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)


class Clock:
    """A `Progress` that notes when each phase ended, in wall seconds since it was made."""

    def __init__(self) -> None:
        self.ended: dict[str, float] = {}
        self.title, self.started = "", time.perf_counter()

    def begin(self, title: str, total: int | None) -> None:
        """A phase starts."""
        self.title = title

    def advance(self, done: int, set_aside: int) -> None:
        """Nothing to note."""

    def end(self) -> None:
        """The phase is over."""
        self.ended[self.title] = time.perf_counter() - self.started


def one_run(folder: Path, lake: Path, workers: int) -> dict[str, Any]:
    """One run in this process: its phases, wall and CPU seconds, and how many input files this process opened."""
    started = time.perf_counter()
    opened = 0

    def count(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal opened
        opened += event == "open" and str(arguments[0]).startswith(str(folder))

    sys.addaudithook(count)
    import radlake as rl
    from radlake.core.errors import RadlakeError

    clock = Clock()
    key = folder.parent / "key"
    study = rl.Pipeline("headers", [rl.step("deid")])
    try:
        summary = rl.run(study, folder, lake, engine=rl.Local(workers=workers), key_file=key, progress=clock)
    except RadlakeError as error:
        raise SystemExit(f"the run failed: {error}") from error
    usage = {who: resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)}
    cpu = [u.ru_utime + u.ru_stime for u in usage.values()]
    return {
        "wall": time.perf_counter() - started,
        "driver_cpu": cpu[0],
        "worker_cpu": cpu[1],
        "headers": clock.ended.get(HEADERS, 0.0),  # from the walk through the folders to the last header
        "opened": opened,
        "files": summary.files,
        "worked": sum(summary.worked.values()),
    }


def fresh(folder: Path, lake: Path, workers: int) -> dict[str, Any]:
    """`one_run` in a process of its own."""
    command = [sys.executable, __file__, "--one", str(folder), str(lake), str(workers)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(answer.stdout)
    return found


def import_seconds(module: str, times: int = 5) -> float:
    """CPU seconds that importing a module adds to a bare interpreter: least of some tries."""
    code = f"import time; a = time.process_time(); import {module}; print(time.process_time() - a)"
    tries = [subprocess.run([sys.executable, "-c", code], check=True, capture_output=True) for _ in range(times)]
    return min(float(t.stdout) for t in tries)


def machine() -> str:
    """The machine in a few words: processor, cores, memory, Python."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())
    gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{model}, {os.cpu_count()} cores, {gib:.0f} GiB, Python {platform.python_version()}"


def report(folder: Path, counts: list[int], files: int) -> None:
    """Do the runs and print what they took."""
    print(machine())
    print(f"{files:,} files of {SLICES} slices a series\n")
    print(f"{'run':>12} {'wall s':>8} {'headers s':>10} {'files/s':>9} {'driver CPU s':>13} {'worker CPU s':>13}")
    walls, headers = {}, {}
    for workers in counts:
        found = fresh(folder, folder.parent / f"lake-{workers}", workers)
        walls[workers], headers[workers] = found["wall"], found["headers"]
        if found["files"] != {"done": files}:
            raise SystemExit(f"not every file was done: {found['files']}")
        print(
            f"{workers:>4} workers {found['wall']:8.1f} {headers[workers]:10.1f} {files / headers[workers]:9.0f} "
            f"{found['driver_cpu']:13.1f} {found['worker_cpu']:13.1f}"
        )
    again = fresh(folder, folder.parent / f"lake-{counts[-1]}", counts[-1])
    print(f"{'unchanged':>12} {again['wall']:8.1f} {'':10} {'':9} {again['driver_cpu']:13.1f}")
    first, last = counts[0], counts[-1]
    print(f"\nreading headers, {last} workers against {first}: {headers[first] / headers[last]:.2f} x")
    print(f"whole run, {last} workers against {first}: {walls[first] / walls[last]:.2f} x")
    print(f"unchanged rerun: {again['wall']:.2f} s, {again['opened']} inputs opened, {again['worked']} items done")
    print(f"import radlake: {import_seconds('radlake'):.3f} CPU s")


def main() -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=6000)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--keep", type=Path, help="folder for files and lakes; files there are used again")
    parser.add_argument("--one", nargs=3, metavar=("FOLDER", "LAKE", "WORKERS"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        folder, lake, workers = given.one
        print(json.dumps(one_run(Path(folder), Path(lake), int(workers))))
        return
    with tempfile.TemporaryDirectory() as temporary:
        base = given.keep or Path(temporary)
        folder = base / f"files-{given.files}"
        if not folder.exists():
            folder.mkdir(parents=True)
            generate(folder, given.files)
        report(folder, given.workers, given.files)


if __name__ == "__main__":
    main()
