"""Radiomic features of an organ, a lesion and many small regions: CPU time a family, memory, and ratios to peers.

    OMP_NUM_THREADS=1 python benchmarks/features.py [--repeats 3] [--only lesion,organ,labels,start,workers] \
        [--peer pyradiomics=PYTHON] [--peer pictologics=PYTHON] [--peer flash=PYTHON] [--peer nyxus=PYTHON]

PYTHON is the interpreter of an environment that holds the peer (`feature_peers.py`); peers that are not named, or that
fail, are said to be absent. All get the same arrays, grey levels of 25 units and 3-D matrices; times are of the
process's CPU, the least of the repeats, after one run that warms caches and compiles. What two workers gain is wall
time, which means something only where nothing else runs.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from feature_peers import PROGRAMS, peer
from numpy.typing import NDArray

from radlake.core.image import Geometry, Image
from radlake.deid.keys import load_key
from radlake.engine.api import run
from radlake.engine.local import Local
from radlake.engine.measure import settings
from radlake.engine.options import Options
from radlake.engine.pipeline import Pipeline, step
from radlake.engine.remeasure import remeasure
from radlake.features import extract, extract_labels
from radlake.features.texture import AGGREGATIONS
from radlake.formats.nifti import to_bytes
from radlake.lake.store import Lake

SPACING = (2.5, 0.8, 0.8)
WIDTH = 25.0
MATRICES = ("glcm", "glrlm", "glszm", "gldzm", "ngtdm", "ngldm")
FIRST_ORDER = ("shape", "intensity", "histogram", "ivh")
SLOW = ("peak", "autocorrelation")
REGIONS = {"organ": (109.4, 69.4, 69.4), "lesion": (20.0, 12.7, 12.7)}
# From /proc: what getrusage says of a child begins with the size of the process that started it.
MEMORY = """
import sys
from pathlib import Path
import numpy as np
from radlake.features import extract
def peak():
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) // 1024
data = np.load(sys.argv[1])
image, mask = data["image"], data["mask"]
before = peak()
extract(image, mask, families=sys.argv[2].split(","), spacing=data["spacing"].tolist(), bin_width=25.0)
print(before, peak())
"""
START = """
import resource, sys
from pathlib import Path
from radlake.engine.measure import measure, settings
measure(Path(sys.argv[1]), Path(sys.argv[2]), settings("default", None))
used = resource.getrusage(resource.RUSAGE_SELF)
print(used.ru_utime + used.ru_stime)
"""


def tissue(shape: tuple[int, ...], radii_mm: tuple[float, float, float]) -> tuple[NDArray[np.int16], NDArray[np.bool_]]:
    """A CT of soft tissue with noise and an ellipsoid in its middle."""
    rng = np.random.default_rng(0)
    image = rng.normal(60, 25, shape)
    image += 80 * np.sin(np.arange(shape[0]) / 9)[:, None, None] * np.cos(np.arange(shape[2]) / 17)
    grid = np.ogrid[tuple(slice(n) for n in shape)]
    distance = sum(((g - n / 2) * s / r) ** 2 for g, n, s, r in zip(grid, shape, SPACING, radii_mm, strict=True))
    return image.astype(np.int16), np.asarray(distance <= 1)


def cpu(call: Callable[[], object], repeats: int) -> float:
    """Least CPU seconds of some calls, after one that is not counted."""
    call()
    seconds = []
    for _ in range(repeats):
        start = time.process_time()
        call()
        seconds.append(time.process_time() - start)
    return min(seconds)


def region(name: str, arguments: argparse.Namespace) -> None:
    """Print the times for one region of a CT."""
    image, mask = tissue((100, 512, 512), REGIONS[name])
    print(f"\n{name}: {mask.sum():,} voxels in 100 x 512 x 512")

    def timed(*families: str, aggregations: tuple[str, ...] = ("3D_comb",)) -> float:
        return cpu(
            lambda: extract(
                image, mask, families=families, aggregations=aggregations, spacing=SPACING, bin_width=WIDTH
            ),
            arguments.repeats,
        )

    for family in (*FIRST_ORDER, *MATRICES, *SLOW, "enclosure"):
        print(f"  {family:16} {timed(family):8.3f} s")
    merged, every = timed(*MATRICES), timed(*MATRICES, aggregations=AGGREGATIONS)
    print(f"  texture in all six aggregations: {every:.3f} s, {every / merged:.1f} times 3-D merged alone")
    whole, slow = timed(*FIRST_ORDER, *MATRICES), timed(*FIRST_ORDER, *MATRICES, *SLOW)
    print(
        f"  all, 3-D merged, without {', '.join(SLOW)}, enclosure: {whole:.3f} s; with {', '.join(SLOW)}: {slow:.3f} s"
    )
    arrays = {"image": image, "mask": mask.astype(np.uint8), "spacing": SPACING, "width": WIDTH}
    for peer_name, own in (
        ("pyradiomics", whole),
        ("flash", whole),
        ("pictologics", whole),
        ("pictologics-slow", slow),
    ):
        against(peer_name, own, arrays, arguments)
    for families in ((*FIRST_ORDER, *MATRICES), (*FIRST_ORDER, *MATRICES, *SLOW)):
        print(f"  peak memory of a process, before and after {len(families)} families: {memory(arrays, families)} MiB")


def against(name: str, own: float, arrays: dict[str, object], arguments: argparse.Namespace) -> None:
    """Print a peer's time as a ratio to ours."""
    python = dict(arguments.peer).get(name.split("-", maxsplit=1)[0])
    if python is None:
        print(f"  {name}: absent")
        return
    found = peer(name, python, arrays, arguments.repeats)
    if isinstance(found, str):
        print(f"  {name}: failed: {found}")
    else:
        ratio = found["seconds"] / own
        print(f"  {name}, {found['features']} features: {found['seconds']:.3f} s, {ratio:.2f} times radlake")


def memory(arrays: dict[str, object], families: tuple[str, ...]) -> str:
    """Peak resident memory of a process that loads the arrays and measures them."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "case.npz"
        np.savez(path, **arrays)
        done = subprocess.run(
            [sys.executable, "-c", MEMORY, str(path), ",".join(families)], capture_output=True, text=True, check=True
        )
    return " and ".join(done.stdout.split())


def labels(arguments: argparse.Namespace) -> None:
    """Print the time for 1,000 small regions of a plane."""
    rng = np.random.default_rng(1)
    image = rng.integers(0, 255, (1400, 1600)).astype(np.uint8)
    numbers = np.zeros(image.shape, np.int32)
    disc = np.hypot(*np.mgrid[-17:18, -17:18]) < 13
    for k in range(1000):
        top, left = 35 * (k // 40) + 5, 35 * (k % 40) + 5
        numbers[top : top + 35, left : left + 35][disc] = k + 1
    families = (*FIRST_ORDER, *MATRICES)
    seconds = cpu(lambda: extract_labels(image, numbers, families=families), arguments.repeats)
    print(f"\n1,000 plane regions of {disc.sum()} pixels in one image: {seconds:.2f} ms each")
    against("nyxus", seconds, {"image": image, "mask": numbers, "spacing": (1.0, 1.0), "width": 8.0}, arguments)


def start(arguments: argparse.Namespace) -> None:
    """Print what a fresh process takes from two files to the table, the second time."""
    image, mask = tissue((60, 256, 256), (20.0, 12.7, 12.7))
    grid = Geometry(SPACING)
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / name for name in ("ct.nii.gz", "mask.nii.gz")]
        for path, array in zip(paths, (image, mask.astype(np.uint8)), strict=True):
            path.write_bytes(to_bytes(Image(array, grid)))
        seconds = [
            float(
                subprocess.run([sys.executable, "-c", START, *paths], capture_output=True, text=True, check=True).stdout
            )
            for _ in range(arguments.repeats + 1)
        ]
    print(f"\nfrom a .nii.gz pair to the table in a fresh process, all families: {min(seconds[1:]):.2f} s")


def workers() -> None:
    """Print how much sooner two workers measure the masks of 50 cases in a lake, all families, than one does."""
    image, mask = tissue((60, 256, 256), (30.0, 20.0, 20.0))
    with tempfile.TemporaryDirectory() as folder:
        source, key = Path(folder) / "cases", Path(folder) / "key"
        source.mkdir()
        rng = np.random.default_rng(2)
        for k in range(50):
            bright = np.where(mask, image + np.int16(600), image) + rng.integers(-9, 9, image.shape, np.int16)
            (source / f"{k:02d}.nii.gz").write_bytes(to_bytes(Image(bright, Geometry(SPACING))))
        study = Pipeline("cases", (step("deid"), step("segment.otsu")))
        run(study, source, Path(folder) / "lake", key_file=key)
        seconds = []
        for count in (1, 2):
            copy = Path(folder) / f"lake of {count}"
            shutil.copytree(Path(folder) / "lake", copy, copy_function=shutil.copy2)
            start = time.perf_counter()
            remeasure(
                Lake.open(copy), load_key(key, create=False), settings("default", None), source="auto",
                options=Options(engine=Local(count)),
            )  # fmt: skip
            seconds.append(time.perf_counter() - start)
    one, two = seconds
    print(f"\n50 cases in a lake: {one:.1f} s by one worker, {two:.1f} s by two, {one / two:.2f} times as fast")


def named(text: str) -> tuple[str, str]:
    """A peer with its interpreter, from NAME=PYTHON."""
    name, _, python = text.partition("=")
    if name not in PROGRAMS or not Path(python).exists():
        raise argparse.ArgumentTypeError(f"expected NAME=PYTHON with one of {', '.join(PROGRAMS)}, got {text!r}")
    return name, python


def main() -> None:
    """Print all figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", default="organ,lesion,labels,start,workers")
    parser.add_argument("--peer", type=named, action="append", default=[], metavar="NAME=PYTHON")
    arguments = parser.parse_args()
    chosen = arguments.only.split(",")
    for name in REGIONS:
        if name in chosen:
            region(name, arguments)
    if "labels" in chosen:
        labels(arguments)
    if "start" in chosen:
        start(arguments)
    if "workers" in chosen:
        workers()
    print(f"peak memory of this process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
